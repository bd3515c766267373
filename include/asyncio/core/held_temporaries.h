#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/detail/pool.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace asyncio::detail {

/// What a call of a coroutine function made of its arguments in order to convert them, a `std::string` of a literal
/// for one: the coroutine may refer to it. It is kept by a frame of its own, which stands in the middle of that call's
/// full expression.
class HeldTemporaries {
public:
    class promise_type {
    public:
        static void* operator new(std::size_t size) { return allocate(size); }
        static void operator delete(void* frame, std::size_t size) noexcept { deallocate(frame, size); }
        HeldTemporaries get_return_object() noexcept {
            return HeldTemporaries(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { error = std::current_exception(); }
        std::exception_ptr error;
    };

    HeldTemporaries() noexcept = default;
    HeldTemporaries(const HeldTemporaries&) = delete;
    HeldTemporaries& operator=(HeldTemporaries&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~HeldTemporaries() { drop(); }

    /// Makes the call. Throws what it throws.
    void call() {
        frame_.resume();
        if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
    }
    void drop() noexcept {
        if (frame_) std::exchange(frame_, nullptr).destroy();
    }

private:
    explicit HeldTemporaries(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

/// Takes what a call has returned, and stays where it is.
template <class Made>
class StayInCall {
public:
    StayInCall(Made& place, Made made) { place = std::move(made); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}
};

/// To be run by call(). What is referred to must outlive the result. The function is called here and not further down,
/// where what it refers to would be gone when that returns.
template <class T, class Function, class... Args>
HeldTemporaries call_and_stay(Coro<T>& coro, Function& function, Args&... args) {
    co_await StayInCall<Coro<T>>(coro, function(std::move(args)...));
}

}  // namespace asyncio::detail
