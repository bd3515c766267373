#include <asyncio/core/wait_queue.h>

#include "core/task_loop.h"

namespace asyncio::detail {

bool QueueWaiter::leave() noexcept {
    bool queue_lives = is_in_line();
    ListHook<WaitQueue>::unlink();
    return queue_lives;
}

bool QueueWaiter::take_cancel(Ref<CancelRequest>& request) noexcept {
    // A wait that was cancelled itself comes before what was asked of the task after that, as in TaskBase::step().
    Ref<CancelRequest> late;
    bool is_late = task_->take_cancel_ahead(late);
    if (is_cancelled()) {
        request = task_->take_cancel_request();
    } else if (is_late) {
        request = std::move(late);
    } else {
        return false;
    }
    return true;
}

void QueueWaiter::wait_again(WaitQueue& queue) noexcept {
    state_ = State::pending;
    queue.push_back(*this);
}

WaitQueue::~WaitQueue() {
    orphan(line_);
    orphan(woken_);
    orphan(cancelled_);
    if (loop_ != nullptr) loop_->dec_ref();
}

void WaitQueue::orphan(IntrusiveList<QueueWaiter, WaitQueue>& waiters) noexcept {
    while (!waiters.empty()) waiters.pop_front();
}

bool WaitQueue::bind(TaskBase& task) noexcept {
    if (loop_ == nullptr) {
        loop_ = &task.loop();
        loop_->inc_ref();  // another loop at the same address would pass for it
    }
    return loop_ == &task.loop();
}

std::size_t WaitQueue::size() const noexcept {
    std::size_t count = 0;
    for ([[maybe_unused]] QueueWaiter& waiter : line_) ++count;
    for ([[maybe_unused]] QueueWaiter& waiter : woken_) ++count;
    for ([[maybe_unused]] QueueWaiter& waiter : cancelled_) ++count;
    return count;
}

/// Nobody looks twice at one that was cancelled, though it stays in line until its task goes on: thousands may be
/// cancelled at once, and each looks for the next that waits when it leaves.
bool WaitQueue::has_live_in_line() const noexcept {
    while (!line_.empty()) {
        if (!line_.front().is_cancelled()) return true;
        cancelled_.push_back(line_.pop_front());
    }
    return false;
}

QueueWaiter* WaitQueue::first_pending() noexcept { return has_live_in_line() ? &line_.front() : nullptr; }

void WaitQueue::check_thread() const {
    if (loop_ != nullptr) loop_->check_thread();
}

void WaitQueue::wake_first() {
    if (line_.empty()) return;
    QueueWaiter& first = line_.front();
    if (!first.is_pending() || !cancelled_.empty()) return;  // one that was cancelled is the first still
    first.wake();
}

bool WaitQueue::wake_next() {
    check_thread();
    QueueWaiter* waiter = first_pending();
    if (waiter == nullptr) return false;
    waiter->ListHook<WaitQueue>::unlink();
    woken_.push_back(*waiter);
    waiter->wake();
    return true;
}

void WaitQueue::wake(std::size_t most) {
    while (most > 0 && wake_next()) --most;
}

void throw_bound_to_other_loop(const std::string& repr) {
    throw RuntimeError(repr + " is bound to a different event loop");
}

}  // namespace asyncio::detail
