#include "detail/fork_aware.h"

#include "detail/threads.h"

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <new>

namespace asyncio::detail {
namespace {

/// Never destroyed: loops may outlive the end of main().
struct Registry {
    Registry() noexcept {
        ::pthread_atfork([] { registry().before(); }, [] { registry().in_parent(); }, [] { registry().in_child(); });
    }
    static Registry& registry() noexcept {
        alignas(Registry) static unsigned char memory[sizeof(Registry)];
        static auto* const only = new (memory) Registry;
        return *only;
    }

    void before() noexcept {
        mutex.lock();
        for (std::mutex& shared : shared_mutexes) shared.lock();  // under them an object may be locked
        for (ForkAware& object : objects) object.before_fork();
    }
    void in_parent() noexcept {
        for (ForkAware& object : objects) object.after_fork_in_parent();
        for (std::mutex& shared : shared_mutexes) shared.unlock();
        mutex.unlock();
    }
    void in_child() noexcept {
        generation.fetch_add(1, std::memory_order_relaxed);
        for (ForkAware& object : objects) object.after_fork_in_child();
        for (std::mutex& shared : shared_mutexes) shared.unlock();
        mutex.unlock();
    }

    std::atomic<unsigned> generation{0};
    std::mutex mutex;
    std::mutex shared_mutexes[16];
    IntrusiveList<ForkAware, ForkAware> objects;
};

// When the program or the module begins, not with the first loop: pthread_atfork() waits for a fork() of another
// thread, whose child would wait for ever for the object that was about to be made. And so handlers of the program's
// own, which are there before its first loop, find our locks free.
[[maybe_unused]] const Registry& made_early = Registry::registry();

}  // namespace

// A short program pays for its loop: while the process has one thread, the list needs no lock.

NoFork::NoFork() noexcept : locked_(!process_has_one_thread()) {
    if (locked_) Registry::registry().mutex.lock();
}
NoFork::~NoFork() {
    if (locked_) Registry::registry().mutex.unlock();
}

void ForkAware::begin_to_follow_forks() noexcept { begin_to_follow_forks(NoFork()); }
void ForkAware::end_to_follow_forks() noexcept { end_to_follow_forks(NoFork()); }
void ForkAware::begin_to_follow_forks(const NoFork&) noexcept { Registry::registry().objects.push_back(*this); }
void ForkAware::end_to_follow_forks(const NoFork&) noexcept { unlink(); }

unsigned fork_generation() noexcept { return Registry::registry().generation.load(std::memory_order_relaxed); }

std::mutex& fork_safe_mutex_of(const void* object) noexcept {
    std::uintptr_t block = reinterpret_cast<std::uintptr_t>(object) / 64;
    return Registry::registry().shared_mutexes[block % std::size(Registry::registry().shared_mutexes)];
}

}  // namespace asyncio::detail
