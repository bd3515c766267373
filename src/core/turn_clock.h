#pragma once

#include "detail/processor_counter.h"

#include <asyncio/loop/seconds.h>

#include <cstdint>

namespace asyncio::detail {

class LoopCore;

/// Tells debug mode which turns were slow. Where it can it counts by the processor's own counter, which costs a tenth
/// of a look at the clock and says for sure of nearly every turn that it was short; of one that may have been long, how
/// long is told by the clock.
class TurnClock {
public:
    explicit TurnClock(LoopCore& loop) noexcept : loop_(loop) {}

    /// A turn begins; in a pass, which began behind so many steps, where the one before it ended.
    void begin(std::uint64_t steps) noexcept {
        if (ended_behind_ != steps) [[unlikely]]
            begin_pass();
        ended_behind_ = UINT64_MAX;
    }
    /// It has ended. False: it was shorter than that.
    bool end(std::uint64_t steps, Seconds limit) noexcept {
        std::int64_t now = count();
        taken_ = now - at_;
        at_ = now;
        ended_behind_ = steps;
        return static_cast<double>(taken_) >= limit.count() * fewest_a_second_;
    }
    /// How long it was, if it may have been that long.
    Seconds length() noexcept;

private:
    static constexpr double slowest_counter = 1e8;  // counts in a second

    void begin_pass() noexcept;
    void choose_counter() noexcept;
    void begin_to_count() noexcept;
    std::int64_t nanoseconds() const noexcept;
    std::int64_t count() const noexcept {
        if (by_processor_) [[likely]]
            return processor_count();
        return nanoseconds();
    }

    LoopCore& loop_;
    std::int64_t at_ = 0;  // the count at which the latest turn began or ended
    std::int64_t taken_ = 0;
    std::uint64_t ended_behind_ = UINT64_MAX;
    std::int64_t pass_began_after_ = 0;  // by the loop's clock
    double fewest_a_second_ = 1e9;
    bool is_chosen_ = false;
    bool by_processor_ = false;
    // One moment by both: what the counter counts in a second is known by the time of a slow turn.
    std::int64_t first_count_ = 0;
    std::int64_t first_nanoseconds_ = 0;
};

}  // namespace asyncio::detail
