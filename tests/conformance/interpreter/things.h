#pragma once

#include "node.h"

#include <asyncio/sync/barrier.h>
#include <asyncio/sync/condition.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/queue.h>
#include <asyncio/sync/semaphore.h>

#include <memory>
#include <vector>

namespace conformance {

/// A lock or a queue of a program: one of these.
struct Thing {
    std::unique_ptr<asyncio::Lock> lock;
    std::unique_ptr<asyncio::Event> event;
    std::unique_ptr<asyncio::Condition> condition;
    std::unique_ptr<asyncio::Semaphore> semaphore;
    std::unique_ptr<asyncio::Barrier> barrier;
    std::unique_ptr<asyncio::Queue<int>> queue;
    std::unique_ptr<asyncio::PriorityQueue<int>> priority_queue;
    std::unique_ptr<asyncio::LifoQueue<int>> lifo_queue;
};

struct Things {
    explicit Things(const Node& objects);
    std::vector<Thing> all;
};

/// Calls the function with what of lock, condition and semaphore the thing is, and gives what it returns.
template <class Function>
auto on_lock(Thing& thing, const Function& function) {
    if (thing.lock) return function(*thing.lock);
    if (thing.condition) return function(*thing.condition);
    return function(*thing.semaphore);
}
/// The same for the three queues.
template <class Function>
auto on_queue(Thing& thing, const Function& function) {
    if (thing.queue) return function(*thing.queue);
    if (thing.priority_queue) return function(*thing.priority_queue);
    return function(*thing.lifo_queue);
}

}  // namespace conformance
