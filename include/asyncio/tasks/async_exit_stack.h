#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/manager_traits.h>
#include <asyncio/tasks/try_finally.h>
#include <asyncio/tasks/with.h>

#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// Something that a stack does when it is left.
class ExitAction {
public:
    ExitAction() noexcept = default;
    ExitAction(const ExitAction&) = delete;
    ExitAction& operator=(const ExitAction&) = delete;
    virtual ~ExitAction();
    /// Whether it drops the error, which may be null.
    virtual Coro<bool> leave(std::exception_ptr error) = 0;

    std::unique_ptr<ExitAction> below;  // who is left after it
};

/// A manager that was entered, or only its exit, or a function in its place.
template <class Exit>
class ManagerExit final : public ExitAction {
public:
    template <class E>
    explicit ManagerExit(E&& exit) : exit_(static_cast<E&&>(exit)) {}
    std::remove_reference_t<Exit>& get() noexcept { return exit_; }
    Coro<bool> leave(std::exception_ptr error) override {
        using Given = decltype(call(error));
        if constexpr (!Awaitable<Given> && std::is_void_v<Given>) {
            call(error);
            co_return false;
        } else if constexpr (!Awaitable<Given>) {
            co_return static_cast<bool>(call(error));
        } else if constexpr (std::is_void_v<awaited_t<Given>>) {
            co_await call(error);
            co_return false;
        } else {
            auto drops = co_await call(error);
            co_return static_cast<bool>(drops);
        }
    }

private:
    decltype(auto) call(const std::exception_ptr& error) {
        if constexpr (requires { exit_.aexit(error); }) {
            return exit_.aexit(error);
        } else {
            return exit_(error);
        }
    }

    Exit exit_;
};

/// A function and its arguments, which cannot drop an error.
template <class Function, class... Args>
class CallbackExit final : public ExitAction {
public:
    template <class F, class... A>
    explicit CallbackExit(F&& function, A&&... args)
        : function_(static_cast<F&&>(function)), args_(static_cast<A&&>(args)...) {}
    Coro<bool> leave(std::exception_ptr) override {
        if constexpr (Awaitable<decltype(call())>) {
            co_await call();
        } else {
            call();
        }
        co_return false;
    }

private:
    decltype(auto) call() {
        return std::apply([this](Args&... args) -> decltype(auto) { return invoke(function_, std::move(args)...); },
                          args_);
    }

    Function function_;
    std::tuple<Args...> args_;
};

}  // namespace detail

/// A block that collects what has to be done at its end while it runs: managers that are entered, functions to be
/// called.
///
/// At the end of `with(AsyncExitStack(), …)` they are done in the reverse order, each in its turn and whatever the
/// others throw. Each sees the error that has come so far, and may drop it, or throw another in its place, which has
/// the former as its `context_of()`: exactly as if they were `with()`s inside each other. A stack that is destroyed and
/// was not left does nothing.
///
/// ```cpp
/// co_await asyncio::with(asyncio::AsyncExitStack(), [&](asyncio::AsyncExitStack& stack) -> asyncio::Coro<> {
///     for (const std::string& host : hosts) {
///         Connection& connection = co_await stack.enter_async_context(Connection(host));
///         connections.push_back(&connection);
///     }
///     co_await talk(connections);
/// });
/// ```
/// What is kept is kept until its exit is over. Belongs to one task at a time. Python: contextlib.AsyncExitStack; plain
/// exits and managers are taken by the same functions.
class [[nodiscard]] AsyncExitStack {
public:
    AsyncExitStack() noexcept;
    AsyncExitStack(AsyncExitStack&& other) noexcept;
    AsyncExitStack& operator=(AsyncExitStack&& other) noexcept;
    ~AsyncExitStack();

