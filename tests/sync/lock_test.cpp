// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/lock.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

Coro<> lock_twice(std::string name, Lock& lock, Trace& trace) {
    bool ok = co_await lock.acquire();
    trace(name, ok);
    lock.release();
    trace(name, "released", lock.locked());
    co_await lock.acquire();
    trace(name, "again");
    lock.release();
}

// CPython: test_locks.py, LockTests.test_acquire
TEST(Lock, GoesToTheFirstWaiterOnePassAfterTheReleaseAndNobodyOvertakes) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        auto tasks = start_each("abc", lock_twice, lock, trace);
        co_await sleep(0s);
        lock.release();
        trace("free", lock.locked(), tail(lock));
        bool ok = co_await lock.acquire();
        trace("main", ok);
        lock.release();
        for (auto& task : tasks) co_await task;
        trace(tail(lock));
    });
    EXPECT_EQ(
        text,
        "1:free False [unlocked, waiters:3], 2:a True, 2:a released False, 3:b True, 3:b released False, 4:c True, "
        "4:c released False, 5:main True, 6:a again, 7:b again, 8:c again, 9:[unlocked]");
}

TEST(Lock, MakesANewcomerQueueBehindAWokenWaiter) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        auto a = create_task(acquire_as<Lock>, "a", std::ref(lock), std::ref(trace));
        co_await sleep(0s);
        lock.release();
        auto b = create_task(acquire_as<Lock>, "b", std::ref(lock), std::ref(trace));
        co_await sleep(0s);
        lock.release();
        co_await passes(2);
        trace(tail(lock));
    });
    EXPECT_EQ(text, "2:a has it, 3:b has it, 4:[locked]");
}

// CPython: test_locks.py, LockTests.test_acquire_cancel
TEST(Lock, ForgetsACancelledWaiter) {
    run_test([]() -> Coro<> {
        Lock lock;
        bool ok = co_await lock.acquire();
        EXPECT_TRUE(ok);
        auto task = ensure_future(lock.acquire());
        get_running_loop().call_soon([&] { task.cancel(); });
        std::string outcome = co_await outcome_of(task);
        EXPECT_EQ(outcome, "CancelledError()");
        EXPECT_EQ(tail(lock), "[locked]");
    });
}

Coro<> hold(Lock& lock, Future<>* until) {
    auto guard = co_await lock.guard();
    if (until != nullptr) co_await *until;
}

// CPython: test_locks.py, LockTests.test_cancel_race
TEST(Lock, GoesToTheNextWaiterWhenTheFirstIsCancelledInTheStepOfTheRelease) {
    run_test([]() -> Coro<> {
        Lock lock;
        auto until = get_running_loop().create_future();
        auto a = create_task(hold(lock, &until));
        co_await sleep(0s);
        EXPECT_TRUE(lock.locked());
        auto b = create_task(hold(lock, nullptr));
        co_await sleep(0s);
        EXPECT_EQ(tail(lock), "[locked, waiters:1]");
        auto c = create_task(hold(lock, nullptr));
        co_await sleep(0s);
        EXPECT_EQ(tail(lock), "[locked, waiters:2]");
        until.set_result();
        b.cancel();
        co_await sleep(0s);
        EXPECT_FALSE(lock.locked());
        EXPECT_TRUE(a.done());
        EXPECT_TRUE(b.cancelled());
        co_await c;
    });
}

// CPython: test_locks.py, LockTests.test_cancel_release_race
TEST(Lock, GoesToExactlyOneWaiterWhenTheFirstIsCancelledBeforeTheRelease) {
    run_test([]() -> Coro<> {
        Lock lock;
        int calls = 0;
        int locked = 0;
        auto lockit = [&]() -> Coro<> {
            ++calls;
            co_await lock.acquire();
            ++locked;
        };
        co_await lock.acquire();
        auto t1 = create_task(lockit());
        auto t2 = create_task(lockit());
        auto t3 = create_task(lockit());
        co_await sleep(0s);
        get_running_loop().call_soon([&] {
            t1.cancel();
            lock.release();
        });
        std::string outcome = co_await outcome_of(t1);
        EXPECT_EQ(outcome, "CancelledError()");
        EXPECT_EQ(locked, 1);
        EXPECT_EQ(calls, 3);
        EXPECT_TRUE(t1.cancelled());
        EXPECT_TRUE(t2.done());
        t3.cancel();
        co_await sleep(0s);
        EXPECT_TRUE(t3.cancelled());
    });
}

