// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/condition.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

Coro<> wait_as(std::string name, Lock& lock, Condition& condition, Trace& trace) {
    auto guard = co_await condition.guard();
    try {
        bool ok = co_await condition.wait();
        trace(name, ok, tail(condition), tail(lock));
    } catch (const CancelledError&) {
        trace(name, caught(), tail(condition), tail(lock));
    }
}

TEST(Condition, WakesNotifiedWaitersAsTheyGetTheLock) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        Condition condition(lock);
        auto tasks = start_each("abcd", wait_as, lock, condition, trace);
        co_await sleep(0s);
        trace(tail(condition));
        {
            auto guard = co_await condition.guard();
            condition.notify(2);
            trace(tail(condition), tail(lock));
            co_await passes(2);
            trace(tail(condition), tail(lock));
        }
        co_await passes(1);
        trace(tail(condition));
        co_await passes(2);
        trace(tail(condition));
        {
            auto guard = co_await condition.guard();
            condition.notify_all();
        }
        trace(tail(condition));
        co_await passes(2);
        trace(tail(condition));
    });
    EXPECT_EQ(text,
              "1:[unlocked, waiters:4], 1:[locked, waiters:4] [locked], 3:[locked, waiters:2] [locked, waiters:2], "
              "4:a True [locked, waiters:2] [locked, waiters:1], 4:[unlocked, waiters:2], "
              "5:b True [locked, waiters:2] [locked], 6:[unlocked, waiters:2], 6:[unlocked, waiters:2], "
              "7:c True [locked, waiters:1] [locked], 7:d True [locked] [locked], 8:[unlocked]");
}

TEST(Condition, AbsorbsCancelsWhileItTakesTheLockAgainAndThrowsTheLast) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        Condition condition(lock);
        auto tasks = start_each("ab", wait_as, lock, condition, trace);
        Task<>& a = tasks[0];
        co_await sleep(0s);
        co_await condition.acquire();
        condition.notify();
        co_await sleep(0s);
        trace(a.cancel("one"), tail(condition), tail(lock));
        co_await sleep(0s);
        trace(a.cancel("two"), tail(condition), tail(lock));
        co_await sleep(0s);
        bool third = a.cancel("three");
        bool fourth = a.cancel("four");
        trace(third, fourth, tail(lock));
        co_await sleep(0s);
        trace(tail(condition), tail(lock));
        condition.release();
        co_await passes(3);
        trace(tail(condition), a.cancelling(), tasks[1].done());
    });
    EXPECT_EQ(
        text,
        "2:True [locked, waiters:1] [locked, waiters:1], 3:True [locked, waiters:1] [locked, waiters:1], "
        "4:True True [locked, waiters:1], 5:[locked, waiters:1] [locked, waiters:1], "
        "6:a CancelledError('three') [locked, waiters:1] [locked], 7:b True [locked] [locked], 8:[unlocked] 4 True");
}

TEST(Condition, SendsAWaiterCancelledWhileItTakesTheLockToTheEndOfTheLine) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        Condition condition(lock);
        auto a = start_each("a", wait_as, lock, condition, trace);
        co_await sleep(0s);
        co_await condition.acquire();
        condition.notify();
        co_await sleep(0s);
        auto b = create_task([&]() -> Coro<> {
            auto guard = co_await lock.guard();
            trace("b");
        });
        co_await sleep(0s);
        a[0].cancel("m");
        co_await sleep(0s);
        condition.release();
        co_await passes(4);
        trace(tail(condition));
    });
    EXPECT_EQ(text, "5:b, 6:a CancelledError('m') [locked] [locked], 8:[unlocked]");
}

TEST(Condition, PassesTheNotificationOfACancelledWaiterOn) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        Condition condition(lock);
        auto tasks = start_each("abc", wait_as, lock, condition, trace);
        co_await sleep(0s);
        {
            auto guard = co_await condition.guard();
            condition.notify(1);
            tasks[0].cancel("m");
        }
        co_await passes(4);
        trace(tail(condition));
        {
            auto guard = co_await condition.guard();
            condition.notify_all();
        }
        co_await passes(3);
    });
    EXPECT_EQ(text,
              "2:a CancelledError('m') [locked, waiters:2] [locked], 3:b True [locked, waiters:1] [locked], "
              "5:[unlocked, waiters:1], 6:c True [locked] [locked]");
}

TEST(Condition, ThrowsTheFirstOfTwoCancelsInOneStep) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        Condition condition(lock);
        auto a = start_each("a", wait_as, lock, condition, trace);
        co_await sleep(0s);
        bool one = a[0].cancel("one");
        bool two = a[0].cancel("two");
        trace(one, two, a[0].cancelling());
        co_await passes(3);
        trace(tail(condition), a[0].done());
    });
    EXPECT_EQ(text, "1:True True 2, 2:a CancelledError('one') [locked] [locked], 4:[unlocked] True");
}

