// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/condition.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

/// Acquires, waits, and releases only if `and_releases`.
struct Waiting {
    Condition condition;
    std::string result;

    Coro<> wait(char name, bool and_releases) {
        co_await condition.acquire();
        bool ok = co_await condition.wait();
        if (ok) result += name;
        if (and_releases) condition.release();
    }
    std::vector<Task<>> start(std::string_view names, bool and_releases) {
        std::vector<Task<>> tasks;
        for (char name : names) tasks.push_back(create_task(wait(name, and_releases)));
        return tasks;
    }
};

// CPython: test_locks.py, ConditionTests.test_wait
TEST(Condition, LetsANotifiedWaiterGoOnOnlyWhenItHasTheLock) {
    run_test([]() -> Coro<> {
        Waiting waiting;
        Condition& condition = waiting.condition;
        auto tasks = waiting.start("123", false);
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "");
        EXPECT_FALSE(condition.locked());
        bool ok = co_await condition.acquire();
        EXPECT_TRUE(ok);
        condition.notify();
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "");
        EXPECT_TRUE(condition.locked());
        condition.release();
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "1");
        EXPECT_TRUE(condition.locked());
        condition.notify(2);
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "1");
        condition.release();
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "12");
        condition.release();
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "123");
        EXPECT_TRUE(condition.locked());
        for (auto& task : tasks) EXPECT_TRUE(task.done());
    });
}

// CPython: test_locks.py, ConditionTests.test_wait_cancel
TEST(Condition, HasTheLockAgainWhenAWaitWasCancelled) {
    run_test([]() -> Coro<> {
        Condition condition;
        co_await condition.acquire();
        auto task = ensure_future(condition.wait());
        get_running_loop().call_soon([&] { task.cancel(); });
        std::string outcome = co_await outcome_of(task);
        EXPECT_EQ(outcome, "CancelledError()");
        EXPECT_EQ(tail(condition), "[locked]");
    });
}

// CPython: test_locks.py, ConditionTests.test_wait_cancel_contested
TEST(Condition, HasTheLockAgainWhenACancelMeetsANotificationAndTheLockIsContested) {
    run_test([]() -> Coro<> {
        Condition condition;
        co_await condition.acquire();
        auto task = ensure_future(condition.wait());
        co_await sleep(0s);
        EXPECT_FALSE(condition.locked());
        co_await condition.acquire();
        condition.notify();
        get_running_loop().call_soon([&] { task.cancel(); });
        get_running_loop().call_soon([&] { condition.release(); });
        co_await outcome_of(task);
        EXPECT_TRUE(condition.locked());
    });
}

// CPython: test_locks.py, ConditionTests.test_wait_cancel_after_notify
TEST(Condition, DeliversACancelWhenTheLockIsHadAgain) {
    run_test([]() -> Coro<> {
        Condition condition;
        bool waited = false;
        auto wait = [&]() -> Coro<> {
            auto guard = co_await condition.guard();
            waited = true;
            co_await condition.wait();
        };
        auto waiter = create_task(wait());
        co_await sleep(0s);
        co_await condition.acquire();
        condition.notify();
        co_await sleep(0s);
        waiter.cancel();
        co_await sleep(0s);
        condition.release();
        co_await sleep(0s);
        EXPECT_TRUE(waiter.cancelled());
        EXPECT_TRUE(waited);
    });
}

// CPython: test_locks.py, ConditionTests.test_wait_unacquired
// CPython: test_locks.py, ConditionTests.test_notify_unacquired
// CPython: test_locks.py, ConditionTests.test_notify_all_unacquired
TEST(Condition, IsOfNoUseWithoutTheLock) {
    run_test([]() -> Coro<> {
        Condition condition;
        std::string error = co_await outcome_of(condition.wait());
        EXPECT_EQ(error, "RuntimeError('cannot wait on un-acquired lock')");
        EXPECT_EQ(outcome([&] { return (condition.notify(), 0); }),
                  "RuntimeError('cannot notify on un-acquired lock')");
        EXPECT_EQ(outcome([&] { return (condition.notify_all(), 0); }),
                  "RuntimeError('cannot notify on un-acquired lock')");
        EXPECT_EQ(outcome([&] { return (condition.release(), 0); }), "RuntimeError('Lock is not acquired.')");
    });
}

// CPython: test_locks.py, ConditionTests.test_wait_for
TEST(Condition, ChecksThePredicateAfterEveryNotification) {
    run_test([]() -> Coro<> {
        Condition condition;
        bool ready = false;
        std::string result;
        auto task = create_task([&]() -> Coro<> {
            co_await condition.acquire();
            bool ok = co_await condition.wait_for([&] { return ready; });
            if (ok) result += '1';
            condition.release();
        });
        co_await sleep(0s);
        EXPECT_EQ(result, "");
        for (bool value : {false, true}) {
            ready = value;
            co_await condition.acquire();
            condition.notify();
            condition.release();
            co_await sleep(0s);
            EXPECT_EQ(result, value ? "1" : "");
        }
        EXPECT_TRUE(task.done());
    });
}

