#include "os/fork_aware.h"

#include <pthread.h>

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
        for (ForkAware& object : objects) object.before_fork();
    }
    void in_parent() noexcept {
        for (ForkAware& object : objects) object.after_fork_in_parent();
        mutex.unlock();
    }
    void in_child() noexcept {
        for (ForkAware& object : objects) object.after_fork_in_child();
        mutex.unlock();
    }

    std::mutex mutex;
    IntrusiveList<ForkAware, ForkAware> objects;
};

}  // namespace

void ForkAware::begin_to_follow_forks() noexcept {
    Registry& registry = Registry::registry();
    std::lock_guard lock(registry.mutex);
    registry.objects.push_back(*this);
}

void ForkAware::end_to_follow_forks() noexcept {
    std::lock_guard lock(Registry::registry().mutex);
    unlink();
}

}  // namespace asyncio::detail
