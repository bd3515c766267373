#pragma once

#include "node.h"

#include <asyncio/errors/exceptions.h>

#include <exception>
#include <string>

/// A BaseException that the library does not know. In the global namespace, for its name in traces.
class AppBase final : public asyncio::BaseException {
public:
    explicit AppBase(std::string message) : message_(std::move(message)) {}
    const char* what() const noexcept override { return message_.c_str(); }

private:
    std::string message_;
};

namespace conformance {

/// The error that a program names: `["V", "message"]`, `["G", "message", [children]]` …
std::exception_ptr make_error(const Node& spec);

/// The error as it stands in traces: Python's repr without what differs between two runs.
std::string describe(const std::exception_ptr& error);
/// The last line of a traceback.
std::string log_line(const std::exception_ptr& error);
/// A message without the reprs of objects, which have addresses and lines of source.
std::string shown_message(std::string message);
/// The repr of an object without what differs between two runs.
std::string shown_repr(std::string repr);

/// Whether `except` with this pattern takes the error.
bool matches(const std::exception_ptr& error, std::string_view pattern);

std::string text(bool value);
std::string text(int value);
std::string text(const char* value);
std::string text(const std::string& value);

/// Deeper in lists only `[...]`: a gather() of gather()s, each given twice, doubles with each level.
inline constexpr int deepest_text = 6;

/// `[1, 2]`
template <class Values>
std::string text_of_list(const Values& values) {
    std::string all;
    for (const auto& value : values) all += (all.empty() ? "" : ", ") + text(value);
    return "[" + all + "]";
}

}  // namespace conformance
