#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {

/// Adds lines to what `format_exception()` and the logs tell of an error, below its message; `repr()`, `str()` and
/// `what()` stay as they are.
///
/// For what a handler knows and the error does not, before it is thrown on. A note belongs to the exception that was
/// thrown: `throw;`, a `std::exception_ptr` and a task keep it, and so does a part of a group; but `throw
/// ValueError(error)` throws another one. Safe on any thread. Throws ValueError for a null pointer; where memory lacks,
/// nothing is noted.
///
/// ```cpp
/// try {
///     parse(text);
/// } catch (const std::exception&) {
///     add_note("while reading " + name);
///     throw;
/// }
/// ```
/// Python: error.add_note(note).
void add_note(const std::exception_ptr& error, std::string_view note);
/// The same for the exception that is being handled: call it in a catch block. Throws RuntimeError outside of one.
void add_note(std::string_view note);

/// What was noted, in that order. Safe on any thread. Python: `error.__notes__`, which is an empty list here where
/// there is none.
std::vector<std::string> notes_of(const std::exception_ptr& error);

}  // namespace asyncio
