#pragma once

#include <asyncio/loop/seconds.h>

namespace asyncio {

/// What tells an event loop the time. Give a loop one of your own by `LoopOptions::clock`.
class Clock {
public:
    virtual ~Clock() = default;
    /// The time. Called on the loop's thread, several times in each pass.
    virtual TimePoint now() noexcept = 0;

    /// Called when nothing is ready and nothing outside the loop can still happen, with the moment of the next
    /// timer. A clock that can jump there does so and returns true; then the loop does not sleep.
    virtual bool jump_to(TimePoint next_timer) noexcept;
};

/// Time for tests: it stands still while anything can run and jumps to the next timer when nothing can, so that
/// an hour's sleep takes no time and every run is the same. `run(main(), {.clock = VirtualClock{}})`.
///
/// Work on threads is waited for in real time before the clock jumps.
struct VirtualClock {
    TimePoint start = {};
};

/// Which clock a loop uses: nothing for the system's monotonic one, a `VirtualClock`, or a `Clock` of yours,
/// which must outlive the loop.
class ClockOption {
public:
    constexpr ClockOption() noexcept = default;
    constexpr ClockOption(VirtualClock clock) noexcept : start_(clock.start), is_virtual_(true) {}
    constexpr ClockOption(Clock& clock) noexcept : custom_(&clock) {}

    /// Whether it is a VirtualClock.
    constexpr bool is_virtual() const noexcept { return is_virtual_; }
    /// When a VirtualClock begins; zero for others.
    constexpr TimePoint start() const noexcept { return start_; }
    /// Yours, or null.
    constexpr Clock* custom() const noexcept { return custom_; }

private:
    Clock* custom_ = nullptr;
    TimePoint start_ = {};
    bool is_virtual_ = false;
};

}  // namespace asyncio