// CPython: test_locks.py, LockTests.test_finished_waiter_cancelled
TEST(Lock, IsNotLostWhenTheOnlyWaiterIsCancelledAndANewcomerComes) {
    run_test([]() -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        auto b = ensure_future(lock.acquire());
        co_await sleep(0s);
        EXPECT_EQ(tail(lock), "[locked, waiters:1]");
        auto c = ensure_future(lock.acquire());
        b.cancel();
        lock.release();
        co_await sleep(0s);
        EXPECT_TRUE(lock.locked());
        EXPECT_TRUE(b.cancelled());
        co_await c;
    });
}

TEST(Lock, IsHandedOnByAWaiterThatIsCancelledAfterItWasWoken) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        auto tasks = start_each("abc", acquire_as<Lock>, lock, trace);
        co_await sleep(0s);
        lock.release();
        trace(tasks[0].cancel("late"), tail(lock));
        co_await passes(3);
        lock.release();
        co_await passes(3);
        trace(tail(lock));
    });
    EXPECT_EQ(text,
              "1:True [unlocked, waiters:3], 2:a CancelledError('late') [unlocked, waiters:2], 3:b has it, 5:c has it, "
              "7:[locked]");
}

TEST(Lock, WakesNobodyWhileACancelledWaiterIsFirst) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        auto tasks = start_each("abc", acquire_as<Lock>, lock, trace);
        co_await sleep(0s);
        tasks[0].cancel("first");
        lock.release();
        trace(tail(lock));
        co_await passes(3);
        trace(tail(lock));
        tasks[2].cancel();
        co_await passes(2);
    });
    EXPECT_EQ(text,
              "1:[unlocked, waiters:3], 2:a CancelledError('first') [unlocked, waiters:2], 3:b has it, "
              "4:[locked, waiters:1], 5:c CancelledError() [locked]");
}

TEST(Lock, CanBeTakenAtOnceWhenAllWaitersAreCancelled) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        auto tasks = start_each("ab", acquire_as<Lock>, lock, trace);
        co_await sleep(0s);
        tasks[0].cancel();
        tasks[1].cancel();
        lock.release();
        co_await lock.acquire();
        trace("main", tail(lock));
        co_await passes(2);
        trace(tail(lock));
    });
    EXPECT_EQ(text,
              "1:main [locked, waiters:2], 2:a CancelledError() [locked, waiters:1], 2:b CancelledError() [locked], "
              "3:[locked]");
}

TEST(Lock, KeepsTheOrderWhenWaitersAreCancelledWhileItIsLocked) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        auto tasks = start_each("abc", acquire_as<Lock>, lock, trace);
        co_await sleep(0s);
        tasks[1].cancel();
        tasks[0].cancel();
        co_await passes(2);
        lock.release();
        co_await passes(2);
        trace(tail(lock));
    });
    EXPECT_EQ(
        text,
        "2:b CancelledError() [locked, waiters:2], 2:a CancelledError() [locked, waiters:1], 4:c has it, 5:[locked]");
}

TEST(Lock, IsAcquiredAtOnceByATaskThatCancelledItself) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Lock lock;
        auto task = create_task([&]() -> Coro<> {
            current_task().cancel("mine");
            co_await lock.acquire();
            trace("got it");
            try {
                co_await lock.acquire();
            } catch (const CancelledError&) {
                trace(caught(), tail(lock));
            }
        });
        co_await task;
        trace(tail(lock));
    });
    EXPECT_EQ(text, "1:got it, 2:CancelledError('mine') [locked], 3:[locked]");
}

// CPython: test_locks.py, LockTests.test_release_not_acquired
TEST(Lock, CannotBeReleasedWhenItIsNotLocked) {
    Lock lock;
    EXPECT_EQ(outcome([&] { return (lock.release(), 0); }), "RuntimeError('Lock is not acquired.')");
}

