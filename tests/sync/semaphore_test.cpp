// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

// CPython: test_locks.py, SemaphoreTests.test_initial_value_zero
// CPython: test_locks.py, SemaphoreTests.test_semaphore_value
TEST(Semaphore, BeginsWithSoManySlots) {
    EXPECT_TRUE(Semaphore(0).locked());
    EXPECT_FALSE(Semaphore().locked());
    EXPECT_EQ(outcome([] { return Semaphore(-1).locked(); }), "ValueError('Semaphore initial value must be >= 0')");
    EXPECT_EQ(outcome([] { return BoundedSemaphore(-1).locked(); }),
              "ValueError('Semaphore initial value must be >= 0')");
}

// CPython: test_locks.py, SemaphoreTests.test_acquire
TEST(Semaphore, PassesUpToItsValueAndThenHandsOverInOrder) {
    run_test([]() -> Coro<> {
        Semaphore semaphore(3);
        std::string result;
        bool first = co_await semaphore.acquire();
        bool second = co_await semaphore.acquire();
        EXPECT_TRUE(first && second);
        EXPECT_FALSE(semaphore.locked());
        auto take = [&](char name) -> Coro<> {
            co_await semaphore.acquire();
            result += name;
        };
        std::vector<Task<>> tasks;
        for (char name : {'1', '2', '3'}) tasks.push_back(create_task(take(name)));
        co_await sleep(0s);
        EXPECT_EQ(result, "1");
        EXPECT_EQ(tail(semaphore), "[locked, waiters:2]");
        tasks.push_back(create_task(take('4')));
        semaphore.release();
        semaphore.release();
        EXPECT_EQ(tail(semaphore), "[locked, waiters:2]");
        co_await sleep(0s);
        EXPECT_EQ(result, "123");
        EXPECT_EQ(tail(semaphore), "[locked, waiters:1]");
        EXPECT_FALSE(tasks[3].done());
        semaphore.release();
        co_await gather(tasks);
        EXPECT_EQ(result, "1234");
    });
}

TEST(Semaphore, GivesASlotToAWaiterOnePassAfterTheRelease) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Semaphore semaphore(2);
        auto use = [](std::string name, Semaphore& used, Trace& traced) -> Coro<> {
            bool ok = co_await used.acquire();
            traced(name, ok, tail(used));
            co_await sleep(0s);
            used.release();
        };
        auto tasks = start_each("abcde", use, semaphore, trace);
        co_await sleep(0s);
        trace(tail(semaphore));
        for (auto& task : tasks) co_await task;
        trace(tail(semaphore));
    });
    EXPECT_EQ(text,
              "1:a True [unlocked, value:1], 1:b True [locked], 1:[locked, waiters:3], 3:c True [locked, waiters:2], "
              "3:d True [locked, waiters:1], 5:e True [unlocked, value:1], 7:[unlocked, value:2]");
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_cancel
TEST(Semaphore, ForgetsACancelledWaiter) {
    run_test([]() -> Coro<> {
        Semaphore semaphore;
        co_await semaphore.acquire();
        auto task = ensure_future(semaphore.acquire());
        get_running_loop().call_soon([&] { task.cancel(); });
        std::string outcome = co_await outcome_of(task);
        EXPECT_EQ(outcome, "CancelledError()");
        EXPECT_EQ(tail(semaphore), "[locked]");
    });
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_cancel_before_awoken
TEST(Semaphore, SkipsCancelledWaiters) {
    run_test([]() -> Coro<> {
        Semaphore semaphore(0);
        std::vector<Task<bool>> tasks;
        for (int i = 0; i < 4; ++i) tasks.push_back(ensure_future(semaphore.acquire()));
        co_await sleep(0s);
        tasks[0].cancel();
        tasks[1].cancel();
        semaphore.release();
        co_await passes(2);
        EXPECT_TRUE(tasks[2].done());
        EXPECT_FALSE(tasks[3].done());
        tasks[3].cancel();
        co_await sleep(0s);
    });
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_hang
TEST(Semaphore, DoesNotLoseAReleaseThatMeetsACancelledWaiter) {
    run_test([]() -> Coro<> {
        Semaphore semaphore(0);
        auto t1 = ensure_future(semaphore.acquire());
        auto t2 = ensure_future(semaphore.acquire());
        co_await sleep(0s);
        t1.cancel();
        semaphore.release();
        co_await passes(2);
        EXPECT_TRUE(semaphore.locked());
        EXPECT_TRUE(t2.done());
    });
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_no_hang
TEST(Semaphore, GetsTheSlotBackFromAWaiterThatIsCancelledAfterItWasGranted) {
    run_test([]() -> Coro<> {
        Semaphore semaphore(1);
        Task<> second;
        auto c1 = [&]() -> Coro<> {
            co_await with(semaphore, []() -> Coro<> { co_await sleep(0s); });
            second.cancel();
        };
        auto c2 = [&]() -> Coro<> { co_await with(semaphore, [] { ADD_FAILURE(); }); };
        auto first = create_task(c1());
        second = create_task(c2());
        std::string outcome_1 = co_await outcome_of(first);
        std::string outcome_2 = co_await outcome_of(second);
        EXPECT_EQ(outcome_1, "nothing");
        EXPECT_EQ(outcome_2, "CancelledError()");
        bool ok = co_await wait_for(semaphore.acquire(), 1s);
        EXPECT_TRUE(ok);
    });
}

TEST(Semaphore, HandsASlotOnThatItsWaiterCannotUseAnyMore) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Semaphore semaphore(0);
        auto tasks = start_each("abc", acquire_as<Semaphore>, semaphore, trace);
        co_await sleep(0s);
        semaphore.release();
        trace(tasks[0].cancel("m"), tail(semaphore));
        co_await passes(2);
        trace(tail(semaphore));
        tasks[1].cancel();
        semaphore.release();
        tasks[2].cancel();
        trace(tail(semaphore));
        co_await passes(2);
        trace(tail(semaphore));
    });
    EXPECT_EQ(
        text,
        "1:True [locked, waiters:3], 2:a CancelledError('m') [locked, waiters:2], 3:b has it, 3:[locked, waiters:1], "
        "3:[locked, waiters:1], 4:c CancelledError() [unlocked, value:1], 5:[unlocked, value:1]");
}

