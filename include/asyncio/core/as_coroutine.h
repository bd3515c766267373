#pragma once

#include <asyncio/core/coroutine.h>

#include <type_traits>

namespace asyncio {

class AnyFuture;

namespace detail {

/// What a task can be made of besides a Coro: an awaitable that is no future, which Python would refuse as well.
template <class A>
concept TaskAwaitable = Awaitable<A> && !Coroutine<A> && !std::is_base_of_v<AnyFuture, std::remove_cvref_t<A>>;

/// Makes a coroutine of any awaitable, where one is needed: `A` by value for an rvalue, a reference for an lvalue.
template <class A>
Coro<std::remove_cvref_t<await_result_t<A>>> as_coroutine(A awaitable) {
    if constexpr (std::is_void_v<await_result_t<A>>) {
        co_await static_cast<A&&>(awaitable);
    } else {
        co_return co_await static_cast<A&&>(awaitable);
    }
}

}  // namespace detail
}  // namespace asyncio