// CPython: test_locks.py, ConditionTests.test_wait_for_unacquired
TEST(Condition, NeedsNoLockForAPredicateThatIsTrue) {
    run_test([]() -> Coro<> {
        Condition condition;
        auto found = co_await condition.wait_for([] { return std::optional<std::string>("here"); });
        EXPECT_EQ(*found, "here");
        std::string error = co_await outcome_of(condition.wait_for([] { return false; }));
        EXPECT_EQ(error, "RuntimeError('cannot wait on un-acquired lock')");
    });
}

// CPython: test_locks.py, ConditionTests.test_notify
TEST(Condition, NotifiesSoManyInOrder) {
    run_test([]() -> Coro<> {
        Waiting waiting;
        Condition& condition = waiting.condition;
        auto tasks = waiting.start("123", true);
        co_await sleep(0s);
        co_await condition.acquire();
        condition.notify(0);
        condition.notify(-1);
        condition.notify(1);
        condition.release();
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "1");
        co_await condition.acquire();
        condition.notify(1);
        condition.notify(2048);
        condition.release();
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "123");
        for (auto& task : tasks) EXPECT_TRUE(task.done());
    });
}

TEST(Condition, ANumberThatFitsNoSignedOneIsALargeOneAndWakesAll) {
    run_test([]() -> Coro<> {
        Waiting waiting;
        auto tasks = waiting.start("123", true);
        co_await sleep(0s);
        co_await waiting.condition.acquire();
        waiting.condition.notify(SIZE_MAX);
        waiting.condition.release();
        for (int i = 0; i < 5; ++i) {
            co_await sleep(0s);
        }
        EXPECT_EQ(waiting.result, "123");
    });
}

// CPython: test_locks.py, ConditionTests.test_notify_all
TEST(Condition, NotifiesAllInOrder) {
    run_test([]() -> Coro<> {
        Waiting waiting;
        auto tasks = waiting.start("12", true);
        co_await sleep(0s);
        co_await waiting.condition.acquire();
        waiting.condition.notify_all();
        waiting.condition.release();
        co_await sleep(0s);
        EXPECT_EQ(waiting.result, "12");
        for (auto& task : tasks) EXPECT_TRUE(task.done());
    });
}

// CPython: test_locks.py, ConditionTests.test_context_manager
TEST(Condition, IsLockedInsideAWith) {
    run_test([]() -> Coro<> {
        Condition condition;
        bool inside = co_await with(condition, [](Condition& held) { return held.locked(); });
        EXPECT_TRUE(inside);
        EXPECT_FALSE(condition.locked());
        {
            Condition::Guard guard = co_await condition.guard();
            EXPECT_TRUE(condition.locked());
        }
        EXPECT_FALSE(condition.locked());
    });
}

// CPython: test_locks.py, ConditionTests.test_explicit_lock
TEST(Condition, SharesTheStateOfALockThatItIsGiven) {
    run_test([]() -> Coro<> {
        Lock lock;
        Condition condition(lock);
        {
            auto guard = co_await condition.guard();
            EXPECT_TRUE(lock.locked() && condition.locked());
        }
        EXPECT_FALSE(lock.locked() || condition.locked());
        {
            auto guard = co_await lock.guard();
            EXPECT_TRUE(lock.locked() && condition.locked());
        }
        EXPECT_FALSE(lock.locked() || condition.locked());
    });
}

// CPython: test_locks.py, ConditionTests.test_timeout_in_block
TEST(Condition, HasTheLockAgainAfterATimeout) {
    run_test([]() -> Coro<> {
        Condition condition;
        co_await with(condition, [&]() -> Coro<> {
            std::string error = co_await outcome_of(wait_for(condition.wait(), 0.5s));
            EXPECT_EQ(error, "TimeoutError()");
            EXPECT_TRUE(condition.locked());
        });
        EXPECT_FALSE(condition.locked());
    });
}

TEST(Condition, PrintsItselfAsPythonDoes) {
    run_test([]() -> Coro<> {
        Condition condition;
        char address[32];
        std::snprintf(address, sizeof address, "%p", static_cast<void*>(&condition));
        EXPECT_EQ(repr(condition), std::string("<asyncio.locks.Condition object at ") + address + " [unlocked]>");
        co_await condition.acquire();
        EXPECT_EQ(repr(condition), std::string("<asyncio.locks.Condition object at ") + address + " [locked]>");
    });
}

TEST(Condition, BelongsToTheLoopInWhichATaskHadToWait) {
    Condition condition;
    auto wait = [&]() -> Coro<std::string> {
        co_await condition.acquire();
        auto task = ensure_future(condition.wait());
        co_await sleep(0s);
        if (!condition.locked()) {
            co_await condition.acquire();
            condition.notify();
            condition.release();
        }
        std::string outcome = co_await outcome_of(task);
        EXPECT_TRUE(condition.locked());
        condition.release();
        co_return outcome;
    };
    EXPECT_EQ(run_test(wait), "nothing");
    std::string text = repr(condition);
    text.replace(text.find("[unlocked]"), 10, "[locked]");
    EXPECT_EQ(run_test(wait), "RuntimeError('" + text + " is bound to a different event loop')");
}

}  // namespace