// CPython: test_locks.py, SemaphoreTests.test_release_not_acquired
TEST(BoundedSemaphore, CannotBeReleasedTooOften) {
    BoundedSemaphore semaphore;
    EXPECT_EQ(outcome([&] { return (semaphore.release(), 0); }),
              "ValueError('BoundedSemaphore released too many times')");
    Semaphore& base = semaphore;
    EXPECT_EQ(outcome([&] { return (base.release(), 0); }), "ValueError('BoundedSemaphore released too many times')");
}

// CPython: test_locks.py, SemaphoreTests.test_release_no_waiters
TEST(Semaphore, IsUnlockedByAReleaseWithoutWaiters) {
    run_test([]() -> Coro<> {
        Semaphore semaphore;
        co_await semaphore.acquire();
        EXPECT_TRUE(semaphore.locked());
        semaphore.release();
        EXPECT_FALSE(semaphore.locked());
    });
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_fifo_order
TEST(Semaphore, IsFairAmongTasksThatReleaseAndAcquireAgain) {
    std::string result;
    run_test([&]() -> Coro<> {
        Semaphore semaphore(1);
        auto twice = [&](std::string name) -> Coro<> {
            for (const char* round : {"_1 ", "_2 "}) {
                co_await semaphore.acquire();
                result += name + round;
                co_await sleep(10ms);
                semaphore.release();
            }
        };
        co_await with(TaskGroup(), [&](TaskGroup& group) {
            for (const char* name : {"c1", "c2", "c3"}) group.create_task(twice(name));
        });
    });
    EXPECT_EQ(result, "c1_1 c2_1 c3_1 c1_2 c2_2 c3_2 ");
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_fifo_order_2
TEST(Semaphore, PutsATaskThatAcquiresAgainBehindThoseWhoWait) {
    run_test([]() -> Coro<> {
        Semaphore semaphore(1);
        std::string result;
        auto once = [&](char name) -> Coro<> {
            co_await semaphore.acquire();
            result += name;
        };
        auto twice = [&]() -> Coro<> {
            co_await semaphore.acquire();
            result += '2';
            semaphore.release();
            co_await semaphore.acquire();
            result += '4';
        };
        auto t1 = create_task(once('1'));
        auto t2 = create_task(twice());
        auto t3 = create_task(once('3'));
        co_await sleep(0s);
        semaphore.release();
        semaphore.release();
        co_await gather(t1, t2, t3);
        EXPECT_EQ(result, "1234");
    });
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_fifo_order_3
TEST(Semaphore, KeepsTheOrderBehindACancelledWaiter) {
    run_test([]() -> Coro<> {
        Semaphore semaphore(0);
        std::string result;
        auto once = [&](char name) -> Coro<> {
            co_await semaphore.acquire();
            result += name;
        };
        auto t1 = create_task(once('1'));
        auto t2 = create_task(once('2'));
        auto t3 = create_task(once('3'));
        co_await sleep(0s);
        t1.cancel();
        co_await sleep(0s);
        semaphore.release();
        semaphore.release();
        co_await gather(return_exceptions, t1, t2, t3);
        EXPECT_EQ(result, "23");
    });
}

// CPython: test_locks.py, SemaphoreTests.test_acquire_fifo_order_4
TEST(Semaphore, WakesAllWhoQueuedBehindAWokenWaiterInOnePass) {
    run_test([]() -> Coro<> {
        Semaphore semaphore(0);
        std::string result;
        Task<> t4;
        auto c4 = [&]() -> Coro<> {
            result += '4';
            co_return;
        };
        auto c1 = [&]() -> Coro<> {
            co_await semaphore.acquire();
            t4 = create_task(c4());
            result += '1';
        };
        auto c2 = [&]() -> Coro<> {
            for (int i = 0; i < 3; ++i) semaphore.release();
            EXPECT_TRUE(semaphore.locked());  // two slots are free, but c1 is to go first
            co_await semaphore.acquire();
            result += '2';
        };
        auto c3 = [&]() -> Coro<> {
            co_await semaphore.acquire();
            EXPECT_TRUE(semaphore.locked());
            result += '3';
        };
        auto t1 = create_task(c1());
        auto t2 = create_task(c2());
        auto t3 = create_task(c3());
        co_await sleep(0s);
        EXPECT_EQ(tail(semaphore), "[locked, waiters:3]");
        co_await sleep(0s);
        co_await gather(t1, t2, t3, t4);
        EXPECT_EQ(result, "1234");
    });
}

Coro<> note_slot(std::string name, Semaphore& semaphore, Trace& trace) {
    co_await semaphore.acquire();
    trace(name, tail(semaphore));
}

TEST(Semaphore, IsLockedWhileAWokenWaiterHasNotGoneOnThoughSlotsAreFree) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Semaphore semaphore(0);
        auto a = start_each("a", note_slot, semaphore, trace);
        co_await sleep(0s);
        for (int i = 0; i < 3; ++i) semaphore.release();
        trace(tail(semaphore), semaphore.locked());
        auto tasks = start_each("bcd", note_slot, semaphore, trace);
        co_await passes(3);
        trace(tail(semaphore));
        semaphore.release();
        co_await passes(2);
        trace(tail(semaphore));
    });
    EXPECT_EQ(text,
              "1:[locked, waiters:1] True, 2:a [unlocked, value:2], 2:b [unlocked, value:1], 2:c [locked], "
              "4:[locked, waiters:1], 5:d [locked], 6:[locked]");
}

