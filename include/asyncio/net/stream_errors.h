#pragma once

#include <asyncio/errors/os_errors.h>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace asyncio {

/// There was an end where more was wanted. Python: EOFError.
class EOFError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    EOFError() : std::runtime_error("") {}
};

/// The stream ended before all of what was asked for had come. Python: asyncio.IncompleteReadError.
class IncompleteReadError : public EOFError {
public:
    IncompleteReadError(std::string partial, std::optional<std::size_t> expected);
    /// What had come.
    const std::string& partial() const noexcept { return partial_; }
    /// How many bytes were asked for; nothing if it was a separator.
    const std::optional<std::size_t>& expected() const noexcept { return expected_; }

private:
    std::string partial_;
    std::optional<std::size_t> expected_;
};

/// The stream's limit was reached before the separator was found. What came is still in the stream.
/// Python: asyncio.LimitOverrunError.
class LimitOverrunError : public std::runtime_error {
public:
    LimitOverrunError(const std::string& message, std::size_t consumed)
        : std::runtime_error(message), consumed_(consumed) {}
    /// How many bytes can be read without the separator being among them.
    std::size_t consumed() const noexcept { return consumed_; }

private:
    std::size_t consumed_;
};

}  // namespace asyncio
