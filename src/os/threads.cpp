#include "detail/threads.h"

#include <pthread.h>
#include <unistd.h>

namespace asyncio::detail {
namespace {

enum class Place : unsigned char { unknown, main_thread, elsewhere };

thread_local Place place = Place::unknown;
thread_local int own_number = 0;

// A forked child begins with the thread that forked. As early as in fork_aware.cpp.
[[maybe_unused]] const int place_follows_forks = ::pthread_atfork(nullptr, nullptr, [] {
    place = Place::unknown;
    own_number = 0;
});

}  // namespace

bool in_main_thread() noexcept {
    if (place == Place::unknown) {
        place = ::getpid() == thread_number() ? Place::main_thread : Place::elsewhere;
    }
    return place == Place::main_thread;
}

int thread_number() noexcept {
    if (own_number == 0) own_number = ::gettid();
    return own_number;
}

}  // namespace asyncio::detail
