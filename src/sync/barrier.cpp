#include <asyncio/sync/barrier.h>

#include "core/wait_story.h"
#include "sync/describe.h"

namespace asyncio {
namespace detail {

/// One round of looking at the barrier's phase; false if the task has to wait.
bool BarrierWaiter::advance() {
    using Phase = Barrier::Phase;
    if (stage_ == Stage::outside) {
        if (barrier_->is_emptying()) return false;
        if (barrier_->broken()) {
            stage_ = Stage::was_broken;
            return true;
        }
        stage_ = Stage::inside;
        index_ = barrier_->count_++;
        if (barrier_->count_ == barrier_->parties_) {
            barrier_->phase_ = Phase::draining;
            barrier_->waiters_.wake_all();
        }
    }
    if (barrier_->phase_ == Phase::filling) return false;
    get_out(barrier_->phase_ == Phase::draining ? Stage::passed : Stage::broken);
    return true;
}

void BarrierWaiter::get_out(Stage outcome) {
    if (std::exchange(stage_, outcome) == Stage::inside) barrier_->one_is_out();
}

void BarrierWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    if (!barrier_->waiters_.bind(task)) {
        // Python speaks of the condition inside the barrier.
        std::string extra = with_waiters("locked", barrier_->waiters_.size());
        get_out(Stage::cancelled);
        throw_bound_to_other_loop(describe("Condition", barrier_, extra));
    }
    barrier_->waiters_.push_back(*this);
    suspend(task, frame);
}

void BarrierWaiter::turn() {
    Ref<CancelRequest> request;
    bool cancelled = take_cancel(request);
    bool barrier_lives = leave();
    if (!barrier_lives) {
        stage_ = cancelled ? Stage::cancelled : Stage::passed;  // woken ones were on their way out
    } else if (cancelled) {
        barrier_->waiters_.wake_next();
        get_out(Stage::cancelled);
    } else if (!advance()) {
        return wait_again(barrier_->waiters_);
    }
    cancel_request_ = std::move(request);
    step_task();
}

void BarrierWaiter::abandon() noexcept {
    leave();
    if (stage_ == Stage::inside) --barrier_->count_;
}

int BarrierWaiter::await_resume() {
    switch (stage_) {
        case Stage::cancelled:
            throw CancelledError(std::move(cancel_request_));
        case Stage::was_broken:
            throw BrokenBarrierError("Barrier aborted");
        case Stage::broken:
            throw BrokenBarrierError("Abort or reset of barrier");
        default:
            return index_;
    }
}

void BarrierWaiter::tell(WaitStory& story) const {
    if (!is_in_line()) return story.is_gone("Barrier");
    std::string there = std::to_string(barrier_->count_) + "/" + std::to_string(barrier_->parties_);
    story.names("Barrier", barrier_, (stage_ == Stage::inside ? "waiters:" : "until it is empty, waiters:") + there);
}

}  // namespace detail

Barrier::Barrier(int parties) : parties_(parties) {
    if (parties < 1) throw ValueError("parties must be >= 1");
}

void Barrier::one_is_out() {
    if (--count_ > 0) return;
    if (is_emptying()) phase_ = Phase::filling;
    waiters_.wake_all();
}

void Barrier::do_reset() {
    waiters_.check_thread();
    phase_ = count_ > 0 ? Phase::resetting : Phase::filling;
    waiters_.wake_all();
}

void Barrier::do_abort() {
    waiters_.check_thread();
    phase_ = Phase::broken;
    waiters_.wake_all();
}

std::string repr(const Barrier& barrier) {
    static constexpr const char* names[] = {"filling", "draining", "resetting", "broken"};
    std::string extra = names[static_cast<int>(barrier.phase_)];
    if (!barrier.broken()) {
        extra += ", waiters:" + std::to_string(barrier.n_waiting()) + "/" + std::to_string(barrier.parties());
    }
    return detail::describe("Barrier", &barrier, extra);
}

}  // namespace asyncio
