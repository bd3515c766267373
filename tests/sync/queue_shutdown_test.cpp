// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/queue_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/gather.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

/// The rows of CPython's mixins hold for all three kinds of queue.
template <class Kind>
class AnyQueue : public testing::Test {
public:
    using QueueOfInt = Kind;
};
using Kinds = testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>>;
TYPED_TEST_SUITE(AnyQueue, Kinds);

// CPython: test_queues.py, _QueueJoinTestMixin.test_task_done_underflow
TYPED_TEST(AnyQueue, RefusesOneTaskDoneTooMany) {
    TypeParam queue;
    EXPECT_EQ(outcome([&] {
                  queue.task_done();
                  return 0;
              }),
              "ValueError('task_done() called too many times')");
}

// CPython: test_queues.py, _QueueJoinTestMixin.test_task_done
TYPED_TEST(AnyQueue, JoinWaitsUntilEveryItemIsDone) {
    run_test([]() -> Coro<> {
        TypeParam queue;
        for (int i = 0; i < 100; ++i) queue.put_nowait(i);
        int accumulator = 0;
        bool running = true;
        auto work = [&]() -> Coro<> {
            while (running) {
                int item = co_await queue.get();
                accumulator += item;
                co_await sleep(0s);
                queue.task_done();
            }
        };
        std::vector<Task<>> workers;
        for (int i = 0; i < 2; ++i) workers.push_back(create_task(work));
        co_await queue.join();
        EXPECT_EQ(accumulator, 99 * 100 / 2);
        running = false;
        for (int i = 0; i < 2; ++i) queue.put_nowait(0);
        co_await gather(workers);
    });
}

// CPython: test_queues.py, _QueueJoinTestMixin.test_join_empty_queue
TYPED_TEST(AnyQueue, JoinReturnsAtOnceWhenNothingIsToBeDone) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        TypeParam queue;
        co_await queue.join();
        co_await queue.join();
        trace("joined");
    });
    EXPECT_EQ(text, "0:joined");
}

/// How a coroutine function ends, as a task.
template <class Awaitable>
Task<std::string> outcome_task(Awaitable awaitable) {
    return create_task(outcome_of(std::move(awaitable)));
}

/// Neither puts nor gives anything, in any way.
template <class Queue>
Coro<> expect_shut_down(Queue& queue) {
    const std::string error = "QueueShutDown()";
    std::string put = co_await outcome_of(queue.put(1));
    EXPECT_EQ(put, error);
    std::string get = co_await outcome_of(queue.get());
    EXPECT_EQ(get, error);
    EXPECT_EQ(outcome([&] { return (queue.put_nowait(1), 0); }), error);
    EXPECT_EQ(outcome([&] { return queue.get_nowait(); }), error);
    EXPECT_EQ(queue.qsize(), 0U);
}

template <class Queue>
void expect_all_done(Queue& queue) {
    EXPECT_EQ(outcome([&] { return (queue.task_done(), 0); }), "ValueError('task_done() called too many times')");
}

// CPython: test_queues.py, _QueueShutdownTestMixin.test_shutdown_empty
TYPED_TEST(AnyQueue, ShutdownOfAnEmptyOneEndsThoseWhoGet) {
    run_test([]() -> Coro<> {
        TypeParam queue;
        std::vector<Task<std::string>> getters;
        for (int i = 0; i < 2; ++i) getters.push_back(outcome_task(queue.get()));
        co_await sleep(0s);
        queue.shutdown();
        std::vector<std::string> ends = co_await gather(getters);
        EXPECT_EQ(ends, std::vector<std::string>(2, "QueueShutDown()"));
        co_await expect_shut_down(queue);
        co_await queue.join();
        expect_all_done(queue);
    });
}

// CPython: test_queues.py, _QueueShutdownTestMixin.test_shutdown_nonempty
TYPED_TEST(AnyQueue, ShutdownLeavesTheItemsToBeTaken) {
    run_test([]() -> Coro<> {
        TypeParam queue(1);
        queue.put_nowait(7);
        auto putter = outcome_task(queue.put(2));
        auto joiner = ensure_future(queue.join());
        co_await sleep(0s);
        EXPECT_FALSE(putter.done());
        queue.shutdown();
        EXPECT_EQ(queue.qsize(), 1U);
        co_await sleep(0s);
        EXPECT_TRUE(putter.done());
        EXPECT_EQ(putter.result(), "QueueShutDown()");
        int item = co_await queue.get();
        EXPECT_EQ(item, 7);
        co_await expect_shut_down(queue);
        co_await sleep(0s);
        EXPECT_FALSE(joiner.done());
        queue.task_done();
        co_await joiner;
        expect_all_done(queue);
    });
}

// CPython: test_queues.py, _QueueShutdownTestMixin.test_shutdown_immediate
TYPED_TEST(AnyQueue, ImmediateShutdownDropsTheItemsAndEndsJoin) {
    run_test([]() -> Coro<> {
        TypeParam queue;
        queue.put_nowait(1);
        auto joiner = ensure_future(queue.join());
        co_await sleep(0s);
        EXPECT_FALSE(joiner.done());
        queue.shutdown(true);
        EXPECT_EQ(queue.qsize(), 0U);
        co_await sleep(0s);
        EXPECT_TRUE(joiner.done());
        co_await expect_shut_down(queue);
        expect_all_done(queue);
    });
}

