#pragma once

#if __has_include(<bits/chrono.h>)  // libstdc++: durations, clocks and literals without the calendar and its streams
#include <bits/chrono.h>
#else
#include <chrono>
#endif

#include <compare>
#include <cstdint>
#include <type_traits>

namespace asyncio {

/// A length of time in seconds, the one unit of this library's interface.
///
/// Takes `10ms`, `0.5s`, any other `std::chrono` duration, and plain numbers of seconds as Python does.
///
/// Python: the float (or int) that every `delay` and `timeout` is.
class Seconds : public std::chrono::duration<double> {
    using Base = std::chrono::duration<double>;

public:
    constexpr Seconds() noexcept : Base(0.0) {}
    template <class Number>
    requires std::is_arithmetic_v<Number>
    constexpr Seconds(Number seconds) noexcept : Base(static_cast<double>(seconds)) {}
    template <class Rep, class Period>
    constexpr Seconds(const std::chrono::duration<Rep, Period>& length) noexcept : Base(length) {}
};

/// A moment on an event loop's clock, in whole nanoseconds since an epoch that only that clock knows.
///
/// Python: the float that `loop.time()` returns.
class TimePoint {
public:
    constexpr TimePoint() noexcept = default;
    /// The moment so many nanoseconds after the clock's epoch.
    static constexpr TimePoint from_nanoseconds(std::int64_t nanoseconds) noexcept {
        TimePoint point;
        point.nanoseconds_ = nanoseconds;
        return point;
    }

    /// Nanoseconds since the clock's epoch.
    constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }
    /// The moment as Python shows it: seconds since the clock's epoch.
    constexpr double seconds() const noexcept { return static_cast<double>(nanoseconds_) * 1e-9; }

    friend constexpr auto operator<=>(TimePoint, TimePoint) noexcept = default;

    /// Saturates: an infinite or very long delay gives the last moment there is. NaN gives the same moment.
    friend constexpr TimePoint operator+(TimePoint point, Seconds delay) noexcept {
        double nanoseconds = delay.count() * 1e9;
        double sum = static_cast<double>(point.nanoseconds_) + nanoseconds;
        if (sum >= 9.2e18 || nanoseconds >= 9.2e18) return from_nanoseconds(INT64_MAX);
        if (sum <= -9.2e18 || nanoseconds <= -9.2e18) return from_nanoseconds(INT64_MIN);
        if (!(nanoseconds == nanoseconds)) return point;
        return from_nanoseconds(point.nanoseconds_ +
                                static_cast<std::int64_t>(nanoseconds + (nanoseconds < 0 ? -0.5 : 0.5)));
    }
    friend constexpr TimePoint operator-(TimePoint point, Seconds delay) noexcept {
        return point + Seconds(-delay.count());
    }
    friend constexpr Seconds operator-(TimePoint later, TimePoint earlier) noexcept {
        std::int64_t seconds_of_later = later.nanoseconds_ / second;
        std::int64_t seconds_of_earlier = earlier.nanoseconds_ / second;
        return Seconds((static_cast<double>(seconds_of_later) - static_cast<double>(seconds_of_earlier)) +
                       static_cast<double>(later.nanoseconds_ % second - earlier.nanoseconds_ % second) * 1e-9);
    }
    constexpr TimePoint& operator+=(Seconds delay) noexcept { return *this = *this + delay; }
    constexpr TimePoint& operator-=(Seconds delay) noexcept { return *this = *this - delay; }

private:
    static constexpr std::int64_t second = 1'000'000'000;
    std::int64_t nanoseconds_ = 0;
};

}  // namespace asyncio
