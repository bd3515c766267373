#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/future.h>
#include <asyncio/core/task.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/slot.h>
#include <asyncio/tasks/catching.h>
#include <asyncio/tasks/timeout.h>

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// Cancels a future and waits until it is done. Cancelled itself, it waits no longer; the future was asked once.
class [[nodiscard]] [[gnu::warn_unused]] CancelAndWaitAwaiter final : public Waiter {
public:
    CancelAndWaitAwaiter(FutureBase& future, std::source_location where) noexcept
        : Waiter(WaitKind::future, &future_), future_(&future), where_(where) {}
    void tell(WaitStory& story) const override;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        cancel_and_wait(*frame.promise().task(), frame);
    }
    void await_resume() { check(); }

private:
    void cancel_and_wait(TaskBase& task, std::coroutine_handle<> frame);
    static void future_is_done(ReadyNode& node);
    Ref<FutureBase> future_;
    std::source_location where_;
};

class [[nodiscard]] [[gnu::warn_unused]] CancelAndWait : public NativeAwaitable {
public:
    CancelAndWait(FutureBase& future, std::source_location where) noexcept : future_(future), where_(where) {}
    CancelAndWaitAwaiter operator co_await() const noexcept { return CancelAndWaitAwaiter(future_, where_); }

private:
    FutureBase& future_;
    std::source_location where_;
};

/// What wait_for() throws for a future that it has cancelled: TimeoutError if that is how it ended; null for a value.
std::exception_ptr error_after_cancel(FutureBase& future);

template <class A>
inline constexpr bool is_future_handle = std::derived_from<std::remove_cvref_t<A>, AnyFuture>;

/// What wait_for() gives. A copy of the value of a future or task that others have too: whoever holds the result, a
/// task say, need not hold that one.
template <class A>
struct WaitForResult {
    // A reference may be to a part of the awaitable, of which wait_for() has its own.
    using Given = await_result_t<A>;
    static constexpr bool copies = std::is_lvalue_reference_v<Given> && !Coroutine<A> &&
                                   std::is_copy_constructible_v<std::remove_cvref_t<A>> &&
                                   std::is_copy_constructible_v<std::remove_cvref_t<Given>>;
    using type = std::conditional_t<copies, std::remove_cvref_t<Given>, ValueOrReference<Given>>;
};
template <class A>
requires(is_future_handle<A>&& requires { typename std::remove_cvref_t<A>::value_type; }) struct WaitForResult<A> {
    using type = typename std::remove_cvref_t<A>::value_type;
    static_assert(!std::is_lvalue_reference_v<A> || !std::is_object_v<type> || std::is_copy_constructible_v<type>,
                  "the result of this future cannot be copied: give the future away, wait_for(std::move(future), ...), "
                  "or wait for it by wait()");
};

/// How wait_for() keeps its argument: by value, since a task that does the waiting may outlive it; an lvalue that
/// cannot be copied by reference.
template <class A>
using KeptAwaitable = std::conditional_t<is_future_handle<A> || std::is_copy_constructible_v<std::remove_cvref_t<A>>,
                                         std::remove_cvref_t<A>, A>;

/// The argument as it is awaited. `A` as for a forwarding reference, so a handle is moved from only if it was an
/// rvalue.
template <class A>
A&& as_given(KeptAwaitable<A>& kept) noexcept {
    return static_cast<A&&>(kept);
}

template <class Result, class A>
Coro<Result> just_await(A awaitable) {
    co_return co_await static_cast<A&&>(awaitable);
}

/// A future, task or awaitable as what wait_for() cancels at once.
template <class Result, class A>
auto future_to_cancel(KeptAwaitable<A>& awaitable) {
    if constexpr (is_future_handle<A>) {
        return std::remove_cvref_t<A>(as_given<A>(awaitable));
    } else if constexpr (Coroutine<A>) {
        return create_task(std::move(awaitable));
    } else {
        return create_task(just_await<Result, A>(static_cast<A&&>(awaitable)));
    }
}

template <class Result, class A>
Coro<Result> wait_for_no_time(KeptAwaitable<A> awaitable, std::source_location where) {
    auto future = future_to_cancel<Result, A>(awaitable);
    FutureBase* state = future.state_or_null();
    if (state == nullptr) throw_empty_handle();
    if (!state->done()) {
        co_await CancelAndWait(*state, where);
        std::exception_ptr error = error_after_cancel(*state);
        if (error) {
            co_await EndWith(error);
        }
    }
    using Taken =
        std::conditional_t<is_future_handle<A> && std::is_lvalue_reference_v<A>, decltype(future)&, decltype(future)>;
    co_return co_await static_cast<Taken&&>(future);
}

template <class Result, class A>
Coro<Result> wait_for_in_time(KeptAwaitable<A> awaitable, std::optional<Seconds> delay, std::source_location where) {
    Timeout limit = timeout(delay, where);
    limit.aenter();
    Slot<Result> value;
    std::exception_ptr error;
    if constexpr (Coroutine<A>) {
        error = co_await Catching<Result>(awaitable, value);
    } else {
        try {
            if constexpr (std::is_void_v<Result>) {
                co_await as_given<A>(awaitable);
                value.emplace();
            } else {
                decltype(auto) result = co_await as_given<A>(awaitable);
                value.emplace(static_cast<decltype(result)&&>(result));
            }
        } catch (...) {
            error = std::current_exception();
        }
    }
    error = limit.leave(error);
    if (error) {
        co_await EndWith(error);
    }
    if constexpr (!std::is_void_v<Result>) {
        co_return value.take();
    }
}

}  // namespace detail

/// Awaits something, but no longer than `timeout` from the moment when this is awaited itself: then it is cancelled,
/// and TimeoutError thrown once it has ended. `std::nullopt` waits for ever.
///
/// Gives what awaiting it gives. A coroutine runs in the task that awaits wait_for(), without one of its own. A task or
/// future is cancelled with it, by the timeout and by a cancellation of wait_for(); `shield()` prevents that. What
/// takes the cancellation for itself and returns a value has that value returned, and what throws something else throws
/// that. With a timeout of zero or less, only what is done already gives its value; a coroutine never begins.
///
/// The value of an lvalue task or future is copied, that of one given by `std::move` is moved out. Any other lvalue is
/// copied; one that cannot be must outlive the call. Python: asyncio.wait_for.
template <Awaitable A>
auto wait_for(A&& awaitable, std::optional<Seconds> timeout,
              std::source_location where = std::source_location::current()) {
    using Result = typename detail::WaitForResult<A>::type;
    static_assert(!(Coroutine<A> && std::is_lvalue_reference_v<A>),
                  "a coroutine can be awaited only once: give it to wait_for() with std::move");
    if (timeout && timeout->count() <= 0) {
        return detail::wait_for_no_time<Result, A>(static_cast<A&&>(awaitable), where);
    }
    return detail::wait_for_in_time<Result, A>(static_cast<A&&>(awaitable), timeout, where);
}
template <class F>
requires(!Awaitable<F>) Coro<> wait_for(F&&, std::optional<Seconds>) {
    static_assert(detail::is_no_number<F>() && detail::never<F>,
                  "wait_for() takes a coroutine, a future, a task or another awaitable object: wait_for(f(), 1s), not "
                  "wait_for(f, 1s)");
    return Coro<>();
}

}  // namespace asyncio
