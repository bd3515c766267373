#include "core/turn_clock.h"

#include "loop/loop_core.h"

#include <algorithm>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace asyncio::detail {

namespace {

/// Whether there is a counter that goes on at one pace, whatever the processor does.
bool has_steady_counter() noexcept {
#if defined(__x86_64__)
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & 1U << 8) != 0;
#else
    return false;
#endif
}

}  // namespace

std::int64_t TurnClock::nanoseconds() const noexcept { return loop_.read_clock().nanoseconds(); }

void TurnClock::choose_counter() noexcept {
    is_chosen_ = true;
    by_processor_ = loop_.has_system_clock() && has_steady_counter();
    if (!by_processor_) return;
    fewest_a_second_ = 1e8;  // no processor counts slower
    first_nanoseconds_ = nanoseconds();
    first_count_ = count();
}

void TurnClock::begin_pass() noexcept {
    if (!is_chosen_) [[unlikely]]
        choose_counter();
    at_ = count();
}

Seconds TurnClock::length() noexcept {
    if (!by_processor_) return TimePoint::from_nanoseconds(taken_) - TimePoint();
    std::int64_t since_first = nanoseconds() - first_nanoseconds_;
    std::int64_t counted = std::max<std::int64_t>(count() - first_count_, 1);
    double part = static_cast<double>(taken_) / static_cast<double>(counted);
    return Seconds(static_cast<double>(since_first) * 1e-9 * std::clamp(part, 0.0, 1.0));
}

}  // namespace asyncio::detail
