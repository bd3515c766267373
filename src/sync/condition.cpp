#include <asyncio/sync/condition.h>

#include "core/wait_story.h"
#include "sync/describe.h"

namespace asyncio {
namespace detail {

bool ConditionWaiter::await_ready() const {
    if (!condition_->locked()) throw RuntimeError("cannot wait on un-acquired lock");
    return false;
}

void ConditionWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    if (!condition_->waiters_.bind(task)) throw_bound_to_other_loop(repr(*condition_));
    lock_ = condition_->lock_;
    condition_->release();
    condition_->waiters_.push_back(*this);
    suspend(task, frame);
}

void ConditionWaiter::turn() {
    Ref<CancelRequest> request;
    bool cancelled = take_cancel(request);
    if (cancelled) {
        was_cancelled_ = true;  // the last one is thrown in the end
        cancel_request_ = std::move(request);
    }
    bool queue_lives = leave();
    bool has_lock = !queue_lives;
    is_orphan_ = reacquires_ ? !ListHook<Reacquiring>::is_linked() : !queue_lives;
    ListHook<Reacquiring>::unlink();
    try {
        if (reacquires_ && queue_lives) {
            lock_->end_wait(*task_, true, cancelled);
            has_lock = !cancelled;
        }
        has_lock = has_lock || go_for_lock();
    } catch (...) {
        failure_ = std::current_exception();
        has_lock = true;  // not really: it gives up
    }
    if (has_lock) step_task();
}

/// False if it has to wait for it.
bool ConditionWaiter::go_for_lock() {
    reacquires_ = true;
    set_edge(WaitKind::lock, &lock_);
    if (lock_->try_acquire(*task_)) return true;
    lock_->check_loop(*task_);
    wait_again(lock_->waiters_);
    if (!is_orphan_) condition_->reacquiring_.push_back(*this);
    return false;
}

bool ConditionWaiter::await_resume() {
    if (!was_cancelled_ && !failure_) return true;
    // It may have been notified; so that nothing is lost, somebody else is instead.
    if (!is_orphan_) condition_->waiters_.wake_next();
    if (failure_) std::rethrow_exception(std::move(failure_));
    throw CancelledError(std::move(cancel_request_));
}

void ConditionWaiter::tell(WaitStory& story) const {
    if (!is_in_line()) return story.is_gone(reacquires_ ? "Lock" : "Condition");
    if (reacquires_) {
        tell_of_lock(story, *lock_);
    } else {
        story.names("Condition", condition_, with_waiters("", condition_->waiters_.size()).substr(2));
    }
}

}  // namespace detail

void Condition::notify(detail::Count n) {
    if (!locked()) throw RuntimeError("cannot notify on un-acquired lock");
    if (n.get() > 0) waiters_.wake(static_cast<std::size_t>(n.get()));
}

void Condition::notify_all() {
    if (!locked()) throw RuntimeError("cannot notify on un-acquired lock");
    waiters_.wake_all();
}

std::string repr(const Condition& condition) {
    return detail::describe(
        "Condition", &condition,
        detail::with_waiters(condition.locked() ? "locked" : "unlocked", condition.waiters_.size()));
}

}  // namespace asyncio
