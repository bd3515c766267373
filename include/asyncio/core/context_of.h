#pragma once

#include <cstdint>
#include <exception>

namespace asyncio {

/// The error that was being dealt with when this one was thrown; null when there was none.
///
/// C++ does not note that by itself, as Python does. What cleans up here does: `with`, `try_finally`, `try_except`,
/// `on_exit` and `AsyncExitStack`, when their clean-up or handler throws. Safe on any thread. Python:
/// `error.__context__`.
std::exception_ptr context_of(const std::exception_ptr& error) noexcept;

/// Notes for `context_of()` that `error` was thrown while `context` was being dealt with; null takes the note away. It
/// lives as long as `error` does. Nothing is noted where memory lacks, or of an error that would be its own context.
/// Python: `error.__context__ = context`.
void set_context(const std::exception_ptr& error, std::exception_ptr context) noexcept;

namespace detail {

/// How many contexts were noted by now.
std::uint64_t count_of_contexts() noexcept;

/// What `raise` does with the error under way: `context` goes to the end of the chain of contexts that `error` has,
/// unless it is in there. What was noted when there were `begun` contexts, before the error was thrown this time, is no
/// part of that chain.
void chain_context(const std::exception_ptr& error, const std::exception_ptr& context, std::uint64_t begun) noexcept;

}  // namespace detail
}  // namespace asyncio
