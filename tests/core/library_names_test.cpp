// How a stack calls the coroutines of the library itself.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/queue.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/wait.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

TEST(StackNames, OfCoroutinesOfTheLibraryAreWhatWasCalled) {
    run_test([]() -> Coro<> {
        auto name_of = [](const auto& task) { return task.get_stack().front().function; };
        Event event;
        Lock lock;
        Queue<int> queue;
        co_await lock.acquire();
        EXPECT_EQ(name_of(create_task(sleep(0))), "asyncio::sleep");
        EXPECT_EQ(name_of(create_task(sleep(0, 1))), "asyncio::sleep");
        Task<bool> waits = create_task(event.wait());
        EXPECT_EQ(name_of(waits), "asyncio::Event::wait");
        Task<bool> acquires = create_task(lock.acquire());
        EXPECT_EQ(name_of(acquires), "asyncio::Lock::acquire");
        Task<int> gets = create_task(queue.get());
        EXPECT_EQ(name_of(gets), "asyncio::Queue::get");
        auto left = get_running_loop().create_future();
        EXPECT_EQ(name_of(create_task(wait(left, {.timeout = 0}))), "asyncio::wait");
        EXPECT_EQ(name_of(create_task(wait_for(sleep(0), 1))), "asyncio::wait_for");
        EXPECT_EQ(name_of(create_task(with(timeout(1), [] {}))), "asyncio::with");
        for (const AnyTask& task : {AnyTask(waits), AnyTask(acquires), AnyTask(gets)}) task.cancel();
        co_await sleep(0);
    });
}

}  // namespace
