#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/result.h>
#include <asyncio/tasks/run.h>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

template <class A>
concept FutureHandle = std::derived_from<std::remove_cvref_t<A>, AnyFuture>;

FutureBase& checked_future(const AnyFuture& handle);                      // throws for an empty handle
Ref<FutureBase> checked_future(LoopCore& loop, const AnyFuture& handle);  // and ValueError for another loop's

}  // namespace detail

/// Keyword arguments of `ensure_future()`.
struct EnsureFutureOptions {
    EventLoop* loop = nullptr;  ///< null: the loop that runs, or that of the future
};

namespace detail {

inline LoopCore& loop_for_task(const EnsureFutureOptions& options) {
    return options.loop != nullptr ? options.loop->core() : running_core();
}
/// The handle itself; throws ValueError if its loop is not the one asked for.
template <class Handle>
Handle same_future(Handle handle, const EnsureFutureOptions& options) {
    if (options.loop != nullptr) checked_future(options.loop->core(), handle);
    return handle;
}

}  // namespace detail

/// A coroutine becomes a task of the running loop, or of `loop`; a future or task is returned as it is.
///
/// Throws RuntimeError where there is no loop for a task, and ValueError for a future that is not one of `loop`.
/// Python: asyncio.ensure_future.
template <class T>
Task<T> ensure_future(Coro<T>&& coro, EnsureFutureOptions options = {}) {
    return detail::create_task_on(detail::loop_for_task(options), std::move(coro));
}
template <class T>
Future<T> ensure_future(Future<T> future, EnsureFutureOptions options = {}) {
    return detail::same_future(std::move(future), options);
}
template <class T>
Task<T> ensure_future(Task<T> task, EnsureFutureOptions options = {}) {
    return detail::same_future(std::move(task), options);
}
inline AnyFuture ensure_future(AnyFuture future, EnsureFutureOptions options = {}) {
    return detail::same_future(std::move(future), options);
}
inline AnyTask ensure_future(AnyTask task, EnsureFutureOptions options = {}) {
    return detail::same_future(std::move(task), options);
}
/// Any other awaitable becomes a task that awaits it.
template <Awaitable A>
requires(!Coroutine<A> && !detail::FutureHandle<A>) auto ensure_future(A&& awaitable,
                                                                       EnsureFutureOptions options = {}) {
    static_assert(std::is_constructible_v<std::decay_t<A>, A&&>,
                  "this awaitable can neither be copied nor moved into a task: await it in a coroutine and pass that");
    return detail::create_task_on(detail::loop_for_task(options),
                                  detail::as_coroutine<std::decay_t<A>>(static_cast<A&&>(awaitable)));
}

template <class F>
requires(!Awaitable<F> || Coroutine<F>) void ensure_future(F&&, EnsureFutureOptions = {}) {
    static_assert(detail::is_no_coroutine<F>() && detail::is_no_number<F>() && detail::never<F>,
                  "ensure_future() takes what a call gives: ensure_future(f()), not ensure_future(f)");
}

namespace detail {

/// What gather(), shield() and as_completed() make of one argument.
///
/// `Handle` is the future or task that it becomes; `Value` what that gives; `moves` says that the value may be moved
/// out, since the argument was no future or a future about to go.
template <class A>
struct Argument {
    static_assert(is_no_number<A>() && Awaitable<A>,
                  "each argument must be a coroutine, a future, a task or another awaitable object: f(), not f");
    using Handle = Task<std::decay_t<await_result_t<A>>>;
    using Value = std::decay_t<await_result_t<A>>;
    static constexpr bool moves = true;
};
template <class A>
requires Coroutine<A>
struct Argument<A> {
    static_assert(!std::is_lvalue_reference_v<A>,
                  "a coroutine can be run only once: give it away by std::move, or make it a task by create_task()");
    using Value = typename std::remove_cvref_t<A>::value_type;
    using Handle = Task<Value>;
    static constexpr bool moves = true;
};
template <class A>
requires(FutureHandle<A>&& requires { typename std::remove_cvref_t<A>::value_type; }) struct Argument<A> {
    using Value = typename std::remove_cvref_t<A>::value_type;
    using Handle = std::remove_cvref_t<A>;
    static constexpr bool moves = !std::is_lvalue_reference_v<A> || !std::is_copy_constructible_v<stored_t<Value>>;
};
template <class A>
requires(FutureHandle<A> && !requires { typename std::remove_cvref_t<A>::value_type; }) struct Argument<A> {
    using Value = void;
    using Handle = std::remove_cvref_t<A>;
    static constexpr bool moves = false;
};

/// The one type of several handles, or AnyFuture.
template <class First, class... Rest>
struct CommonHandle {
    using type = std::conditional_t<(std::is_same_v<First, Rest> && ...), First, AnyFuture>;
};

/// What stands in braces where they cannot be.
struct InBraces {
    template <Awaitable A>
    InBraces(A&&);
};

template <class R>
concept Range = !Awaitable<R> && requires(R & range) {
    std::begin(range);
    std::end(range);
};
template <class R>
concept SizedRange = Range<R> && requires(R& range) {
    std::size(range);
};

template <class R>
using reference_t = decltype(*std::begin(std::declval<R&>()));
/// The type of a range's items as they are to be passed on: moved out of a range that is given away, but for futures,
/// which are shared with others.
template <class R>
using item_t = std::conditional_t<!FutureHandle<reference_t<R>> && !std::is_lvalue_reference_v<R>,
                                  std::remove_reference_t<reference_t<R>>&&, reference_t<R>>;

/// Python: ensure_future(arg, loop=loop).
template <class A>
Ref<FutureBase> future_of(LoopCore& loop, A&& argument) {
    if constexpr (FutureHandle<A>) {
        return checked_future(loop, argument);
    } else if constexpr (Coroutine<A>) {
        return Ref<FutureBase>(create_task_on(loop, static_cast<A&&>(argument)).state_or_null());
    } else {
        static_assert(
            std::is_constructible_v<std::decay_t<A>, A&&>,
            "this awaitable can neither be copied nor moved into a task: await it in a coroutine and pass that");
        auto coroutine = as_coroutine<std::decay_t<A>>(static_cast<A&&>(argument));
        return Ref<FutureBase>(create_task_on(loop, std::move(coroutine)).state_or_null());
    }
}

LoopCore& running_loop_or_that_of(const AnyFuture& handle);
/// The loop that runs, or else the one of this future.
template <class A>
LoopCore& loop_for(const A& argument) {
    if constexpr (FutureHandle<A>) {
        return running_loop_or_that_of(argument);
    } else {
        return running_core();
    }
}

/// The value of a future that has one.
template <class Argument>
stored_t<typename Argument::Value> value_of(FutureBase& future) {
    using Value = typename Argument::Value;
    if constexpr (std::is_void_v<Value>) {
        return None();
    } else if constexpr (Argument::moves) {
        return slot_of<Value>(future).take();
    } else {
        return slot_of<Value>(future).get();
    }
}

/// Tells futures that it has seen from others, by identity.
class DistinctFutures {
public:
    /// False if it was there already.
    bool add(const FutureBase& future);

private:
    bool insert(const FutureBase* future) noexcept;
    std::vector<const FutureBase*> table_;  // open addressing; its size is a power of two
    std::size_t count_ = 0;
};

}  // namespace detail
}  // namespace asyncio
