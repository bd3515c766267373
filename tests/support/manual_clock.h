#pragma once

#include <asyncio/loop/clock.h>

namespace support {

/// A clock that moves when a test says so, as it does for a callback that keeps the loop busy, and when the loop has
/// nothing to do but wait for a timer. It counts those waits, so it shows a timer that was left behind.
class ManualClock final : public asyncio::Clock {
public:
    asyncio::TimePoint now() noexcept override { return now_; }
    bool jump_to(asyncio::TimePoint next_timer) noexcept override {
        now_ = next_timer;
        ++jumps_;
        return true;
    }
    void spend(asyncio::Seconds time) noexcept { now_ += time; }
    int jumps() const noexcept { return jumps_; }

private:
    asyncio::TimePoint now_;
    int jumps_ = 0;
};

}  // namespace support
