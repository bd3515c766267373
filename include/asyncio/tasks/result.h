#pragma once

#include <asyncio/detail/object.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

/// What stands in the place of a value where a coroutine returns nothing. Python: None.
struct None {
    friend constexpr bool operator==(None, None) noexcept { return true; }
};
inline std::string repr(None) { return "None"; }

namespace detail {

/// How a result of type T is kept among others: `None` for void, a copy for a reference.
template <class T>
using stored_t = std::conditional_t<std::is_void_v<T>, None, std::remove_cvref_t<T>>;

}  // namespace detail

/// How something ended: with a value, or with an exception. What `gather(return_exceptions, …)` gives for each of its
/// arguments; a cancelled one ended with a CancelledError.
///
/// ```cpp
/// auto results = co_await gather(return_exceptions, std::move(jobs));
/// for (const Result<int>& result : results) result ? use(*result) : report(result.exception());
/// ```
/// Python: the result or the exception object in the list that `gather(return_exceptions=True)` gives.
template <class T>
class Result {
public:
    using value_type = T;

    Result(T value) : value_(std::move(value)) {}
    /// One that ended with this exception.
    static Result failure(std::exception_ptr exception) noexcept {
        Result result;
        result.exception_ = std::move(exception);
        return result;
    }

    /// Whether there is a value, and not an exception.
    bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    /// The value; throws the exception if there is none.
    const T& value() const& {
        check();
        return *value_;
    }
    T& value() & {
        check();
        return *value_;
    }
    T&& value() && {
        check();
        return *std::move(value_);
    }
    /// The exception, or null if there is a value.
    const std::exception_ptr& exception() const noexcept { return exception_; }
    /// The value, which must be there.
    const T& operator*() const& noexcept { return *value_; }
    T& operator*() & noexcept { return *value_; }
    T&& operator*() && noexcept { return *std::move(value_); }
    const T* operator->() const noexcept { return detail::address_of(*value_); }
    T* operator->() noexcept { return detail::address_of(*value_); }
    /// The value, or `other` where there is an exception.
    template <class U>
    T value_or(U&& other) const& {
        return has_value() ? *value_ : static_cast<T>(static_cast<U&&>(other));
    }

private:
    Result() noexcept = default;
    void check() const {
        if (!value_) std::rethrow_exception(exception_);
    }
    std::optional<T> value_;
    std::exception_ptr exception_;
};

namespace detail {

template <class T>
struct Shown<Result<T>> {
    static std::string shortened(const Result<T>& result) {
        return result ? repr_of(*result) : asyncio::repr(result.exception());
    }
    static std::string whole(const Result<T>& result) {
        return result ? whole_repr_of(*result) : asyncio::repr(result.exception());
    }
};

}  // namespace detail

/// As Python prints what is inside: `42`, `ValueError('boom')`.
template <class T>
std::string repr(const Result<T>& result) {
    return detail::whole_repr_of(result);
}

}  // namespace asyncio
