#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/loop/seconds.h>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// A sleep under way: the task's node is a timer.
class SleepWait : public Waiter {
public:
    explicit SleepWait(Seconds delay) noexcept : Waiter(WaitKind::sleep), delay_(delay) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        task_ = frame.promise().task();
        if (delay_.count() > 0) return sleep(*task_, frame);
        state_ = State::woken;
        task_->yield(frame);
    }
    [[gnu::always_inline]] void await_resume() { check(); }

protected:
    ~SleepWait() = default;

private:
    void sleep(TaskBase& task, std::coroutine_handle<> frame);
    static void is_due(ReadyNode& node);
    Seconds delay_;
};

class [[nodiscard]] SleepAwaiter final : public SleepWait {
public:
    using SleepWait::SleepWait;
};

template <class T>
class [[nodiscard]] SleepResultAwaiter final : public SleepWait {
public:
    SleepResultAwaiter(Seconds delay, T&& result) : SleepWait(delay), result_(std::move(result)) {}
    [[gnu::always_inline]] T await_resume() {
        check();
        return std::move(result_);
    }

private:
    T result_;
};

[[noreturn]] void throw_invalid_delay();
inline Seconds checked_delay(Seconds delay) {
    if (delay.count() != delay.count()) [[unlikely]]
        throw_invalid_delay();
    return delay;
}

/// What `sleep(delay)` returns.
class [[nodiscard("sleep() waits only where it is awaited")]] Sleep : public NativeAwaitable {
public:
    explicit Sleep(Seconds delay) : delay_(checked_delay(delay)) {}
    SleepAwaiter operator co_await() const noexcept { return SleepAwaiter(delay_); }

private:
    Seconds delay_;
};

/// What `sleep(delay, result)` returns.
template <class T>
class [[nodiscard("sleep() waits only where it is awaited")]] SleepFor : public NativeAwaitable {
public:
    SleepFor(Seconds delay, T result) : delay_(checked_delay(delay)), result_(std::move(result)) {}
    SleepResultAwaiter<T> operator co_await() { return SleepResultAwaiter<T>(delay_, std::move(result_)); }

private:
    Seconds delay_;
    T result_;
};

}  // namespace detail

/// Waits for `delay`. Zero or less lets every other ready task run once: one pass of the loop.
///
/// Throws CancelledError when the task is cancelled, ValueError for a NaN. Python: asyncio.sleep.
inline detail::Sleep sleep(Seconds delay) { return detail::Sleep(delay); }
/// The same, and gives `result` afterwards.
template <class T>
detail::SleepFor<std::decay_t<T>> sleep(Seconds delay, T&& result) {
    return detail::SleepFor<std::decay_t<T>>(delay, static_cast<T&&>(result));
}

}  // namespace asyncio
