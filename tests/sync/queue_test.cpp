// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/queue_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/event.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

// CPython: test_queues.py, QueueBasicTests.test_empty
TEST(Queue, IsEmptyBeforeAPutAndAfterAGet) {
    run_test([]() -> Coro<> {
        Queue<int> queue;
        EXPECT_TRUE(queue.empty());
        co_await queue.put(1);
        EXPECT_FALSE(queue.empty());
        int item = co_await queue.get();
        EXPECT_EQ(item, 1);
        EXPECT_TRUE(queue.empty());
    });
}

// CPython: test_queues.py, QueueBasicTests.test_full
TEST(Queue, IsFullAtItsMaxsize) {
    for (int maxsize : {0, -3}) {
        Queue<int> queue(maxsize);
        EXPECT_EQ(queue.maxsize(), maxsize);
        for (int i = 0; i < 1000; ++i) queue.put_nowait(i);
        EXPECT_FALSE(queue.full());
        EXPECT_EQ(queue.qsize(), 1000U);
    }
    Queue<int> queue(1);
    EXPECT_FALSE(queue.full());
    queue.put_nowait(1);
    EXPECT_TRUE(queue.full());
}

// CPython: test_queues.py, QueueBasicTests.test_order
TEST(Queue, GivesItsItemsFirstInFirstOut) {
    run_test([]() -> Coro<> {
        Queue<int> queue;
        for (int i : {1, 3, 2}) co_await queue.put(i);
        std::string items;
        for (int i = 0; i < 3; ++i) {
            int item = co_await queue.get();
            items += std::to_string(item);
        }
        EXPECT_EQ(items, "132");
    });
}

TEST(Queue, KeepsItsOrderWhileItGrowsAndWrapsAround) {
    Queue<int> queue;
    int put = 0;
    int got = 0;
    for (int round = 0; round < 200; ++round) {
        for (int i = 0; i < round % 7 + 2; ++i) queue.put_nowait(put++);
        for (int i = 0; i < round % 5 + 1 && !queue.empty(); ++i) EXPECT_EQ(queue.get_nowait(), got++);
    }
    while (!queue.empty()) EXPECT_EQ(queue.get_nowait(), got++);
    EXPECT_EQ(got, put);
}

// CPython: test_queues.py, QueueBasicTests.test_maxsize
TEST(Queue, LetsAPutWaitAtItsMaxsizeUntilOnePassAfterAGet) {
    run_test([]() -> Coro<> {
        Queue<int> queue(2);
        std::string put;
        auto task = create_task([&]() -> Coro<bool> {
            for (int i = 0; i < 3; ++i) {
                co_await queue.put(i);
                put += std::to_string(i);
            }
            co_return true;
        });
        co_await passes(2);
        EXPECT_EQ(put, "01");
        int first = co_await queue.get();
        EXPECT_EQ(first, 0);
        co_await sleep(0s);
        EXPECT_EQ(put, "012");
        int second = co_await queue.get();
        int third = co_await queue.get();
        EXPECT_EQ(second, 1);
        EXPECT_EQ(third, 2);
        EXPECT_TRUE(task.done());
        EXPECT_TRUE(task.result());
    });
}

TEST(Queue, HandsOverOneItemInTwoPassesWhenThereIsRoomForOne) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue(1);
        auto produce = [&]() -> Coro<> {
            for (int i = 0; i < 4; ++i) {
                co_await queue.put(i);
                trace("put", i);
            }
        };
        auto consume = [&]() -> Coro<> {
            for (int i = 0; i < 4; ++i) {
                int item = co_await queue.get();
                trace("got", item);
            }
        };
        auto producer = create_task(produce);
        auto consumer = create_task(consume);
        co_await producer;
        co_await consumer;
    });
    EXPECT_EQ(text, "1:put 0, 1:got 0, 2:put 1, 3:got 1, 4:put 2, 5:got 2, 6:put 3, 7:got 3");
}

// CPython: test_queues.py, QueueGetTests.test_blocking_get
// CPython: test_queues.py, QueueGetTests.test_nonblocking_get
// CPython: test_queues.py, QueuePutTests.test_nonblocking_put
// CPython: test_queues.py, QueuePutTests.test_blocking_put
TEST(Queue, GetAndPutDoNotSuspendWhenTheyNeedNot) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        queue.put_nowait(1);
        int first = co_await queue.get();
        co_await queue.put(2);
        trace(first, queue.get_nowait());
    });
    EXPECT_EQ(text, "0:1 2");
}