// CPython: test_queues.py, _QueueShutdownTestMixin.test_shutdown_immediate_with_unfinished
TYPED_TEST(AnyQueue, ImmediateShutdownStillWaitsForWhatWasTaken) {
    run_test([]() -> Coro<> {
        TypeParam queue;
        queue.put_nowait(1);
        queue.put_nowait(2);
        co_await queue.get();
        auto joiner = ensure_future(queue.join());
        queue.shutdown(true);
        co_await passes(2);
        EXPECT_FALSE(joiner.done());
        co_await expect_shut_down(queue);
        queue.task_done();
        co_await joiner;
        expect_all_done(queue);
    });
}

TEST(QueueShutdown, WakesPuttersAtOnceAndLeavesTheItems) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(0);
        auto putters = start_each("ab", put_as, queue, trace);
        auto joiner = ensure_future(queue.join());
        joiner.add_done_callback([&](Task<>) { trace("joined"); });
        co_await passes(1);
        queue.shutdown();
        trace(shown(queue));
        co_await passes(2);
        int item = queue.get_nowait();
        trace(item, shown(queue));
        trace(outcome([&] { return queue.get_nowait(); }));
        auto getters = start_each("c", get_as, queue, trace);
        queue.task_done();
        trace(shown(queue));
        co_await passes(3);
    });
    EXPECT_EQ(text,
              "1:maxsize=1 _queue=[0] tasks=1 shutdown, 2:a QueueShutDown() maxsize=1 _queue=[0] tasks=1 shutdown, "
              "2:b QueueShutDown() maxsize=1 _queue=[0] tasks=1 shutdown, 3:0 maxsize=1 tasks=1 shutdown, "
              "3:QueueShutDown(), 3:maxsize=1 shutdown, 4:c QueueShutDown() maxsize=1 shutdown, 5:joined");
}

TEST(QueueShutdown, GivesAnItemThatIsThereToAGetterThatWaited) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        auto getters = start_each("ab", get_as, queue, trace);
        co_await passes(1);
        queue.put_nowait(3);
        queue.shutdown();
        trace(shown(queue));
        co_await passes(2);
    });
    EXPECT_EQ(text,
              "1:maxsize=0 _queue=[3] tasks=1 shutdown, 2:a 3 maxsize=0 tasks=1 shutdown, "
              "2:b QueueShutDown() maxsize=0 tasks=1 shutdown");
}

TEST(QueueShutdown, ImmediateLowersTheUnfinishedByWhatItDrops) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue(2);
        queue.put_nowait(0);
        queue.put_nowait(1);
        int item = queue.get_nowait();
        trace(item);
        queue.put_nowait(2);
        auto putters = start_each("ab", put_as, queue, trace);
        auto joiner = ensure_future(queue.join());
        joiner.add_done_callback([&](Task<>) { trace("joined"); });
        co_await passes(1);
        queue.shutdown(true);
        trace(shown(queue));
        co_await passes(2);
        queue.task_done();
        trace(shown(queue));
        co_await passes(3);
        trace(outcome([&] {
            queue.task_done();
            return 0;
        }));
    });
    EXPECT_EQ(text,
              "0:0, 1:maxsize=2 tasks=1 shutdown, 2:a QueueShutDown() maxsize=2 tasks=1 shutdown, "
              "2:b QueueShutDown() maxsize=2 tasks=1 shutdown, 3:maxsize=2 shutdown, 5:joined, "
              "6:ValueError('task_done() called too many times')");
}

TEST(QueueJoin, GoesOnThoughAnotherItemCameMeanwhile) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        for (int i = 0; i < 2; ++i) queue.put_nowait(i);
        auto join = [](std::string name, Queue<int>& joined, Trace& traced) -> Coro<> {
            co_await joined.join();
            traced(name, "joined");
        };
        auto joiners = start_each("ab", join, queue, trace);
        co_await passes(1);
        queue.get_nowait();
        queue.task_done();
        co_await passes(1);
        queue.get_nowait();
        queue.task_done();
        queue.put_nowait(5);
        trace(shown(queue));
        co_await passes(2);
    });
    EXPECT_EQ(text, "2:maxsize=0 _queue=[5] tasks=1, 3:a joined, 3:b joined");
}

TEST(QueueJoin, CanBeCancelledAndBelongsToOneLoop) {
    Queue<int> queue;
    queue.put_nowait(1);
    auto join = [&](bool cancelled) {
        return run_test([&]() -> Coro<std::string> {
            auto task = ensure_future(queue.join());
            co_await sleep(0s);
            if (cancelled) task.cancel();
            co_return co_await outcome_of(task);
        });
    };
    EXPECT_EQ(join(true), "CancelledError()");
    std::string said = join(false);
    EXPECT_EQ(said.find("RuntimeError('<asyncio.locks.Event object at 0x"), 0U) << said;
    EXPECT_NE(said.find("[unset]> is bound to a different event loop')"), std::string::npos) << said;
}

}  // namespace
