#include <asyncio/sync/lock.h>

#include "core/task_loop.h"
#include "core/wait_story.h"
#include "sync/describe.h"

namespace asyncio {
namespace detail {

void LockWaiter::wait(std::coroutine_handle<> frame) {
    lock_->check_loop(*task_);
    state_ = State::pending;
    lock_->waiters_.push_back(*this);
    suspend(*task_, frame);
}

bool LockWaiter::end() {
    bool queue_lives = leave();
    bool cancelled = was_cancelled();
    lock_->end_wait(*task_, queue_lives, cancelled);
    return !cancelled;
}

void LockWaiter::tell(WaitStory& story) const {
    if (!is_in_line()) return story.is_gone("Lock");
    tell_of_lock(story, *lock_);
}

void tell_of_lock(WaitStory& story, const Lock& lock) {
    story.holder = owner_of(lock);
    if (story.holder != nullptr) story.held_since = place_of_await(*story.holder, lock.taken_in_, lock.taken_at_);
    std::string state = !lock.locked()            ? "unlocked"
                        : story.holder == nullptr ? "locked by a task that is over"
                                                  : "locked by " + detail::quoted(story.holder->name());
    story.names("Lock", &lock, state);
}

TaskBase* owner_of(const Lock& lock) noexcept {
    LoopCore* loop = lock.waiters_.loop() != nullptr ? lock.waiters_.loop() : running_core_or_null();
    if (!lock.locked() || loop == nullptr) return nullptr;
    for (TaskBase& task : task_loop(*loop).live_tasks) {
        if (task.identity() == lock.owner_) return &task;
    }
    return nullptr;
}

}  // namespace detail

void Lock::check_loop(detail::TaskBase& task) {
    if (!waiters_.bind(task)) detail::throw_bound_to_other_loop(repr(*this));
}

void Lock::end_wait(const detail::TaskBase& task, bool queue_lives, bool cancelled) {
    if (!queue_lives) return;
    if (!cancelled) {
        take(task);
    } else if (!locked()) {
        waiters_.wake_first();  // it may have been this task's turn
    }
}

void Lock::release() {
    if (!locked()) throw RuntimeError("Lock is not acquired.");
    waiters_.check_thread();
    owner_ = 0;
    waiters_.wake_first();
}

std::string repr(const Lock& lock) {
    return detail::describe("Lock", &lock,
                            detail::with_waiters(lock.locked() ? "locked" : "unlocked", lock.waiters_.size()));
}

}  // namespace asyncio
