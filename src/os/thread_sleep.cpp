#include "detail/thread_sleep.h"

#include "os/thread_sanitizer.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace asyncio::detail {
namespace {

using std::chrono::nanoseconds;

#ifdef SYS_futex_time64
constexpr long futex_call = SYS_futex_time64;
#else
constexpr long futex_call = SYS_futex;
#endif

using Clock = std::chrono::steady_clock;
constexpr nanoseconds longest_watch = std::chrono::microseconds(8);

/// Whether a thread should watch for the end before it falls asleep. That pays if the other thread is quick, and runs
/// on another processor meanwhile; whether it is so is known by how it was before.
class Patience {
public:
    bool is_left() noexcept {
        if (score_ > 0) return true;
        if (--sleeps_until_trial_ > 0) return false;
        sleeps_until_trial_ = sleeps_between_trials;
        return true;
    }
    void learn(bool paid) noexcept { score_ = std::clamp(score_ + (paid ? 2 : -1), 0, 16); }

private:
    static constexpr int sleeps_between_trials = 1000;
    int score_ = 1;
    int sleeps_until_trial_ = sleeps_between_trials;
};
constinit thread_local Patience patience;

}  // namespace

bool ThreadSleep::wait(std::optional<nanoseconds> limit) noexcept {
    if (is_over()) return true;
    Clock::time_point begin = limit ? Clock::now() : Clock::time_point();
    if ((!limit || *limit > longest_watch) && patience.is_left()) {
        patience.learn(watch());
        if (is_over()) return true;
    }
    State state = State::awake;
    if (!state_.compare_exchange_strong(state, State::asleep)) return true;
    std::optional<nanoseconds> left;
    while (!is_over()) {
        if (limit) left = *limit - (Clock::now() - begin);
        if (left && left->count() <= 0) return false;
        sleep(left);
    }
    return true;
}

/// Whether it saw the end. Not if the thread had to make room for the other meanwhile.
bool ThreadSleep::watch() const noexcept {
    Clock::time_point end = Clock::now() + longest_watch;
    while (!is_over()) {
        if (Clock::now() >= end) return false;
    }
    return Clock::now() < end;
}

/// Or less, if a signal comes.
void ThreadSleep::sleep(std::optional<nanoseconds> limit) noexcept {
#ifdef ASYNCIO_THREAD_SANITIZER
    constexpr nanoseconds longest = std::chrono::milliseconds(10);
    limit = std::min(limit.value_or(longest), longest);
#endif
    struct {  // the kernel's own timespec, which has 64 bits everywhere
        std::int64_t seconds, nanoseconds;
    } time{};
    if (limit) time = {limit->count() / 1'000'000'000, limit->count() % 1'000'000'000};
    ::syscall(futex_call, &state_, FUTEX_WAIT_PRIVATE, State::asleep, limit ? &time : nullptr);
}

void ThreadSleep::end() noexcept {
    auto* address = &state_;  // that the object is gone does not matter to FUTEX_WAKE
    if (state_.exchange(State::over) == State::asleep) ::syscall(futex_call, address, FUTEX_WAKE_PRIVATE, 1);
}

}  // namespace asyncio::detail
