#include "loop/clocks.h"

#include <ctime>

namespace asyncio::detail {

TimePoint MonotonicClock::now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return TimePoint::from_nanoseconds(std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
}

std::int64_t nanoseconds_since_boot() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

TimePoint SimulatedClock::now() noexcept { return TimePoint::from_nanoseconds(now_.load(std::memory_order_relaxed)); }

bool SimulatedClock::jump_to(TimePoint next_timer) noexcept {
    if (next_timer.nanoseconds() > now_.load(std::memory_order_relaxed)) {
        now_.store(next_timer.nanoseconds(), std::memory_order_relaxed);
    }
    return true;
}

}  // namespace asyncio::detail
