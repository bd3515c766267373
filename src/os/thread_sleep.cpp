#include "detail/thread_sleep.h"

#include "os/thread_sanitizer.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace asyncio::detail {
namespace {

using std::chrono::nanoseconds;

#ifdef SYS_futex
constexpr long wake_call = SYS_futex;
#else
constexpr long wake_call = SYS_futex_time64;  // a 32-bit machine that is younger than it
#endif

/// By the call whose times have 64 bits, which Linux has since 5.1 where a `long` has 32. False: it is not there, or a
/// container's filter refuses it.
bool wait_with_long_times(const void* address, int value, std::optional<nanoseconds> limit) noexcept {
#ifdef SYS_futex_time64
    struct {
        std::int64_t seconds, nanoseconds;
    } time{};
    if (limit) time = {limit->count() / 1'000'000'000, limit->count() % 1'000'000'000};
    static std::atomic<bool> is_refused = false;
    if (is_refused.load(std::memory_order_relaxed)) return false;
    if (::syscall(SYS_futex_time64, address, FUTEX_WAIT_PRIVATE, value, limit ? &time : nullptr) == 0) return true;
    if (errno != ENOSYS && errno != EPERM) return true;
    is_refused.store(true, std::memory_order_relaxed);
#else
    static_cast<void>(address), static_cast<void>(value), static_cast<void>(limit);
#endif
    return false;
}

void wait_with_times(const void* address, int value, std::optional<nanoseconds> limit) noexcept {
#ifdef SYS_futex
    constexpr std::int64_t longest = 1'000'000'000;  // seconds; who waits looks again
    struct {
        long seconds, nanoseconds;
    } time{};
    if (limit) {
        time = {static_cast<long>(std::min<std::int64_t>(limit->count() / 1'000'000'000, longest)),
                static_cast<long>(limit->count() % 1'000'000'000)};
    }
    ::syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, value, limit ? &time : nullptr);
#else
    static_cast<void>(address), static_cast<void>(value), static_cast<void>(limit);
#endif
}

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
    constexpr int asleep = static_cast<int>(State::asleep);
    if (!wait_with_long_times(&state_, asleep, limit)) wait_with_times(&state_, asleep, limit);
}

void ThreadSleep::end() noexcept {
    auto* address = &state_;  // that the object is gone does not matter to FUTEX_WAKE
    if (state_.exchange(State::over) == State::asleep) ::syscall(wake_call, address, FUTEX_WAKE_PRIVATE, 1);
}

}  // namespace asyncio::detail
