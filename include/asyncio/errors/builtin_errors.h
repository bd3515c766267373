#pragma once

#include <asyncio/errors/exceptions.h>

#include <string_view>

namespace asyncio {

/// No element has this number. Python: IndexError.
class IndexError : public LookupError {
public:
    using LookupError::LookupError;
};

/// Nothing is there under this key. `what()` is the key in quotes, as Python's `str()` is. Python: KeyError.
class KeyError : public LookupError {
public:
    KeyError() noexcept(false) = default;
    explicit KeyError(std::string_view key);
};

/// Something cannot be calculated. Python: ArithmeticError.
class ArithmeticError : public std::runtime_error, public detail::HasMessage {
public:
    using std::runtime_error::runtime_error;
    ArithmeticError() : std::runtime_error(""), HasMessage{false} {}
};

/// Python: ZeroDivisionError.
class ZeroDivisionError : public ArithmeticError {
public:
    using ArithmeticError::ArithmeticError;
};

/// The result has no place in its type. Python: OverflowError.
class OverflowError : public ArithmeticError {
public:
    using ArithmeticError::ArithmeticError;
};

}  // namespace asyncio
