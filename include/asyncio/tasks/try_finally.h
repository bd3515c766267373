#pragma once

#include <asyncio/core/context_of.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/with.h>

#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// What is given as an action, called: a function with these arguments, or an awaitable, which is awaited where it is.
template <class Action, class... Args>
decltype(auto) act(Action& action, Args&... args) {
    if constexpr (std::is_invocable_v<Action&, Args&...>) {
        return action(args...);
    } else {
        static_assert(is_no_number<Action>() && Awaitable<Action>,
                      "an awaitable or a function without parameters is wanted here");
        return static_cast<Action&&>(action);
    }
}
template <class Action, class... Args>
using Acted = decltype(act(std::declval<std::remove_reference_t<Action>&>(), std::declval<Args&>()...));

template <class... Actions>
constexpr void check_safe_beside_co_await() noexcept {
    static_assert((safe_beside_co_await<Actions> && ...),
                  "g++ 12 would destroy this temporary lambda twice, since it captures by value something that has a "
                  "destructor: capture by reference, [&], or give the lambda a name first and pass that name");
}

/// Calls a clean-up that does not wait. What it throws has the context `error`.
template <class Action>
void clean_up_at_once(Action& action, const std::exception_ptr& error) {
    std::uint64_t begun = error ? count_of_contexts() : 0;
    try {
        static_cast<void>(act(action));
    } catch (...) {
        chain_context(std::current_exception(), error, begun);
        throw;
    }
}
/// The same for one that is awaited.
template <class Action>
Coro<> clean_up(Action& action, std::exception_ptr error) {
    std::exception_ptr failure;
    std::uint64_t begun = error ? count_of_contexts() : 0;
    try {
        if constexpr (std::derived_from<Action, AnyFuture>) {
            co_await action;  // as one that has a name, and its value still
        } else {
            co_await act(action);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        chain_context(failure, error, begun);
        co_await EndWith(failure);
    }
}

/// Awaits a future; of one that has a name the value is copied, since it has it still.
template <bool has_name, class F>
Coro<await_result_t<F>> await_future(F& future) {
    if constexpr (has_name) {
        static_assert(std::is_convertible_v<await_result_t<F&>, await_result_t<F>>,
                      "the value of a future that has a name is copied, and this one cannot be: give the future by "
                      "std::move");
        co_return co_await future;
    } else {
        co_return co_await std::move(future);
    }
}

/// A body as with() wants it: a function. A future that is itself the body is awaited, one that it returns is not.
template <class Body, bool has_name>
class BodyOf {
public:
    explicit BodyOf(Body&& body) : body_(static_cast<Body&&>(body)) {}
    decltype(auto) operator()() {
        if constexpr (std::derived_from<std::remove_cvref_t<Body>, AnyFuture>) {
            return await_future<has_name>(body_);
        } else {
            return act(body_);
        }
    }

private:
    Body body_;
};
/// It is made in a function that awaits nothing.
template <class Body, bool has_name>
inline constexpr bool safe_beside_co_await<BodyOf<Body, has_name>> = true;

template <class Body, class Kept = KeptBody<Body, typename WithResult<Acted<Body>>::type>>
struct ABody {
    using type = BodyOf<Kept, std::is_lvalue_reference_v<Body>>;
    static type of(std::remove_reference_t<Body>& body) { return type(static_cast<GivenAction<Body, Kept>>(body)); }
};

}  // namespace detail

/// What `on_exit()` gives: a manager for `with()`.
template <class Cleanup>
class OnExit {
public:
    explicit OnExit(Cleanup&& cleanup) : cleanup_(static_cast<Cleanup&&>(cleanup)) {}
    void aenter() const noexcept {}
    auto aexit(const std::exception_ptr& error) {
        if constexpr (std::derived_from<Cleanup, AnyFuture>) {
            return detail::clean_up(cleanup_, error);
        } else if constexpr (Awaitable<detail::Acted<Cleanup>>) {
            return detail::clean_up(cleanup_, error);
        } else {
            return detail::clean_up_at_once(cleanup_, error);
        }
    }

private:
    Cleanup cleanup_;
};

/// A manager that does nothing but clean up: `with(on_exit(f), body)` runs the body, and then awaits what `f()` gives,
/// however the body ended.
///
/// `cleanup` is a function without parameters, plain or a coroutine, or an awaitable: `on_exit(writer.wait_closed())`.
/// It is kept, and a function or future that has a name is copied; what cannot be copied has to outlive it. For the
/// rest see `try_finally()`.
template <class Cleanup>
OnExit<detail::KeptAction<Cleanup>> on_exit(Cleanup&& cleanup) {
    detail::check_safe_beside_co_await<Cleanup>();
    return OnExit<detail::KeptAction<Cleanup>>(static_cast<detail::GivenAction<Cleanup>>(cleanup));
}

/// Runs `body`, then `cleanup`, however the body ended; gives the value of the body. Where C++ has no `co_await`.
///
/// Each is a function without parameters, a coroutine or a plain one, or an awaitable. A future that a body returns is
/// handed on, as by `with()`; one that is the body is awaited, and its value is copied if it has a name. What the body
/// throws comes out after the clean-up. What the clean-up throws comes out in its place, and has it as its
/// `context_of()`. So it is with a cancellation: one of the body runs the clean-up, which is not cancelled by it; one
/// that comes during the clean-up is thrown there, and ends it if it is not caught. Both are moved into the coroutine
/// that this returns; a function or future that has a name is copied, by the rule of `with()`, and only what cannot be,
/// or is another awaitable, has to outlive it.
///
/// ```cpp
/// co_await asyncio::try_finally(talk(stream), [&] { return stream.hang_up(); });
/// ```
/// Python: `try: … finally: …`.
template <class Body, class Cleanup>
auto try_finally(Body&& body, Cleanup&& cleanup) {
    detail::check_safe_beside_co_await<Body, Cleanup>();
    return with(OnExit<detail::KeptAction<Cleanup>>(static_cast<detail::GivenAction<Cleanup>>(cleanup)),
                detail::ABody<Body>::of(body));
}

