#pragma once

#include <asyncio/asyncio.h>
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
    std::vector<Thing> all;
};

}  // namespace conformance
