#include <asyncio/sync/lock.h>

#include "core/task_loop.h"
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
        owner_ = task.identity();
    } else if (!locked()) {
        waiters_.wake_first();  // it may have been this task's turn
    }
}

void Lock::release() {
    if (!locked()) throw RuntimeError("Lock is not acquired.");
    owner_ = 0;
    waiters_.wake_first();
}

std::string repr(const Lock& lock) {
    return detail::describe("Lock", &lock,
                            detail::with_waiters(lock.locked() ? "locked" : "unlocked", lock.waiters_.size()));
}

}  // namespace asyncio
