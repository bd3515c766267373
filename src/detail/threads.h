#pragma once

#include <sys/single_threaded.h>

namespace asyncio::detail {

/// Whether this thread is the only one, so that nobody can look on while it changes what is shared.
inline bool process_has_one_thread() noexcept { return __libc_single_threaded != 0; }

/// The same, also where others have ended meanwhile: asks the system then.
bool is_only_thread() noexcept;

/// Whether this is the thread that the process began with. Asks the system once in each thread.
bool in_main_thread() noexcept;

/// The number by which the system knows this thread. Asks it once in each thread.
int thread_number() noexcept;

}  // namespace asyncio::detail
