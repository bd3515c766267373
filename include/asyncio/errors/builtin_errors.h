#pragma once

#include <asyncio/errors/exceptions.h>

#include <cstddef>
#include <string>
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

/// What has to be true is not. Nothing here throws it: `assert` of C++ ends the program. Python: AssertionError.
class AssertionError : public std::logic_error, public detail::HasMessage {
public:
    using std::logic_error::logic_error;
    AssertionError() : std::logic_error(""), HasMessage{false} {}
};

/// There is nothing of this name, where only the running program can tell. Python: AttributeError.
class AttributeError : public std::logic_error, public detail::HasMessage {
public:
    using std::logic_error::logic_error;
    AttributeError() : std::logic_error(""), HasMessage{false} {}
};

/// Text cannot be made of bytes, or bytes of text. Python: UnicodeError.
class UnicodeError : public ValueError {
public:
    using ValueError::ValueError;
};

/// Bytes that are no text. Nothing here throws it: streams give bytes, and decode nothing.
///
/// ```cpp
/// std::string line = "ab\xff";
/// UnicodeDecodeError error("utf-8", line, 2, 3, "invalid start byte");
/// std::puts(error.what());   // 'utf-8' codec can't decode byte 0xff in position 2: invalid start byte
/// std::string good = error.object().substr(0, error.start());
/// bool is_known = error.encoding() == "utf-8" && error.end() == 3 && error.reason() == "invalid start byte";
/// ```
///
/// Python: UnicodeDecodeError.
class UnicodeDecodeError : public UnicodeError {
public:
    UnicodeDecodeError(std::string_view encoding, std::string_view object, std::size_t start, std::size_t end,
                       std::string_view reason);
    UnicodeDecodeError(const UnicodeDecodeError&) noexcept;
    UnicodeDecodeError& operator=(const UnicodeDecodeError&) noexcept;
    ~UnicodeDecodeError() override;

    /// What they were taken for, `"utf-8"`. Python: `encoding`.
    const std::string& encoding() const noexcept;
    /// The bytes, all of them. Python: `object`.
    const std::string& object() const noexcept;
    /// Where in them the first is that cannot be decoded. Python: `start`.
    std::size_t start() const noexcept { return start_; }
    /// Behind the last. Python: `end`.
    std::size_t end() const noexcept { return end_; }
    /// Why they cannot be decoded. Python: `reason`.
    const std::string& reason() const noexcept;

private:
    struct Texts;
    detail::Ref<Texts> texts_;  // so that a copy cannot throw
    std::size_t start_;
    std::size_t end_;
};

}  // namespace asyncio
