#pragma once

#include <asyncio/loop/seconds.h>

#include <cstdint>

namespace asyncio::detail {

/// How many callbacks run between two looks at the clock and the file descriptors while there are callbacks to run.
/// As many as fit in some microseconds, so that slow callbacks do not keep timers and I/O waiting.
class PollBudget {
public:
    bool is_spent() const noexcept { return left_ <= 0; }
    void spend(int callbacks) noexcept { left_ -= callbacks; }
    void renew(TimePoint now) noexcept;
    void renew_each_pass() noexcept { every_pass_ = true; }
    void forget_idle_time(TimePoint now) noexcept { last_ = now; }

private:
    static constexpr int most = 64;
    static constexpr std::int64_t nanoseconds_between_polls = 50'000;
    int size_ = 1;
    int left_ = 0;
    bool every_pass_ = false;
    TimePoint last_ = {};
};

}  // namespace asyncio::detail
