#include "loop/timers.h"

namespace asyncio::detail {

Timers::Timers(const ClockOption& clock) {
    if (clock.custom() != nullptr) {
        clock_ = clock.custom();
        may_jump_ = true;
    } else if (clock.is_virtual()) {
        simulated_ = std::make_unique<SimulatedClock>(clock.start());
        clock_ = simulated_.get();
        may_jump_ = true;
    }
}

TimePoint Timers::now() noexcept {
    TimePoint now = clock_->now();
    if (now > last_) last_ = now;
    return now;
}

}  // namespace asyncio::detail