// CPython: test_queues.py, QueueGetTests.test_blocking_get_wait
TEST(Queue, GetWaitsForAnItem) {
    run_test([]() -> Coro<> {
        Queue<int> queue;
        Event started;
        bool finished = false;
        auto task = create_task([&]() -> Coro<int> {
            started.set();
            int item = co_await queue.get();
            finished = true;
            co_return item;
        });
        co_await started.wait();
        EXPECT_FALSE(finished);
        get_running_loop().call_later(10ms, [&] { queue.put_nowait(1); });
        int item = co_await task;
        EXPECT_TRUE(finished);
        EXPECT_EQ(item, 1);
    });
}

// CPython: test_queues.py, QueueGetTests.test_nonblocking_get_exception
// CPython: test_queues.py, QueuePutTests.test_nonblocking_put_exception
TEST(Queue, SaysThatItIsEmptyOrFull) {
    Queue<int> queue(1);
    EXPECT_EQ(outcome([&] { return queue.get_nowait(); }), "QueueEmpty()");
    queue.put_nowait(1);
    EXPECT_EQ(outcome([&] {
                  queue.put_nowait(2);
                  return 0;
              }),
              "QueueFull()");
    EXPECT_EQ(shown(queue), "maxsize=1 _queue=[1] tasks=1");
}

// CPython: test_queues.py, QueueGetTests.test_get_with_waiting_putters
TEST(Queue, GivesTheItemsOfWaitingPuttersInTheirOrder) {
    run_test([]() -> Coro<> {
        Queue<std::string> queue(1);
        auto a = create_task([&]() -> Coro<> { co_await queue.put("a"); });
        auto b = create_task([&]() -> Coro<> { co_await queue.put("b"); });
        std::string first = co_await queue.get();
        std::string second = co_await queue.get();
        EXPECT_EQ(first + second, "ab");
    });
}

// CPython: test_queues.py, QueueGetTests.test_why_are_getters_waiting
TEST(Queue, LetsProducerAndConsumerEnd) {
    run_test([]() -> Coro<> {
        Queue<int> queue(1);
        auto consume = [&]() -> Coro<> {
            for (int i = 0; i < 5; ++i) co_await queue.get();
        };
        co_await with(TaskGroup(), [&](TaskGroup& group) {
            group.create_task(put_all(queue, 5));
            group.create_task(consume);
        });
        EXPECT_TRUE(queue.empty());
    });
}

// CPython: test_queues.py, QueuePutTests.test_blocking_put_wait
TEST(Queue, PutWaitsForRoom) {
    run_test([]() -> Coro<> {
        Queue<int> queue(1);
        Event started;
        bool finished = false;
        get_running_loop().call_later(10ms, [&] { queue.get_nowait(); });
        auto task = create_task([&]() -> Coro<> {
            started.set();
            co_await queue.put(1);
            co_await queue.put(2);
            finished = true;
        });
        co_await started.wait();
        EXPECT_FALSE(finished);
        co_await task;
        EXPECT_TRUE(finished);
    });
}

// CPython: test_queues.py, QueuePutTests.test_put_cancelled
TEST(Queue, GetsInTheSameRunWhatATaskPuts) {
    run_test([]() -> Coro<> {
        Queue<int> queue;
        auto task = create_task([&]() -> Coro<bool> {
            co_await queue.put(1);
            co_return true;
        });
        int item = co_await queue.get();
        EXPECT_EQ(item, 1);
        EXPECT_TRUE(task.done());
        EXPECT_TRUE(task.result());
    });
}

// CPython: test_queues.py, QueuePutTests.test_put_with_waiting_getters
TEST(Queue, HandsWhatIsPutToAWaitingGetter) {
    run_test([]() -> Coro<> {
        Queue<std::string> queue;
        auto task = ensure_future(queue.get());
        co_await sleep(0s);
        co_await queue.put("a");
        std::string item = co_await std::move(task);
        EXPECT_EQ(item, "a");
    });
}

// CPython: test_queues.py, QueuePutTests.test_why_are_putters_waiting
TEST(Queue, WakesAPutterForEveryItemThatIsTakenOut) {
    run_test([]() -> Coro<> {
        Queue<int> queue(2);
        auto put = [&](int item) -> Coro<> { co_await queue.put(item); };
        auto drain = [&]() -> Coro<> {
            co_await sleep(0s);
            for (std::size_t left = queue.qsize(); left > 0; --left) queue.get_nowait();
        };
        co_await with(TaskGroup(), [&](TaskGroup& group) {
            group.create_task(drain);
            for (int i = 0; i < 4; ++i) group.create_task(put, i);
        });
        EXPECT_EQ(queue.qsize(), 2U);
    });
}