TEST(Semaphore, HasGuardsAndWith) {
    run_test([]() -> Coro<> {
        BoundedSemaphore semaphore(2);
        {
            auto first = co_await semaphore.guard();
            EXPECT_EQ(tail(semaphore), "[unlocked, value:1]");
            Semaphore::Guard second = co_await semaphore.guard();
            EXPECT_EQ(tail(semaphore), "[locked]");
        }
        EXPECT_EQ(tail(semaphore), "[unlocked, value:2]");
        std::string inside = co_await with(semaphore, [](Semaphore& held) { return tail(held); });
        EXPECT_EQ(inside, "[unlocked, value:1]");
        EXPECT_EQ(tail(semaphore), "[unlocked, value:2]");
    });
}

TEST(Semaphore, BelongsToTheLoopInWhichATaskHadToWait) {
    Semaphore semaphore(0);
    auto wait = [&]() -> Coro<std::string> {
        auto task = ensure_future(semaphore.acquire());
        co_await sleep(0s);
        semaphore.release();
        co_return co_await outcome_of(task);
    };
    EXPECT_EQ(run_test(wait), "nothing");
    std::string text = repr(semaphore);
    EXPECT_EQ(run_test(wait), "RuntimeError('" + text + " is bound to a different event loop')");
}

TEST(Semaphore, PrintsItselfAsPythonDoes) {
    Semaphore semaphore(3);
    BoundedSemaphore bounded(0);
    char address[32];
    std::snprintf(address, sizeof address, "%p", static_cast<void*>(&semaphore));
    EXPECT_EQ(repr(semaphore), std::string("<asyncio.locks.Semaphore object at ") + address + " [unlocked, value:3]>");
    std::snprintf(address, sizeof address, "%p", static_cast<void*>(&bounded));
    EXPECT_EQ(repr(bounded), std::string("<asyncio.locks.BoundedSemaphore object at ") + address + " [locked]>");
}

}  // namespace
