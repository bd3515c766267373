#pragma once

#include <asyncio/core/awaitable.h>
#include <asyncio/core/context_of.h>
#include <asyncio/core/coroutine.h>
#include <asyncio/core/future.h>
#include <asyncio/detail/double_destruction.h>
#include <asyncio/detail/kept_arguments.h>
#include <asyncio/detail/manager_traits.h>
#include <asyncio/detail/slot.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/tasks/catching.h>

#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {

/// What `with()` enters and leaves: it has `aenter()` and `aexit(std::exception_ptr)`, each plain or awaitable.
/// Python: an asynchronous context manager, with `__aenter__` and `__aexit__`.
template <class Manager>
concept AsyncContextManager = requires(std::remove_reference_t<Manager>& manager, std::exception_ptr error) {
    manager.aenter();
    manager.aexit(error);
};

namespace detail {

/// A manager of this library has `leave(error)`, which gives the error that is to leave the block, or null, where
/// aexit() has to throw it.
template <class Manager>
concept QuietManager = requires(std::remove_reference_t<Manager>& manager, std::exception_ptr error) {
    manager.leave(error);
};
/// Or it has that in steps, since its tasks have to be waited for: without a frame for it, which memory may lack for.
template <class Manager>
concept TaskOwner = requires(std::remove_reference_t<Manager>& manager, std::exception_ptr error) {
    manager.begin_leaving(error);
    manager.wait();
};

/// As what a manager is kept: a value, or a reference to one that has a name and is itself what is entered.
template <class Manager>
using KeptManager = std::conditional_t<is_handle<std::remove_cvref_t<Manager>>, std::remove_cvref_t<Manager>, Manager>;

template <class Kept>
inline constexpr bool can_be_kept = std::is_reference_v<Kept> || std::is_move_constructible_v<Kept>;

template <class T>
struct Awaited {
    using type = T;
};
template <Awaitable T>
struct Awaited<T> {
    using type = await_result_t<T>;
};
template <class T>
using awaited_t = typename Awaited<T>::type;

template <class Manager>
using Enter = decltype(std::declval<std::remove_reference_t<Manager>&>().aenter());

/// The value of aenter(), kept for the time of the body, or the manager itself where there is none.
template <class Manager>
class Entered {
    using Value = awaited_t<Enter<Manager>>;
    using Stored = std::conditional_t<std::is_lvalue_reference_v<Value>, std::remove_reference_t<Value>*,
                                      std::optional<std::remove_cvref_t<Value>>>;

public:
    explicit Entered(std::remove_reference_t<Manager>&) noexcept {}
    template <class V>
    void set(V&& value) {
        if constexpr (std::is_lvalue_reference_v<Value>) {
            stored_ = address_of(value);
        } else {
            stored_.emplace(static_cast<V&&>(value));
        }
    }
    auto& get() noexcept { return *stored_; }

private:
    Stored stored_ = {};
};
template <class Manager>
requires std::is_void_v<awaited_t<Enter<Manager>>>
class Entered<Manager> {
public:
    explicit Entered(std::remove_reference_t<Manager>& manager) noexcept : manager_(manager) {}
    std::remove_reference_t<Manager>& get() noexcept { return manager_; }

private:
    std::remove_reference_t<Manager>& manager_;
};

template <class Body, class Value>
decltype(auto) call_body(Body& body, Value& value) {
    if constexpr (std::is_invocable_v<Body&, Value&>) {
        return body(value);
    } else {
        static_assert(std::is_invocable_v<Body&>,
                      "the body of with() takes what aenter() gives, as a reference, or nothing");
        return body();
    }
}
template <class Manager, class Body>
using BodyReturn =
    decltype(call_body(std::declval<std::remove_reference_t<Body>&>(), std::declval<Entered<Manager>&>().get()));

/// A future that the body returns is the value of with(); every other awaitable is awaited.
template <class Return>
concept AwaitedByWith = Awaitable<Return> && !std::derived_from<std::remove_cvref_t<Return>, AnyFuture>;

template <class Return>
struct WithResult {
    using type = Return;
};
template <AwaitedByWith Return>
struct WithResult<Return> {
    using type = await_result_t<Return>;
};

/// Whether a result may refer to what gave it: a reference, a pointer, or a view such as std::string_view.
template <class Result>
inline constexpr bool may_refer = std::is_lvalue_reference_v<Result> || std::is_pointer_v<Result> ||
                                  std::ranges::enable_borrowed_range<std::remove_cv_t<Result>>;
/// The same of what holds such, as a std::optional or std::pair.
template <template <class...> class Holder, class... T>
inline constexpr bool may_refer<Holder<T...>> = std::ranges::enable_borrowed_range<Holder<T...>> ||
                                                is_reference_wrapper<Holder<T...>> || (may_refer<T> || ...);

/// Whether a copy is kept of what has a name: of what is called, and of a future, so that nobody has to outlive the
/// coroutine that uses it. Another awaitable object stays where it is, and so does one of a class that others may be
/// derived from: its copy might be less than it.
template <class Action, class Kept = std::decay_t<Action>>
inline constexpr bool copies_action =
    std::is_lvalue_reference_v<Action>&& std::is_convertible_v<Action, Kept>&& std::is_move_constructible_v<Kept> &&
    !(std::is_polymorphic_v<Kept> &&
      !std::is_final_v<Kept>)&&(!Awaitable<Action> || std::derived_from<std::remove_cvref_t<Action>, AnyFuture>);
/// As what it is kept: a value, or a reference to what can be neither copied nor moved from.
template <class Action>
using KeptAction = std::conditional_t<copies_action<Action>, std::decay_t<Action>, Action>;
/// The same of one whose result is used: what may refer to something in it must not come from a copy.
template <class Action, class Result>
using KeptBody = std::conditional_t<may_refer<Result>, Action, KeptAction<Action>>;
/// What that is made of.
template <class Action, class Kept = KeptAction<Action>>
using GivenAction = std::conditional_t<std::is_same_v<Kept, Action>, Action&&, Kept>;

[[noreturn]] inline void throw_no_value() {
    throw RuntimeError("with() has no value to return: aexit() swallowed the exception that ended the body");
}

/// The frame of one `async with`. `Manager` and `Body` are values, or references to what the caller keeps.
template <class Result, class Manager, class Body>
Coro<Result> with_statement(Manager manager, Body body) {
    using Return = BodyReturn<Manager, Body>;
    Entered<Manager> entered(manager);
    Slot<Result> value;
    std::exception_ptr error;

    if constexpr (Awaitable<Enter<Manager>> && std::is_void_v<awaited_t<Enter<Manager>>>) {
        co_await manager.aenter();
    } else if constexpr (Awaitable<Enter<Manager>>) {
        decltype(auto) result = co_await manager.aenter();
        entered.set(static_cast<decltype(result)&&>(result));
    } else if constexpr (std::is_void_v<Enter<Manager>>) {
        manager.aenter();
    } else {
        entered.set(manager.aenter());
    }

    if constexpr (Coroutine<Return>) {
        Coro<Result> coro;
        try {
            coro = call_body(body, entered.get());
        } catch (...) {
            error = std::current_exception();
        }
        if (!error) {
            error = co_await Catching<Result>(coro, value);
        }
    } else {
        try {
            if constexpr (AwaitedByWith<Return> && std::is_void_v<Result>) {
                co_await call_body(body, entered.get());
                value.emplace();
            } else if constexpr (AwaitedByWith<Return>) {
                decltype(auto) result = co_await call_body(body, entered.get());
                value.emplace(static_cast<decltype(result)&&>(result));
            } else if constexpr (std::is_void_v<Result>) {
                call_body(body, entered.get());
                value.emplace();
            } else {
                value.emplace(call_body(body, entered.get()));
            }
        } catch (...) {
            error = std::current_exception();
        }
    }

    if constexpr (TaskOwner<Manager>) {
        manager.begin_leaving(error);
        while (manager.has_tasks()) {
            co_await manager.wait();
        }
        error = manager.finish_leaving(error);
    } else if constexpr (QuietManager<Manager>) {
        error = manager.leave(error);
    } else {
        using Exit = decltype(manager.aexit(error));
        std::exception_ptr failure;
        std::uint64_t begun = error ? count_of_contexts() : 0;
        try {
            if constexpr (std::is_void_v<Exit>) {
                manager.aexit(error);
            } else if constexpr (!Awaitable<Exit>) {
                bool handled = manager.aexit(error);
                if (handled) error = nullptr;
            } else if constexpr (std::is_void_v<await_result_t<Exit>>) {
                co_await manager.aexit(error);
            } else {
                bool handled = co_await manager.aexit(error);
                if (handled) error = nullptr;
            }
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            if constexpr (!notes_contexts<std::remove_cvref_t<Manager>>) chain_context(failure, error, begun);
            error = std::move(failure);
        }
    }

    if (error) {
        co_await EndWith(error);
    }
    if constexpr (!std::is_void_v<Result>) {
        if (!value.has_value()) throw_no_value();
        co_return value.take();
    }
}

/// A temporary aggregate with a destructor, too, is destroyed twice by g++ 12 beside a co_await.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
template <class Manager>
inline constexpr bool manager_is_safe =
    std::is_lvalue_reference_v<Manager> || std::is_trivially_destructible_v<Manager> || !std::is_aggregate_v<Manager>;
#else
template <class Manager>
inline constexpr bool manager_is_safe = true;
#endif

}  // namespace detail

