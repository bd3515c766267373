#pragma once

#include <algorithm>
#include <chrono>

namespace asyncio::detail {

/// Whether a thread should watch for what another one does before it falls asleep. That pays if the other is quick, and
/// runs on another processor meanwhile; whether it is so is known by how it was before.
class Patience {
public:
    using Clock = std::chrono::steady_clock;

    /// Watches for so long whether it is there, if that was enough the last times; now and then if it was not.
    template <class IsThere>
    void watch(std::chrono::nanoseconds longest, IsThere is_there) noexcept {
        if (is_left()) learn(see(longest, is_there));
    }

private:
    static constexpr int sleeps_between_trials = 1000;

    bool is_left() noexcept {
        if (score_ > 0) return true;
        if (--sleeps_until_trial_ > 0) return false;
        sleeps_until_trial_ = sleeps_between_trials;
        return true;
    }
    void learn(bool paid) noexcept { score_ = std::clamp(score_ + (paid ? 2 : -1), 0, 16); }
    /// Not if the thread had to make room for the other meanwhile.
    template <class IsThere>
    static bool see(std::chrono::nanoseconds longest, IsThere is_there) noexcept {
        Clock::time_point begin = Clock::now();  // not the end: a length of time may be for ever
        while (!is_there()) {
            if (Clock::now() - begin >= longest) return false;
        }
        return Clock::now() - begin < longest;
    }

    int score_ = 1;
    int sleeps_until_trial_ = sleeps_between_trials;
};

}  // namespace asyncio::detail