TEST(Queue, LetsAGetterWaitAgainAtTheEndWhenItWasOvertaken) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        auto tasks = start_each("abc", get_as, queue, trace);
        co_await passes(1);
        trace(shown(queue));
        queue.put_nowait(1);
        int taken = queue.get_nowait();
        trace("taken", taken, shown(queue));
        co_await passes(1);
        trace(shown(queue));
        for (int i = 0; i < 3; ++i) queue.put_nowait(10 + i);
        trace(shown(queue));
        co_await passes(2);
    });
    EXPECT_EQ(text,
              "1:maxsize=0 _getters[3], 1:taken 1 maxsize=0 _getters[2] tasks=1, 2:maxsize=0 _getters[3] tasks=1, "
              "2:maxsize=0 _queue=[10, 11, 12] tasks=4, 3:b 10 maxsize=0 _queue=[11, 12] tasks=4, "
              "3:c 11 maxsize=0 _queue=[12] tasks=4, 3:a 12 maxsize=0 tasks=4");
}

TEST(Queue, LetsAPutterWaitAgainAtTheEndWhenItWasOvertaken) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(0);
        auto tasks = start_each("abc", put_as, queue, trace);
        co_await passes(1);
        int taken = queue.get_nowait();
        trace(taken, shown(queue));
        queue.put_nowait(5);
        trace(shown(queue));
        co_await passes(1);
        trace(shown(queue));
        for (int i = 0; i < 4; ++i) {
            taken = queue.get_nowait();
            trace(taken, shown(queue));
            co_await passes(1);
        }
    });
    EXPECT_EQ(text,
              "1:0 maxsize=1 _putters[2] tasks=1, 1:maxsize=1 _queue=[5] _putters[2] tasks=2, "
              "2:maxsize=1 _queue=[5] _putters[3] tasks=2, 2:5 maxsize=1 _putters[2] tasks=2, "
              "3:b put maxsize=1 _queue=[98] _putters[2] tasks=3, 3:98 maxsize=1 _putters[1] tasks=3, "
              "4:c put maxsize=1 _queue=[99] _putters[1] tasks=4, 4:99 maxsize=1 tasks=4, "
              "5:a put maxsize=1 _queue=[97] tasks=5, 5:97 maxsize=1 tasks=5");
}

TEST(Queue, BelongsToTheFirstLoopInWhichATaskWaits) {
    Queue<int> queue(1);
    auto get = [&]() -> Coro<std::string> {
        auto task = ensure_future(queue.get());
        co_await sleep(0s);
        if (!task.done()) queue.put_nowait(1);
        co_return co_await outcome_of(task);
    };
    auto without_waiting = [&]() -> Coro<int> {
        co_await queue.put(5);
        co_return co_await queue.get();
    };
    EXPECT_EQ(run_test(without_waiting), 5);
    EXPECT_EQ(run_test(get), "nothing");
    EXPECT_EQ(run_test(without_waiting), 5);
    EXPECT_EQ(run_test(get), "RuntimeError('" + repr(queue) + " is bound to a different event loop')");
    auto put = [&]() -> Coro<std::string> {
        co_await queue.put(1);
        auto task = ensure_future(queue.put(2));
        co_return co_await outcome_of(task);
    };
    std::string said = run_test(put);
    EXPECT_EQ(said, "RuntimeError('" + repr(queue) + " is bound to a different event loop')");
}

TEST(Queue, MayDieBeforeThoseWhoWait) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto queue = std::make_unique<Queue<int>>();
        auto get = [](std::string name, Queue<int>& used, Trace& traced) -> Coro<> {
            try {
                co_await used.get();
                traced(name, "has one");
            } catch (const CancelledError&) {
                traced(name, caught());
            }
        };
        auto tasks = start_each("abc", get, *queue, trace);
        co_await passes(1);
        queue->put_nowait(1);
        tasks[1].cancel();
        queue.reset();
        co_await passes(2);
        trace(tasks[0].done(), tasks[2].done());
        tasks[0].cancel();
        tasks[2].cancel();
        co_await passes(1);
    });
    EXPECT_EQ(text, "2:b CancelledError(), 3:False False, 4:a CancelledError(), 4:c CancelledError()");
}

TEST(Queue, PrintsItselfAsPythonDoes) {
    Queue<std::string> queue(2);
    EXPECT_EQ(str(queue), "<Queue maxsize=2>");
    queue.put_nowait(std::string(40, 'a'));
    queue.put_nowait("it's");
    EXPECT_EQ(str(queue), "<Queue maxsize=2 _queue=['" + std::string(40, 'a') + "', \"it's\"] tasks=2>");
    char address[32];
    std::snprintf(address, sizeof address, " at %p ", static_cast<void*>(&queue));
    EXPECT_NE(repr(queue).find("<Queue" + std::string(address) + "maxsize=2 _queue=["), std::string::npos);
    queue.shutdown(true);
    EXPECT_EQ(str(queue), "<Queue maxsize=2 shutdown>");
}

}  // namespace
