#include "detail/threads.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace asyncio::detail {
namespace {

// The system's number of this thread; negative, of the main thread; 0: nobody has asked. One word, for a plugin has
// little memory for such.
thread_local int own_number = 0;

// Its lower half is the number of idle threads, its upper half that of changes.
std::atomic<std::uint64_t> idle_threads = 0;

// A forked child begins with the thread that forked, and no other. As early as in fork_aware.cpp.
[[maybe_unused]] const int number_follows_forks = ::pthread_atfork(nullptr, nullptr, [] {
    own_number = 0;
    idle_threads = 0;
});

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
    std::uint64_t before = idle_threads;
    struct stat threads;  // a directory of theirs: each is a link to it, and two are its own
    if (::stat("/proc/self/task", &threads) != 0) return false;
    std::uint64_t idle = before & UINT32_MAX;
    return threads.st_nlink == 3 + idle && idle_threads == before;
}

void count_idle_threads(int more) noexcept {
    constexpr std::int64_t change = std::int64_t{1} << 32;
    idle_threads += static_cast<std::uint64_t>(change + more);
}

bool in_main_thread() noexcept {
    thread_number();
    return own_number < 0;
}

}  // namespace asyncio::detail
