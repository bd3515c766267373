#pragma once

// ASYNCIO_THREAD_SANITIZER: ThreadSanitizer holds a signal back until the thread makes a call that it knows. To sleep
// in a system call that it does not know would be to sleep through the signal.
#if defined(__SANITIZE_THREAD__)
#define ASYNCIO_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASYNCIO_THREAD_SANITIZER 1
#endif
#endif
