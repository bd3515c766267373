#pragma once

#include <asyncio/core/awaitable.h>
#include <asyncio/core/coroutine.h>
#include <asyncio/detail/slot.h>

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

// How a coroutine of the library passes an error from what it awaits to whoever awaits it without throwing it, since
// each frame that an exception crosses costs a microsecond.
namespace asyncio::detail {

template <class T>
class [[nodiscard]] [[gnu::warn_unused]] CatchingAwaiter : public NativeAwaitable {
public:
    CatchingAwaiter(Coro<T>& coro, Slot<T>& value) {
        std::coroutine_handle<Promise<T>> child = coro.release();
        if (!child) throw_coroutine_reused();
        link_.child = child;
        child.promise().set_slot(&value);
    }
    CatchingAwaiter(const CatchingAwaiter&) = delete;
    CatchingAwaiter& operator=(const CatchingAwaiter&) = delete;

    bool await_ready() const noexcept { return false; }
    template <class ParentPromise>
    bool await_suspend(std::coroutine_handle<ParentPromise> parent) noexcept {
        return link_.run_child(parent.promise().task(), parent);
    }
    std::exception_ptr await_resume() noexcept { return link_.end_child(); }

private:
    CoroLink link_;
};

/// Awaits a coroutine; gives the error it ended with, or null, instead of throwing it. Its value goes to `value`.
template <class T>
class [[nodiscard]] [[gnu::warn_unused]] Catching : public NativeAwaitable {
public:
    Catching(Coro<T>& coro, Slot<T>& value) noexcept : coro_(coro), value_(value) {}
    CatchingAwaiter<T> operator co_await() const { return CatchingAwaiter<T>(coro_, value_); }

private:
    Coro<T>& coro_;
    Slot<T>& value_;
};

/// Ends the coroutine that awaits it with an error. Nothing is thrown there, only in whoever awaits that coroutine, who
/// also destroys its frame.
class [[nodiscard]] [[gnu::warn_unused]] EndWith : public NativeAwaitable {
public:
    explicit EndWith(std::exception_ptr& error) noexcept : error_(error) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        PromiseBase& promise = frame.promise();
        promise.fail(std::move(error_));
        promise.task()->end_frame(promise);
    }
    void await_resume() const noexcept {}

private:
    std::exception_ptr& error_;
};

/// What a coroutine can return in the place of a T: the value of an rvalue reference.
template <class T>
using ValueOrReference = std::conditional_t<std::is_rvalue_reference_v<T>, std::remove_cvref_t<T>, T>;

}  // namespace asyncio::detail
