#pragma once

#include <cstdio>
#include <exception>
#include <string>

namespace asyncio {

/// The exception with the awaits that it crossed, the most recent last, as Python prints it: through all tasks, each
/// named behind its first line; each exception of a group with its own; and first, what it was thrown from
/// (`std::throw_with_nested`, the cause of a `TimeoutError`), or what it was thrown in the handling of
/// (`context_of()`); below an error, its notes (`add_note()`). Ends with a line's end.
///
/// C++ tells no throw's line: the last one is the latest await of the coroutine that threw. A CancelledError has lines
/// in debug mode only, and a note with who cancelled. Without lines it is one line, `ValueError: boom`; null is
/// `NoneType: None`. From any thread. Python: "".join(traceback.format_exception(error)).
std::string format_exception(const std::exception_ptr& error);

/// Prints that. Python: traceback.print_exception(error, file=file).
void print_exception(const std::exception_ptr& error, std::FILE* file = stderr);

}  // namespace asyncio
