// Members of an aggregate that has no constructor of its own: clang takes an explicit default constructor for an error.
#include <asyncio/core/event_loop.h>
#include <asyncio/loop/executor.h>
#include <asyncio/sync/barrier.h>
#include <asyncio/sync/condition.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/queue.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/runner.h>
#include <asyncio/tasks/task_group.h>

#include <gtest/gtest.h>

#include <type_traits>

namespace {

using namespace asyncio;

struct Office {
    Lock lock;
    Event event;
    Condition condition;
    Semaphore semaphore;
    BoundedSemaphore bounded;
    Queue<int> queue;
    PriorityQueue<int> priority_queue;
    LifoQueue<int> lifo_queue;
    TaskGroup group;
    EventLoop loop;
    Runner runner;
    ThreadPoolExecutor executor;
};

TEST(Members, OfAnAggregateAreMadeOfNothing) {
    Office office{};
    EXPECT_EQ(office.queue.maxsize(), 0);
    EXPECT_FALSE(office.semaphore.locked());
    static_assert(!std::is_convertible_v<int, Queue<int>> && !std::is_convertible_v<int, Semaphore>);
}

}  // namespace
