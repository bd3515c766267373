#pragma once

#include <sys/single_threaded.h>

namespace asyncio::detail {

/// Whether this thread is the only one, so that nobody can look on while it changes what is shared.
inline bool process_has_one_thread() noexcept { return __libc_single_threaded != 0; }

/// The same, also where others have ended meanwhile, or are idle: asks the system then.
bool is_only_thread() noexcept;
/// That many more, or fewer, of the library's own threads are idle: they do nothing before one that is not idle asks
/// them to. One is no longer so from when it is asked, before it notices.
void count_idle_threads(int more) noexcept;

/// Whether this is the thread that the process began with. Asks the system once in each thread.
bool in_main_thread() noexcept;

/// The number by which the system knows this thread. Asks it once in each thread.
int thread_number() noexcept;

}  // namespace asyncio::detail
