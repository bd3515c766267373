#include "detail/thread_sleep.h"

#include "detail/patience.h"
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

constexpr nanoseconds longest_watch = std::chrono::microseconds(8);
constinit thread_local Patience patience;

}  // namespace

bool ThreadSleep::wait(std::optional<nanoseconds> limit) noexcept {
    if (is_over()) return true;
    using Clock = Patience::Clock;
    Clock::time_point begin = limit ? Clock::now() : Clock::time_point();
    if (!limit || *limit > longest_watch) patience.watch(longest_watch, [this] { return is_over(); });
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