// CPython: test_locks.py, LockTests.test_release_no_waiters
TEST(Lock, IsUnlockedByAReleaseWithoutWaiters) {
    run_test([]() -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        EXPECT_TRUE(lock.locked());
        lock.release();
        EXPECT_FALSE(lock.locked());
    });
}

// CPython: test_locks.py, LockTests.test_context_manager
TEST(Lock, IsLockedInsideAWith) {
    run_test([]() -> Coro<> {
        Lock lock;
        bool inside = co_await with(lock, [](Lock& held) { return held.locked(); });
        EXPECT_TRUE(inside);
        EXPECT_FALSE(lock.locked());
        try {
            co_await with(lock, [&]() -> Coro<> {
                co_await sleep(0s);
                throw ValueError("out");
            });
        } catch (const ValueError&) {
        }
        EXPECT_FALSE(lock.locked());
    });
}

TEST(LockGuard, ReleasesWhenItDies) {
    run_test([]() -> Coro<> {
        Lock lock;
        Lock::Guard kept;
        EXPECT_FALSE(static_cast<bool>(kept));
        {
            auto guard = co_await lock.guard();
            EXPECT_TRUE(lock.locked());
            kept = std::move(guard);
        }
        EXPECT_TRUE(lock.locked());
        kept.release();
        EXPECT_FALSE(lock.locked());
        kept.release();
        try {
            auto guard = co_await lock.guard();
            throw ValueError("out");
        } catch (const ValueError&) {
        }
        EXPECT_FALSE(lock.locked());
    });
}

TEST(LockGuard, ReportsAFailedReleaseToTheLoopsHandler) {
    Reports reports;
    run_test([&]() -> Coro<> {
        reports.listen(get_running_loop());
        Lock lock;
        auto guard = co_await lock.guard();
        lock.release();
    });
    EXPECT_EQ(reports.str(), "a guard could not release what it held: RuntimeError('Lock is not acquired.')");
}

TEST(Lock, BelongsToTheLoopInWhichATaskHadToWait) {
    Lock lock;
    auto contend = [&]() -> Coro<std::string> {
        co_await lock.acquire();
        auto waiter = ensure_future(lock.acquire());
        co_await sleep(0s);
        lock.release();
        try {
            co_await waiter;
        } catch (...) {
            co_return caught();
        }
        lock.release();
        co_return "no error";
    };
    auto pass = [&]() -> Coro<> {
        co_await lock.acquire();  // does not have to wait: any loop will do
        lock.release();
    };
    run_test(pass);
    EXPECT_EQ(run_test(contend), "no error");
    run_test(pass);
    std::string expected = repr(lock);
    expected.replace(expected.find("[unlocked"), std::string::npos, "[locked]>");
    EXPECT_EQ(run_test(contend), "RuntimeError('" + expected + " is bound to a different event loop')");
}

TEST(Lock, PrintsItselfAsPythonDoes) {
    run_test([]() -> Coro<> {
        Lock lock;
        char address[32];
        std::snprintf(address, sizeof address, "%p", static_cast<void*>(&lock));
        EXPECT_EQ(repr(lock), std::string("<asyncio.locks.Lock object at ") + address + " [unlocked]>");
        co_await lock.acquire();
        EXPECT_EQ(repr(lock), std::string("<asyncio.locks.Lock object at ") + address + " [locked]>");
    });
}

TEST(Lock, MayDieBeforeItsWaitersAreCancelled) {
    std::string text;
    run_test([&]() -> Coro<> {
        auto lock = std::make_unique<Lock>();
        co_await lock->acquire();
        auto wait = [&](Lock& waited) -> Coro<> {
            try {
                co_await waited.acquire();
            } catch (const CancelledError&) {
                text += caught();
                throw;
            }
        };
        create_task(wait, std::ref(*lock));
        create_task(wait, std::ref(*lock));
        co_await sleep(0s);
        lock.reset();
        co_await sleep(0s);
    });
    EXPECT_EQ(text, "CancelledError()CancelledError()");
}

}  // namespace
