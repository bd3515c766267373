#include "loop/timers.h"

namespace asyncio::detail {

void Timers::take(const ClockOption& clock) {
    if (clock.is_virtual()) simulated_ = std::make_unique<SimulatedClock>(clock.start());
    clock_ = simulated_ ? simulated_.get() : clock.custom();
    may_jump_ = true;
}

TimePoint Timers::now() noexcept {
    TimePoint now = clock_->now();
    if (now > last_) last_ = now;
    return now;
}

}  // namespace asyncio::detail
