#include "os/thread_sleep.h"

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

}  // namespace

bool ThreadSleep::wait(std::optional<nanoseconds> limit) noexcept {
    State state = State::awake;
    if (!state_.compare_exchange_strong(state, State::asleep)) return true;
    using Clock = std::chrono::steady_clock;
    Clock::time_point begin = limit ? Clock::now() : Clock::time_point();
    std::optional<nanoseconds> left = limit;
    while (state_.load(std::memory_order_acquire) != State::over) {
        if (left && left->count() <= 0) return false;
        sleep(left);
        if (limit) left = *limit - (Clock::now() - begin);
    }
    return true;
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
