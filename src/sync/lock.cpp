#include <asyncio/sync/lock.h>

#include "sync/describe.h"

namespace asyncio {
namespace detail {

void LockWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    lock_.check_loop(task);
    lock_.waiters_.push_back(*this);
    suspend(task, frame);
}

bool LockWaiter::end() {
    bool queue_lives = leave();
    bool cancelled = was_cancelled();
    lock_.end_wait(queue_lives, cancelled);
    return !cancelled;
}

}  // namespace detail

void Lock::check_loop(detail::TaskBase& task) {
    if (!waiters_.bind(task)) detail::throw_bound_to_other_loop(repr(*this));
}

void Lock::end_wait(bool queue_lives, bool cancelled) {
    if (!queue_lives) return;
    if (!cancelled) {
        locked_ = true;
    } else if (!locked_) {
        waiters_.wake_first();  // it may have been this task's turn
    }
}

void Lock::release() {
    if (!locked_) throw RuntimeError("Lock is not acquired.");
    locked_ = false;
    waiters_.wake_first();
}

std::string repr(const Lock& lock) {
    return detail::describe("Lock", &lock,
                            detail::with_waiters(lock.locked_ ? "locked" : "unlocked", lock.waiters_.size()));
}

}  // namespace asyncio
