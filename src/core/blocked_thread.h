#pragma once

namespace asyncio::detail {

/// In a handler of a signal, whatever it has interrupted: writes which task this thread runs, and its coroutines.
void write_what_this_thread_runs() noexcept;

}  // namespace asyncio::detail
