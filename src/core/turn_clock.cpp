#include "core/turn_clock.h"

#include "loop/clocks.h"
#include "loop/loop_core.h"

#include <algorithm>

namespace asyncio::detail {

std::int64_t TurnClock::nanoseconds() const noexcept { return loop_.read_clock().nanoseconds(); }

void TurnClock::choose_counter() noexcept {
    is_chosen_ = true;
    by_processor_ = loop_.has_system_clock() && has_processor_counter();
    if (!by_processor_) return;
    fewest_a_second_ = slowest_counter;
    begin_to_count();
}

void TurnClock::begin_to_count() noexcept {
    first_nanoseconds_ = nanoseconds_since_boot();  // as the counter, also while the machine is suspended
    first_count_ = count();
}

void TurnClock::begin_pass() noexcept {
    if (!is_chosen_) [[unlikely]]
        choose_counter();
    pass_began_after_ = loop_.last_time().nanoseconds();
    at_ = count();
}

Seconds TurnClock::length() noexcept {
    if (!by_processor_) return TimePoint::from_nanoseconds(taken_) - TimePoint();
    auto since_first = static_cast<double>(nanoseconds_since_boot() - first_nanoseconds_) * 1e-9;
    auto counted = static_cast<double>(count() - first_count_);
    auto taken = static_cast<double>(taken_);
    bool has_jumped =
        counted <= 0 || taken > counted || counted < since_first * slowest_counter;  // to another machine, perhaps
    if (has_jumped) {
        begin_to_count();
        at_ = first_count_;
        return Seconds(0);
    }
    // The counter may have stood still for a while, or gone on through one that the loop's clock does not know: no turn
    // is longer than that clock says.
    double most = static_cast<double>(nanoseconds() - pass_began_after_) * 1e-9;
    return Seconds(std::min(since_first * taken / counted, most));
}

}  // namespace asyncio::detail
