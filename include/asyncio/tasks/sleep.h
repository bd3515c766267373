#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/loop/seconds.h>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// The wait of a sleep that takes time: the task's node is a timer.
class SleepWait final : public Waiter {
public:
    SleepWait() noexcept : Waiter(WaitKind::sleep) {}
    void tell(WaitStory& story) const override;
    void start(Seconds delay, TaskBase& task, std::coroutine_handle<> frame);
    /// No time: the task goes on in the next pass, and waits for nothing.
    void yield(TaskBase& task, std::coroutine_handle<> frame) noexcept {
        task_ = &task;
        state_ = State::woken;
        task.yield(frame);
    }
    [[gnu::always_inline]] void end() {  // see Waiter::check()
        if (is_cancelled() || task_->cancel_is_due()) [[unlikely]]
            throw CancelledError(take_cancel_request());
    }

private:
    static void is_due(ReadyNode& node);
};

/// A sleep under way. (No NativeAwaitable: as a base of both it would keep the wait from beginning where this begins.)
class [[nodiscard]] [[gnu::warn_unused]] SleepAwaiter {
public:
    explicit SleepAwaiter(Seconds delay) noexcept : delay_(delay) {}
    SleepAwaiter(const SleepAwaiter&) = delete;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        TaskBase& task = *frame.promise().task();
        Seconds delay = delay_;
        auto* wait = ::new (static_cast<void*>(&wait_)) SleepWait;
        if (delay.count() > 0) return wait->start(delay, task, frame);
        wait->yield(task, frame);
    }
    [[gnu::always_inline]] void await_resume() { wait_.end(); }

private:
    static_assert(std::is_trivially_destructible_v<SleepWait>);
    union {  // a million that sleep are a million of these
        Seconds delay_;
        SleepWait wait_;
    };
};

template <class T>
class [[nodiscard]] [[gnu::warn_unused]] SleepResultAwaiter final : public SleepAwaiter {
public:
    SleepResultAwaiter(Seconds delay, T&& result) : SleepAwaiter(delay), result_(std::move(result)) {}
    [[gnu::always_inline]] T await_resume() {
        SleepAwaiter::await_resume();
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
/// A number of seconds. A closer match than POSIX's `sleep(unsigned)`, which blocks, where both are visible.
template <class Number>
requires std::is_arithmetic_v<Number> detail::Sleep sleep(Number delay) { return detail::Sleep(Seconds(delay)); }

}  // namespace asyncio
