// Those who were woken for an item, or for room, that somebody else took. The traces were recorded from
// CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/queue_support.h"

#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

// A is woken for an item that is taken, B for the next. A, cancelled, hands on what is B's, and C finds nothing.
TEST(QueueFaster, AGetterHandsOnWhatIsAnothersAndNobodyIsWokenForNothing) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        std::vector<Task<>> tasks;
        for (const char* name : {"A", "B", "C"}) tasks.push_back(create_task(get_as(name, queue, trace)));
        co_await passes(1);
        queue.put_nowait(1);
        int taken = queue.get_nowait();
        trace("main", taken, shown(queue));
        queue.put_nowait(2);
        tasks[0].cancel();
        for (int i = 0; i < 3; ++i) {
            co_await passes(1);
            trace("pass", i, shown(queue));
        }
        queue.put_nowait(3);
        co_await wait(tasks);
    });
    EXPECT_EQ(text,
              "1:main 1 maxsize=0 _getters[2] tasks=1, "
              "2:A CancelledError() maxsize=0 _queue=[2] tasks=2, 2:B 2 maxsize=0 tasks=2, "
              "2:pass 0 maxsize=0 tasks=2, 3:pass 1 maxsize=0 _getters[1] tasks=2, "
              "4:pass 2 maxsize=0 _getters[1] tasks=2, 5:C 3 maxsize=0 tasks=3");
}

TEST(QueueFaster, APutterHandsOnRoomThatIsAnothersAndNobodyIsWokenForNothing) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(0);
        std::vector<Task<>> tasks;
        for (const char* name : {"A", "B", "C"}) tasks.push_back(create_task(put_as(name, queue, trace)));
        co_await passes(1);
        queue.get_nowait();
        queue.put_nowait(1);
        queue.get_nowait();
        tasks[0].cancel();
        for (int i = 0; i < 3; ++i) {
            co_await passes(1);
            trace("pass", i, shown(queue));
        }
        while (!tasks[2].done()) {
            queue.get_nowait();
            co_await passes(2);
        }
    });
    EXPECT_EQ(text,
              "2:A CancelledError() maxsize=1 tasks=2, 2:B put maxsize=1 _queue=[66] tasks=3, "
              "2:pass 0 maxsize=1 _queue=[66] tasks=3, "
              "3:pass 1 maxsize=1 _queue=[66] _putters[1] tasks=3, "
              "4:pass 2 maxsize=1 _queue=[66] _putters[1] tasks=3, "
              "5:C put maxsize=1 _queue=[67] tasks=4");
}

// The last that took an item after it had looked once more took one for which the next had been woken.
TEST(QueueFaster, WhoeverLooksOnceMoreIsFasterThanThoseBehind) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        std::vector<Task<>> tasks;
        for (const char* name : {"A", "B"}) tasks.push_back(create_task(get_as(name, queue, trace)));
        co_await passes(1);
        queue.put_nowait(1);
        int taken = queue.get_nowait();
        trace("main", taken, shown(queue));
        queue.put_nowait(2);
        co_await passes(2);
        trace("main", shown(queue));
        queue.put_nowait(3);
        co_await wait(tasks);
    });
    EXPECT_EQ(text,
              "1:main 1 maxsize=0 _getters[1] tasks=1, 2:A 2 maxsize=0 tasks=2, "
              "3:main maxsize=0 _getters[1] tasks=2, 4:B 3 maxsize=0 tasks=3");
}

// In Python the queue lives on. Here whoever was woken waits on, for nothing, as those do who were not woken.
TEST(QueueFaster, AQueueThatDiesLeavesThoseItHadWokenWaiting) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto queue = std::make_unique<Queue<int>>();
        std::vector<Task<>> tasks;
        auto get = [&](std::string name) -> Coro<> {
            std::string end = co_await outcome_of(queue->get());
            trace(name, end);
        };
        for (const char* name : {"A", "B", "C"}) tasks.push_back(create_task(get(name)));
        co_await passes(1);
        queue->put_nowait(1);
        queue->put_nowait(2);
        tasks[1].cancel();
        queue.reset();
        co_await passes(3);
        trace("main");
        for (auto& task : tasks) task.cancel();
        co_await wait(tasks);
    });
    EXPECT_EQ(text, "2:B CancelledError(), 4:main, 5:A CancelledError(), 5:C CancelledError()");
}

// A quadratic one takes fifty times as long.
TEST(QueueFaster, CostsTheSameForEachOfManyWhoWereWoken) {
    constexpr int many = 40'000;
    std::clock_t begin = std::clock();
    auto many_wait = [](Queue<int>& queue, std::vector<Task<>>& tasks, auto wait) -> Coro<> {
        for (int i = 0; i < many; ++i) tasks.push_back(create_task(wait(queue)));
        co_await sleep(0);
    };
    auto get = [](Queue<int>& queue) -> Coro<> { co_await queue.get(); };
    auto put = [](Queue<int>& queue) -> Coro<> { co_await queue.put(1); };
    run([&]() -> Coro<> {
        Queue<int> queue;
        std::vector<Task<>> tasks;
        co_await many_wait(queue, tasks, get);
        for (int i = 0; i < many; ++i) queue.put_nowait(i);
        for (int i = 0; i < many; ++i) queue.get_nowait();
        for (const Task<>& task : tasks) task.cancel();
        co_await wait(tasks);
        EXPECT_EQ(queue.qsize(), 0);
    }());
    run([&]() -> Coro<> {
        Queue<int> queue;
        std::vector<Task<>> tasks;
        co_await many_wait(queue, tasks, get);
        for (int i = 0; i < many; ++i) queue.put_nowait(i);
        for (const Task<>& task : tasks) task.cancel();
        co_await wait(tasks);
        EXPECT_EQ(queue.qsize(), many);
    }());
    run([&]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(0);
        std::vector<Task<>> tasks;
        co_await many_wait(queue, tasks, put);
        queue.shutdown(true);
        co_await wait(tasks);
        for (const Task<>& task : tasks) EXPECT_TRUE(task.exception());
    }());
    EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 15);
}

}  // namespace
