#pragma once

#include <string_view>

namespace asyncio {

/// How bad it is. Python: logging.DEBUG and its like.
enum class LogLevel { debug, info, warning, error };

/// Receives what the library has to say and no exception handler takes: by default, warnings and errors go to stderr.
/// Python: logging.Handler.
using LogHandler = void (*)(LogLevel level, std::string_view message);

/// Sets who receives the log, for all threads; null restores the default. Returns who did before.
/// Python: the logger named `asyncio`.
LogHandler set_log_handler(LogHandler handler) noexcept;

namespace detail {
void log(LogLevel level, std::string_view message) noexcept;
}

}  // namespace asyncio
