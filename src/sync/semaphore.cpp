#include <asyncio/sync/semaphore.h>

#include "core/wait_story.h"
#include "sync/describe.h"

namespace asyncio {
namespace detail {

void SemaphoreWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    if (!semaphore_->waiters_.bind(task)) throw_bound_to_other_loop(repr(*semaphore_));
    semaphore_->waiters_.push_back(*this);
    suspend(task, frame);
}

bool SemaphoreWaiter::end() {
    bool queue_lives = leave();
    bool cancelled = was_cancelled();
    if (queue_lives) {
        if (cancelled && is_woken()) ++semaphore_->value_;  // it has a slot, and no use for it
        // Others may have come while slots were free, and had to queue behind this one.
        while (semaphore_->value_ > 0 && semaphore_->grant_next()) continue;
    }
    return !cancelled;
}

void SemaphoreWaiter::tell(WaitStory& story) const {
    if (!is_in_line()) return story.is_gone("Semaphore");
    std::string extra = semaphore_->locked() ? "locked" : "value:" + std::to_string(semaphore_->value_);
    story.names("Semaphore", semaphore_, with_waiters(extra, semaphore_->waiters_.size()));
}

}  // namespace detail

Semaphore::Semaphore(std::ptrdiff_t value) : Semaphore(value, -1) {}

Semaphore::Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound) : value_(value), bound_(bound) {
    if (value < 0) throw ValueError("Semaphore initial value must be >= 0");
}

void Semaphore::release() {
    if (bound_ >= 0 && value_ >= bound_) throw ValueError("BoundedSemaphore released too many times");
    if (!waiters_.wake_next()) ++value_;
}

bool Semaphore::grant_next() {
    if (!waiters_.wake_next()) return false;
    --value_;
    return true;
}

std::string repr(const Semaphore& semaphore) {
    std::string extra = semaphore.locked() ? "locked" : "unlocked, value:" + std::to_string(semaphore.value_);
    return detail::describe(semaphore.bound_ < 0 ? "Semaphore" : "BoundedSemaphore", &semaphore,
                            detail::with_waiters(extra, semaphore.waiters_.size()));
}

}  // namespace asyncio