    /// Enters the manager, and gives what its `aenter()` gives: a reference that is good until the stack is left, or to
    /// the manager where that is nothing. An rvalue is kept by the stack, and so is a copy of a `Server`; another
    /// lvalue has to outlive it, so it belongs above the block. If entering fails, the manager is not left. Python:
    /// `await stack.enter_async_context(cm)`, `stack.enter_context(cm)`.
    template <class Manager>
    auto enter_async_context(Manager&& manager) {
        static_assert(AsyncContextManager<Manager>,
                      "this object does not support the asynchronous context manager protocol: aenter() and "
                      "aexit(std::exception_ptr)");
        static_assert(detail::can_be_kept<detail::KeptManager<Manager>>,
                      "a temporary manager is moved, and this one cannot be: give it a name, above the block");
        auto entry = std::make_unique<Entry<detail::KeptManager<Manager>>>(static_cast<Manager&&>(manager));
        return enter(std::move(entry));
    }
    /// Has `exit(error)` called at the end, or `exit.aexit(error)` of a manager that was entered already; it gets null
    /// where there is no error. Plain or awaitable; if it gives true, the error is dropped. Python:
    /// `stack.push_async_exit(exit)`, `stack.push(exit)`.
    template <class Exit>
    void push_async_exit(Exit&& exit) {
        if constexpr (!requires { exit.aexit(std::exception_ptr()); }) {
            static_assert(std::is_invocable_v<Exit&, const std::exception_ptr&>,
                          "an exit is a manager, with aexit(std::exception_ptr), or takes a std::exception_ptr itself");
            keep(std::make_unique<detail::ManagerExit<std::decay_t<Exit>>>(static_cast<Exit&&>(exit)));
        } else {
            keep(std::make_unique<detail::ManagerExit<detail::KeptManager<Exit>>>(static_cast<Exit&&>(exit)));
        }
    }
    /// The same for a method of an object, which is given by a pointer, a `std::ref` or as a handle.
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method>
    void push_async_exit(Method method, Object&& object) {
        push_async_exit(detail::bound_method(method, static_cast<Object&&>(object)));
    }
    /// The same for one that does not wait.
    template <class Exit>
    void push(Exit&& exit) {
        push_async_exit(static_cast<Exit&&>(exit));
    }
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method>
    void push(Method method, Object&& object) { push_async_exit(method, static_cast<Object&&>(object)); }
    /// Has `function(args...)` called at the end, and awaited where that can be; copies of all are kept. It cannot drop
    /// an error. Python: `stack.push_async_callback(function, *args)`.
    template <class F, class... A>
    void push_async_callback(F&& function, A&&... args) {
        detail::check_can_keep<F, A...>();
        detail::check_is_no_copy<F, A...>();
        static_assert(
            requires { detail::invoke(std::declval<std::decay_t<F>&>(), std::declval<std::decay_t<A>>()...); },
            "the function cannot be called with these arguments, which are moved into it");
        keep(std::make_unique<detail::CallbackExit<std::decay_t<F>, std::decay_t<A>...>>(static_cast<F&&>(function),
                                                                                         static_cast<A&&>(args)...));
    }
    /// The same for one that does not wait. Python: `stack.callback(function, *args)`.
    template <class F, class... A>
    void callback(F&& function, A&&... args) {
        push_async_callback(static_cast<F&&>(function), static_cast<A&&>(args)...);
    }
    /// Hands all over to a new stack; this one has nothing more to do. Python: `stack.pop_all()`.
    AsyncExitStack pop_all() noexcept;
    /// Leaves here and now, as at the end of a block without an error. Cancelling is for the clean-up that waits; the
    /// others follow, with that error. Python: `await stack.aclose()`.
    Coro<> aclose();

    AsyncExitStack& aenter() noexcept { return *this; }
    Coro<bool> aexit(std::exception_ptr error);

private:
    /// A manager, with what its aenter() gave.
    template <class Manager>
    class Entry;
    template <class Manager>
    Coro<std::remove_reference_t<decltype(std::declval<Entry<Manager>&>().value())>&> enter(
        std::unique_ptr<Entry<Manager>> entry);
    void keep(std::unique_ptr<detail::ExitAction> action) noexcept;

    std::unique_ptr<detail::ExitAction> take_last() noexcept;

    std::unique_ptr<detail::ExitAction> last_;  // a list, so that what was entered is kept though memory lacks
};

template <class Manager>
class AsyncExitStack::Entry final : public detail::ExitAction {
public:
    template <class M>
    explicit Entry(M&& manager) : exit_(static_cast<M&&>(manager)), entered_(exit_.get()) {}
    auto& manager() noexcept { return exit_.get(); }
    auto& entered() noexcept { return entered_; }
    auto& value() noexcept { return entered_.get(); }
    Coro<bool> leave(std::exception_ptr error) override { return exit_.leave(std::move(error)); }

private:
    detail::ManagerExit<Manager> exit_;
    detail::Entered<Manager> entered_;
};

template <class Manager>
Coro<std::remove_reference_t<decltype(std::declval<AsyncExitStack::Entry<Manager>&>().value())>&> AsyncExitStack::enter(
    std::unique_ptr<Entry<Manager>> entry) {
    using Enter = detail::Enter<Manager>;
    auto& value = *entry;
    if constexpr (Awaitable<Enter> && std::is_void_v<detail::awaited_t<Enter>>) {
        co_await value.manager().aenter();
    } else if constexpr (Awaitable<Enter>) {
        decltype(auto) result = co_await value.manager().aenter();
        value.entered().set(static_cast<decltype(result)&&>(result));
    } else if constexpr (std::is_void_v<Enter>) {
        value.manager().aenter();
    } else {
        value.entered().set(value.manager().aenter());
    }
    keep(std::move(entry));
    co_return value.value();
}

namespace detail {

template <>
inline constexpr bool notes_contexts<AsyncExitStack> = true;

}  // namespace detail
}  // namespace asyncio
