#pragma once

#include <asyncio/core/async_generator.h>
#include <asyncio/core/coroutine.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/tasks/with.h>

#include <exception>
#include <type_traits>
#include <utility>

namespace asyncio {

/// A manager that awaits `thing.aclose()` at the end of the block; the block gets the thing.
///
/// For an `AsyncGenerator` that may be left before its end, and for whatever else has an `aclose()`, plain or
/// awaitable. An rvalue is kept, an lvalue has to outlive the block. Python: contextlib.aclosing.
///
/// ```cpp
/// co_await asyncio::with(asyncio::aclosing(ticks(3)), [](auto& ticks) -> asyncio::Coro<> { … });
/// ```
template <class Thing>
class aclosing {
public:
    explicit aclosing(Thing&& thing) : thing_(static_cast<Thing&&>(thing)) {}
    std::remove_reference_t<Thing>& aenter() noexcept { return thing_; }
    auto aexit(const std::exception_ptr&) { return thing_.aclose(); }

private:
    Thing thing_;
};
template <class Thing>
aclosing(Thing&&) -> aclosing<Thing>;

/// A manager that does nothing, for where there is sometimes one and sometimes none. The block gets the value, if there
/// is one. Python: contextlib.nullcontext.
template <class Value = void>
class nullcontext {
public:
    explicit nullcontext(Value value) : value_(static_cast<Value&&>(value)) {}
    std::remove_reference_t<Value>& aenter() noexcept { return value_; }
    void aexit(const std::exception_ptr&) const noexcept {}

private:
    Value value_;
};
/// Of no value. Python: contextlib.nullcontext().
template <>
class nullcontext<void> {
public:
    nullcontext() noexcept {}
    void aenter() const noexcept {}
    void aexit(const std::exception_ptr&) const noexcept {}
};
/// What `nullcontext(value)` and `nullcontext()` are. Python: contextlib.nullcontext.
template <class Value>
nullcontext(Value) -> nullcontext<Value>;
nullcontext()->nullcontext<>;

namespace detail {

[[noreturn]] void throw_did_not_yield();
[[noreturn]] void throw_did_not_stop(bool after_athrow);

}  // namespace detail

/// Makes a manager of a generator that yields once: what stands before its `co_yield` enters, what stands behind it
/// leaves.
///
/// The block gets what is yielded. What ends the block is thrown at the `co_yield`: the generator throws it on, throws
/// another, or ends and so drops it. Used once. Throws RuntimeError where it yields never or more than once.
///
/// ```cpp
/// AsyncGenerator<Connection&> connected(std::string host) {
///     Connection connection = co_await connect(host);
///     std::exception_ptr error;
///     try {
///         co_yield connection;
///     } catch (...) {
///         error = std::current_exception();
///     }
///     co_await connection.close();
///     if (error) std::rethrow_exception(error);
/// }
/// co_await with(asynccontextmanager(connected("here")), [](Connection& connection) -> Coro<> { … });
/// ```
/// Python: contextlib.asynccontextmanager, there a decorator of the function.
template <class T>
class asynccontextmanager {
public:
    explicit asynccontextmanager(AsyncGenerator<T> generator) noexcept : generator_(std::move(generator)) {}
    Coro<std::remove_reference_t<T>&> aenter() {
        item_ = co_await generator_.next();
        if (!item_) detail::throw_did_not_yield();
        co_return *item_;
    }
    Coro<bool> aexit(std::exception_ptr error) {
        if (!error) {
            auto more = co_await generator_.next();
            if (more) detail::throw_did_not_stop(false);
            co_return false;
        }
        std::exception_ptr left;
        bool yields = false;
        try {
            auto more = co_await generator_.athrow(error);
            yields = static_cast<bool>(more);
        } catch (...) {
            left = std::current_exception();
        }
        if (left == error) co_return false;
        if (left) std::rethrow_exception(left);
        if (yields) {
            co_await generator_.aclose();
            detail::throw_did_not_stop(true);
        }
        co_return true;
    }

private:
    AsyncGenerator<T> generator_;
    typename AsyncGenerator<T>::Item item_{};
};

}  // namespace asyncio