/// Runs `body` between `manager.aenter()` and `manager.aexit(error)`; gives the value that the body returns.
///
/// The body is a coroutine lambda, or a plain one when it has nothing to await. It gets a reference to what aenter()
/// gave, or to the manager where that is nothing, or takes no parameter. What it returns is the value of `with()`: a
/// `Coro` or another awaitable is awaited first, a `Future` or `Task` is handed on. All of it happens in the task that
/// awaits `with()`. aexit() gets the exception that ended the body, or null; what aexit() throws comes out instead,
/// with that as its `context_of()`, and if it returns true the exception is dropped. Then a body that should have given
/// a value leaves none: RuntimeError.
///
/// The coroutine that `with()` returns keeps the body: a copy of a named one, so that changes go to that
/// (`std::ref(body)` refers to it). What cannot be copied, gives a reference, pointer or view, or is of a class that is
/// made to be derived from, must outlive the coroutine. So must a manager that has a name, but for a `Server`, which is
/// a handle; a temporary is moved into it. The body's own locals die when it ends,
/// which is before aexit() begins: what tasks of a group share belongs above.
///
/// ```cpp
/// co_await asyncio::with(asyncio::timeout(10s), [&](asyncio::Timeout&) -> asyncio::Coro<> { co_await work(); });
/// ```
/// Python: `async with manager as value: body`.
template <class Manager, class Body>
requires AsyncContextManager<Manager>
auto with(Manager&& manager, Body&& body) {
    static_assert(
        detail::safe_beside_co_await<Body>,
        "g++ 12 would destroy this temporary lambda twice, since it captures by value something that has a "
        "destructor: capture by reference, [&], or give the lambda a name first and pass that name to with()");
    static_assert(
        detail::manager_is_safe<Manager>,
        "g++ 12 would destroy this temporary aggregate twice: give its class a constructor, or the object a name");
    using Kept = detail::KeptManager<Manager>;
    static_assert(detail::can_be_kept<Kept>, "a temporary manager is moved, and this one cannot be: give it a name");
    using KeptBody = detail::KeptBody<Body, typename detail::WithResult<detail::BodyReturn<Kept, Body>>::type>;
    using Return = detail::BodyReturn<Kept, KeptBody>;
    static_assert(!detail::is_for_what_it_awaits<std::remove_cvref_t<Manager>> ||
                      !std::derived_from<std::remove_cvref_t<Return>, AnyFuture>,
                  "a future that a body returns is handed on, so this block would be over at once, and its time-out "
                  "with it: let the body be a coroutine that awaits the future");
    using Result = detail::ValueOrReference<typename detail::WithResult<Return>::type>;
    return detail::with_statement<Result, Kept, KeptBody>(static_cast<Manager&&>(manager), static_cast<Body&&>(body));
}

}  // namespace asyncio
