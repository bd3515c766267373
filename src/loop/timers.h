#pragma once

#include "loop/clocks.h"
#include "loop/timer_heap.h"

#include <asyncio/loop/clock.h>

#include <cstdint>
#include <memory>

namespace asyncio::detail {

/// A loop's clock, and what waits for its moments.
class Timers {
public:
    explicit Timers(const ClockOption& clock) {
        if (clock.custom() != nullptr || clock.is_virtual()) [[unlikely]]
            take(clock);
    }

    void add(TimePoint when, TimerNode& node) { heap_.add(when.nanoseconds(), node, when <= last_); }
    void remove(TimerNode& node) noexcept { heap_.remove(node); }
    TimePoint when(const TimerNode& node) const noexcept { return TimePoint::from_nanoseconds(heap_.when(node)); }
    bool empty() const noexcept { return heap_.empty(); }
    std::size_t count() const noexcept { return heap_.size(); }
    std::int64_t first_when() const noexcept { return heap_.first_when(); }
    /// Whether it was due already when it was added.
    bool was_first_past() const noexcept { return heap_.was_first_past(); }
    TimerNode& pop_first() noexcept { return heap_.pop_first(); }
    template <class F>
    void for_each(F&& call) const {
        heap_.for_each(call);
    }

    TimePoint now() noexcept;
    /// What the clock said when it was last read, by whomever.
    TimePoint last() const noexcept { return last_; }
    TimePoint read_clock() noexcept { return clock_->now(); }
    /// Whether one was due then.
    bool is_first_due() const noexcept { return !heap_.empty() && heap_.first_when() <= last_.nanoseconds(); }
    /// Those join the list, in order.
    void collect_due(ReadyList& list) noexcept {
        while (is_first_due()) list.push_back(heap_.pop_first());
    }

    /// Whether the clock may be asked to jump: it is not the system's.
    bool may_jump() const noexcept { return may_jump_; }
    bool is_virtual() const noexcept { return simulated_ != nullptr; }
    bool jump_to_first() noexcept { return clock_->jump_to(TimePoint::from_nanoseconds(first_when())); }

private:
    friend struct InspectLayout;
    void take(const ClockOption& clock);

    TimerHeap heap_;
    TimePoint last_ = {};
    bool may_jump_ = false;
    MonotonicClock monotonic_;
    std::unique_ptr<Clock> simulated_;
    Clock* clock_ = &monotonic_;
};

}  // namespace asyncio::detail
