#pragma once

#include <asyncio/loop/clock.h>

#include <atomic>
#include <cstdint>

namespace asyncio::detail {

/// The system's monotonic clock. Python: time.monotonic().
class MonotonicClock final : public Clock {
public:
    TimePoint now() noexcept override;
};

/// Goes on while the machine is suspended, when the monotonic clock stands still.
std::int64_t nanoseconds_since_boot() noexcept;

/// The clock behind `VirtualClock`: stands still until the loop has nothing to do, then jumps.
///
/// Only its loop's thread may make it jump; any thread may ask it the time.
class SimulatedClock final : public Clock {
public:
    explicit SimulatedClock(TimePoint start) noexcept : now_(start.nanoseconds()) {}

    TimePoint now() noexcept override;
    /// Never goes back: a moment that has passed leaves the time as it is. Always true.
    bool jump_to(TimePoint next_timer) noexcept override;

private:
    std::atomic<std::int64_t> now_;
};

}  // namespace asyncio::detail
