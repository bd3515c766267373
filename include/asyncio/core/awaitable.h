#pragma once

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

namespace bases {

/// The base of all that this library itself knows how to wait for, cancel and show.
class NativeAwaitable {};

}  // namespace bases
using bases::NativeAwaitable;

template <class A>
concept HasMemberCoAwait = requires(A&& a) {
    static_cast<A&&>(a).operator co_await();
};
class TaskBase;
/// An awaitable that has to know which task awaits it.
template <class A>
concept AsksForTask = requires(A&& a, TaskBase& task) {
    static_cast<A&&>(a).awaiter_for(task);
};
template <class A>
concept HasFreeCoAwait = requires(A&& a) {
    operator co_await(static_cast<A&&>(a));
};

template <class A>
decltype(auto) get_awaiter(A&& a) {
    if constexpr (HasMemberCoAwait<A>) {
        return static_cast<A&&>(a).operator co_await();
    } else if constexpr (HasFreeCoAwait<A>) {
        return operator co_await(static_cast<A&&>(a));
    } else {
        return static_cast<A&&>(a);
    }
}

template <class A>
using awaiter_t = decltype(get_awaiter(std::declval<A>()));

template <class A>
concept Awaiter = requires(std::remove_reference_t<A>& a) {
    { a.await_ready() } -> std::convertible_to<bool>;
    a.await_resume();
};

template <class A>
concept Native = std::derived_from<std::remove_cvref_t<A>, NativeAwaitable> ||
    std::derived_from<std::remove_cvref_t<awaiter_t<A>>, NativeAwaitable>;

template <class T>
inline constexpr bool is_coroutine = false;

/// False, but only where the template that says it is used: for static_assert's messages.
template <class...>
inline constexpr bool never = false;

/// Says where it comes from if a number stands for something to wait for.
template <class A>
constexpr bool is_no_number() {
    static_assert(!std::is_arithmetic_v<std::remove_cvref_t<A>>,
                  "a number cannot be awaited: if this is POSIX's sleep(), which blocks, write asyncio::sleep(10s)");
    return true;
}
template <class A>
void refuse_to_await() {
    static_assert(is_no_number<A>() && never<A>, "co_await needs a Coro, a Future, a Task or another awaitable object");
}

}  // namespace detail

/// What can stand behind `co_await` in a `Coro`: a Coro, a Future, a Task, what `sleep()` and its like return, and
/// every foreign awaitable that follows the C++20 protocol.
template <class A>
concept Awaitable = detail::Awaiter<detail::awaiter_t<A>>;

/// What `co_await` on an `A` gives.
template <Awaitable A>
using await_result_t = decltype(std::declval<std::remove_reference_t<detail::awaiter_t<A>>&>().await_resume());

/// A `Coro<T>` of any T.
template <class C>
concept Coroutine = detail::is_coroutine<std::remove_cvref_t<C>>;

/// Whether `x` is what an `async def` function returned: a `Coro`. Python: asyncio.iscoroutine.
template <class X>
constexpr bool iscoroutine(const X&) noexcept {
    return Coroutine<X>;
}

namespace detail {

template <class F, class... Args>
concept GivesCoroutine = requires {
    requires Coroutine<std::invoke_result_t<F, Args...>>;
};
/// For what is called, and what it gives dropped.
template <class F, class... Args>
constexpr void check_gives_no_coroutine() noexcept {
    static_assert(!GivesCoroutine<F, Args...>,
                  "a callback that returns a coroutine would never run: give the coroutine to create_task()");
}

}  // namespace detail
}  // namespace asyncio