TEST(Condition, QueuesForTheLockBehindThoseWhoCameBefore) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        Condition condition(lock);
        auto use = [](std::string name, Condition& used, Trace& traced) -> Coro<> {
            {
                auto guard = co_await used.guard();
                traced(name);
                co_await sleep(0s);
            }
            traced(name, "out");
        };
        auto a = start_each("a", wait_as, lock, condition, trace);
        co_await sleep(0s);
        co_await condition.acquire();
        auto users = start_each("xy", use, condition, trace);
        co_await sleep(0s);
        condition.notify();
        condition.release();
        co_await passes(8);
        trace(tail(condition));
    });
    EXPECT_EQ(text, "3:x, 4:x out, 5:y, 6:y out, 7:a True [locked] [locked], 10:[unlocked]");
}

TEST(Condition, IsLeftByATaskThatCancelledItself) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        Condition condition(lock);
        auto task = create_task([&]() -> Coro<> {
            current_task().cancel("mine");
            co_await wait_as("a", lock, condition, trace);
        });
        co_await task;
        trace(tail(condition));
    });
    EXPECT_EQ(text, "2:a CancelledError('mine') [locked] [locked], 3:[unlocked]");
}

/// Waits for `wake` in vain; is cancelled with "foo" after `meanwhile`.
template <class Meanwhile>
std::string message_of_cancelled_wait(Meanwhile meanwhile) {
    std::string text;
    run_test([&]() -> Coro<> {
        Condition condition;
        bool wake = false;
        const void* raised = nullptr;
        auto task = create_task([&]() -> Coro<> {
            auto guard = co_await condition.guard();
            try {
                co_await condition.wait_for([&] { return wake; });
            } catch (const CancelledError& error) {
                raised = error.request().get();
                throw;
            }
        });
        co_await sleep(0s);
        co_await meanwhile(condition, wake);
        task.cancel("foo");
        if (wake) condition.release();
        try {
            co_await task;
        } catch (const CancelledError& error) {
            text = caught();
            EXPECT_EQ(error.request().get(), raised);
        }
    });
    return text;
}

// CPython: test_locks.py, ConditionTests.test_cancelled_error_wakeup
TEST(Condition, ThrowsTheCancelledErrorOfTheWaitItself) {
    std::string text = message_of_cancelled_wait([](Condition&, bool&) -> Coro<> { co_return; });
    EXPECT_EQ(text, "CancelledError('foo')");
}

// CPython: test_locks.py, ConditionTests.test_cancelled_error_re_aquire
TEST(Condition, ThrowsTheCancelledErrorOfTheWaitForTheLock) {
    std::string text = message_of_cancelled_wait([](Condition& condition, bool& wake) -> Coro<> {
        co_await condition.acquire();
        wake = true;
        condition.notify();
        co_await sleep(0s);
    });
    EXPECT_EQ(text, "CancelledError('foo')");
}

/// Two consumers, one item: the first consumer is cancelled `delay` passes after it was notified.
int items_left_over(int delay) {
    int state = 0;
    int left = -1;
    run_test([&]() -> Coro<> {
        Condition condition;
        auto consume = [&]() -> Coro<> {
            auto guard = co_await condition.guard();
            while (true) {
                co_await condition.wait_for([&] { return state != 0; });
                if (state < 0) co_return;
                --state;
            }
        };
        auto first = create_task(consume());
        auto second = create_task(consume());
        co_await sleep(0s);
        {
            auto guard = co_await condition.guard();
            ++state;
            condition.notify(1);
            co_await passes(delay);
            first.cancel();
            try {
                co_await with(timeout(10ms),
                              [&]() -> Coro<> { co_await condition.wait_for([&] { return state == 0; }); });
            } catch (const TimeoutError&) {
            }
            left = state;
            state = -1;
            condition.notify_all();
        }
        co_await second;
    });
    return left;
}

// CPython: test_locks.py, ConditionTests.test_cancelled_wakeup
TEST(Condition, LosesNoWakeUpWhenItsWaiterIsCancelledInTheSameStep) { EXPECT_EQ(items_left_over(0), 0); }

// CPython: test_locks.py, ConditionTests.test_cancelled_wakeup_relock
TEST(Condition, LosesNoWakeUpWhenItsWaiterIsCancelledWhileItTakesTheLock) { EXPECT_EQ(items_left_over(1), 0); }

TEST(Condition, ThatDiesLeavesItsWaitersTheLock) {
    for (bool cancelled : {false, true}) {
        std::string text = trace_of([&](Trace& trace) -> Coro<> {
            Lock lock;
            auto condition = std::make_unique<Condition>(lock);
            auto wait = [&]() -> Coro<> {
                auto guard = co_await lock.guard();
                std::string end = co_await outcome_of(condition->wait());
                trace(end, tail(lock));
            };
            auto task = create_task(wait());
            co_await passes(1);
            {
                auto guard = co_await lock.guard();
                condition->notify_all();
                co_await passes(2);
                trace(tail(lock));
                condition.reset();
                if (cancelled) task.cancel();
                co_await passes(2);
            }
            co_await task;
            trace(tail(lock));
        });
        EXPECT_EQ(text, cancelled ? "3:[locked, waiters:1], 6:CancelledError() [locked], 7:[unlocked]"
                                  : "3:[locked, waiters:1], 6:nothing [locked], 7:[unlocked]");
    }
}

}  // namespace
