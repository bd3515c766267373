#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace asyncio::detail {

/// The sleep of one thread, which another ends. Costs each a system call at most; a condition variable has its sleeper
/// lock a mutex again, and that costs both another.
class ThreadSleep {
public:
    ThreadSleep() noexcept = default;
    ThreadSleep(const ThreadSleep&) = delete;
    ThreadSleep& operator=(const ThreadSleep&) = delete;

    /// Sleeps until it is ended, or has been before. False: the limit came first. For some microseconds it may stay
    /// awake and watch instead, if that was enough the last times.
    bool wait(std::optional<std::chrono::nanoseconds> limit = std::nullopt) noexcept;
    /// The sleeper sees all that came before. It may go on, and destroy this object, before `end()` returns.
    void end() noexcept;

private:
    enum class State : std::uint32_t { awake, asleep, over };
    static_assert(std::atomic<State>::is_always_lock_free, "the kernel reads it");

    bool is_over() const noexcept { return state_.load(std::memory_order_acquire) == State::over; }
    void sleep(std::optional<std::chrono::nanoseconds> limit) noexcept;
    std::atomic<State> state_ = State::awake;
};

}  // namespace asyncio::detail
