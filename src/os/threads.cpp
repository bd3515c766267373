#include "detail/threads.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

namespace asyncio::detail {
namespace {

// The system's number of this thread; negative, of the main thread; 0: nobody has asked. One word, for a plugin has
// little memory for such.
thread_local int own_number = 0;

// A forked child begins with the thread that forked. As early as in fork_aware.cpp.
[[maybe_unused]] const int number_follows_forks = ::pthread_atfork(nullptr, nullptr, [] { own_number = 0; });

}  // namespace

int thread_number() noexcept {
    if (own_number == 0) {
        int number = ::gettid();
        own_number = number == ::getpid() ? -number : number;
    }
    return own_number < 0 ? -own_number : own_number;
}

bool is_only_thread() noexcept {
    if (process_has_one_thread()) return true;
    struct stat threads;  // a directory of theirs: each is a link to it, and two are its own
    return ::stat("/proc/self/task", &threads) == 0 && threads.st_nlink == 3;
}

bool in_main_thread() noexcept {
    thread_number();
    return own_number < 0;
}

}  // namespace asyncio::detail