namespace detail {

/// What a handler gets: the error by its type where that is one, and as an exception_ptr, or less of it.
template <class Handler, class Error>
decltype(auto) handle(Handler& handler, const std::exception_ptr& error, const Error& object) {
    if constexpr (std::is_invocable_v<Handler&, const Error&, const std::exception_ptr&>) {
        return handler(object, error);
    } else if constexpr (std::is_invocable_v<Handler&, const Error&>) {
        return handler(object);
    } else if constexpr (std::is_invocable_v<Handler&, const std::exception_ptr&>) {
        return handler(error);
    } else {
        static_assert(
            std::is_invocable_v<Handler&>,
            "the handler of try_except<Error>() takes a `const Error&`, a `const std::exception_ptr&` or both, "
            "or nothing");
        return handler();
    }
}
struct AnyOfThese {};  // the object of a handler for several classes

template <class... Error>
struct Caught {
    using type = AnyOfThese;
    static const type& in(const std::exception_ptr&) noexcept {
        static constexpr AnyOfThese none;
        return none;
    }
};
template <class Error>
requires(!std::is_same_v<Error, BaseException>) struct Caught<Error> {
    using type = Error;
    static const type& in(const std::exception_ptr& error) noexcept { return *exception_cast<Error>(error); }
};

template <class Handler, class... Error>
using Handled =
    decltype(handle(std::declval<std::remove_reference_t<Handler>&>(), std::declval<const std::exception_ptr&>(),
                    std::declval<const typename Caught<Error...>::type&>()));

template <class Result, class Body, class Handler, class... Error>
Coro<Result> try_except_statement(Body body, Handler handler) {
    using Object = Caught<Error...>;
    using Given = Handled<Handler, Error...>;
    // A future of the handler, too, unless the body gives one to be handed on.
    constexpr bool is_awaited =
        AwaitedByWith<Given> || (Awaitable<Given> && !std::derived_from<std::remove_cvref_t<Result>, AnyFuture>);
    Slot<Result> value;
    std::exception_ptr error;
    try {
        if constexpr (!AwaitedByWith<Acted<Body>> && std::is_void_v<Result>) {
            act(body);
        } else if constexpr (!AwaitedByWith<Acted<Body>>) {
            value.emplace(act(body));
        } else if constexpr (std::is_void_v<Result>) {
            co_await act(body);
        } else {
            decltype(auto) result = co_await act(body);
            value.emplace(static_cast<decltype(result)&&>(result));
        }
    } catch (...) {
        error = std::current_exception();
    }
    if (error && !IsOneOf<Error...>()(error)) co_await EndWith(error);
    if (error) {
        std::exception_ptr failure;
        std::uint64_t begun = count_of_contexts();
        try {
            if constexpr (!is_awaited && std::is_void_v<Result>) {
                handle(handler, error, Object::in(error));
            } else if constexpr (!is_awaited) {
                value.emplace(handle(handler, error, Object::in(error)));
            } else if constexpr (std::is_void_v<Result>) {
                co_await handle(handler, error, Object::in(error));
            } else {
                decltype(auto) result = co_await handle(handler, error, Object::in(error));
                value.emplace(static_cast<decltype(result)&&>(result));
            }
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            chain_context(failure, error, begun);
            co_await EndWith(failure);
        }
    }
    if constexpr (!std::is_void_v<Result>) co_return value.take();
}

}  // namespace detail

/// Runs `body`; if that throws one of these classes, awaits what `handler` gives for it, and that is the value.
///
/// The body is a function or an awaitable, as for `try_finally()`. The handler is a coroutine or a plain function of a
/// `const Error&`, if it is for one class, a `const std::exception_ptr&`, both or nothing; the error lives until it has
/// ended. It returns what the body returns, or what that is awaited from, a future too. It throws the error on by
/// `std::rethrow_exception()`, since `throw;` is for a `catch` block only. What it throws has the error as its
/// `context_of()`. `BaseException` takes everything, as in Python; `std::exception` is `except Exception`, which lets a
/// cancellation pass.
///
/// ```cpp
/// std::string page = co_await asyncio::try_except<OSError>(fetch(url), [&](const OSError&) { return fetch(mirror); });
/// ```
/// Python: `try: … except (Error, …) as e: …` with an `await` in the handler.
template <class... Error, class Body, class Handler>
requires(sizeof...(Error) > 0) auto try_except(Body&& body, Handler&& handler) {
    detail::check_safe_beside_co_await<Body, Handler>();
    using GivenBody = detail::ABody<Body>;
    using Result = detail::ValueOrReference<typename detail::WithResult<detail::Acted<typename GivenBody::type>>::type>;
    using KeptHandler =
        detail::KeptBody<Handler, typename detail::WithResult<detail::Handled<Handler, Error...>>::type>;
    return detail::try_except_statement<Result, typename GivenBody::type, KeptHandler, Error...>(
        GivenBody::of(body), static_cast<Handler&&>(handler));
}

}  // namespace asyncio
