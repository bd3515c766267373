#include <asyncio/tasks/to_thread.h>

#include <asyncio/context/context.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/run_test.h"
#include "support/sleep_watch.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::run_test;

namespace {

Coro<> hour() { co_await sleep(3600s); }

int sum(std::vector<int> values) { return std::accumulate(values.begin(), values.end(), 0); }

// CPython: test_threads.py, ToThreadTests.test_to_thread
TEST(ToThread, GivesTheResultOfACallOnAnotherThread) {
    std::thread::id there;
    int result = run_test([&]() -> Coro<int> {
        std::vector<int> values = {40, 2};
        auto call = [&](std::vector<int> given) {
            there = std::this_thread::get_id();
            return sum(std::move(given));
        };
        co_return co_await to_thread(call, values);
    });
    EXPECT_EQ(result, 42);
    EXPECT_NE(there, std::this_thread::get_id());
}

// CPython: test_threads.py, ToThreadTests.test_to_thread_exception
TEST(ToThread, ThrowsTheVeryExceptionOfTheCall) {
    const void* thrown = nullptr;
    run_test([&]() -> Coro<> {
        auto fail = [&] {
            try {
                throw RuntimeError("test");
            } catch (const RuntimeError& error) {
                thrown = &error;
                throw;
            }
        };
        try {
            co_await to_thread(fail);
            ADD_FAILURE();
        } catch (const RuntimeError& error) {
            EXPECT_STREQ(error.what(), "test");
            EXPECT_EQ(&error, thrown);
        }
    });
}

// CPython: test_threads.py, ToThreadTests.test_to_thread_once
TEST(ToThread, CallsTheFunctionOnceAndOnlyWhenItIsAwaited) {
    std::atomic<int> calls = 0;
    run_test([&]() -> Coro<> {
        auto call = [&] { ++calls; };
        Coro<> coro = to_thread(call);
        EXPECT_TRUE(iscoroutine(coro));
        co_await sleep(1s);
        EXPECT_EQ(calls, 0);
        co_await std::move(coro);
    });
    EXPECT_EQ(calls, 1);
}

// CPython: test_threads.py, ToThreadTests.test_to_thread_concurrent
TEST(ToThread, MakesTenCallsThatAreGathered) {
    std::atomic<int> calls = 0;
    run_test([&]() -> Coro<> {
        std::vector<Coro<>> coroutines;
        auto call = [&] { ++calls; };
        for (int i = 0; i < 10; ++i) coroutines.push_back(to_thread(call));
        co_await gather(std::move(coroutines));
        EXPECT_EQ(calls, 10);
    });
}

TEST(ToThread, RunsSeveralCallsAtTheSameTime) {
    run_test([]() -> Coro<> {
        Gate first;
        Gate second;
        auto meet = [](Gate& mine, Gate& other) {
            mine.open();
            other.wait();  // for ever, if they were made one after the other
            return 1;
        };
        auto both = co_await gather(to_thread(meet, std::ref(first), std::ref(second)),
                                    to_thread(meet, std::ref(second), std::ref(first)));
        EXPECT_EQ(both, std::tuple(1, 1));
    });
}

ContextVar<std::string> test_var{"test_ctx", "unset"};

// CPython: test_threads.py, ToThreadTests.test_to_thread_contextvars
TEST(ToThread, SeesTheContextOfWhoeverAwaitsItAndKeepsItsOwnChanges) {
    run_test([&]() -> Coro<> {
        auto read = [] { return test_var.get(); };
        Coro<std::string> made_before = to_thread(read);
        test_var.set("parrot");
        std::string seen = co_await std::move(made_before);  // CPython: copied by the coroutine's first step
        EXPECT_EQ(seen, "parrot");
        auto change = [] { test_var.set("changed"); };
        co_await to_thread(change);
        EXPECT_EQ(test_var.get(), "parrot");
    });
}

struct Tracked {
    explicit Tracked(std::atomic<int>& live) : live_(&live) { ++*live_; }
    Tracked(const Tracked& other) : live_(other.live_), copies(other.copies + 1) { ++*live_; }
    Tracked(Tracked&& other) noexcept : live_(other.live_), copies(other.copies) { ++*live_; }
    ~Tracked() { --*live_; }
    std::atomic<int>* live_;
    int copies = 0;
};

// CPython: test_threads.py, ToThreadTests.test_to_thread_args_kwargs
TEST(ToThread, CopiesLvaluesMovesRvaluesAndDestroysThemBeforeItGoesOn) {
    std::atomic<int> live = 0;
    run_test([&]() -> Coro<> {
        auto copies = [](Tracked value, std::unique_ptr<int> moved) { return value.copies * 10 + *moved; };
        auto one = std::make_unique<int>(1);
        {
            Tracked kept(live);
            int copied = co_await to_thread(copies, kept, std::move(one));
            EXPECT_EQ(copied, 11);
            EXPECT_EQ(live, 1);
        }
        one = std::make_unique<int>(2);
        int moved = co_await to_thread(copies, Tracked(live), std::move(one));
        EXPECT_EQ(moved, 2);
        EXPECT_EQ(live, 0);
        {
            [[maybe_unused]] auto never_awaited = to_thread([](const Tracked&) {}, Tracked(live));
        }
        EXPECT_EQ(live, 0);
    });
}

struct Account {
    int balance = 7;
    int add(int amount) { return balance += amount; }
    int& cell() { return balance; }
};

TEST(ToThread, TakesMemberFunctionsReferencesAndMoveOnlyResults) {
    run_test([]() -> Coro<> {
        Account account;
        int sum = co_await to_thread(&Account::add, &account, 5);
        EXPECT_EQ(sum, 12);
        sum = co_await to_thread(&Account::add, std::ref(account), 1);
        EXPECT_EQ(sum, 13);
        sum = co_await to_thread(&Account::add, account, 100);
        EXPECT_EQ(sum, 113);
        EXPECT_EQ(account.balance, 13);
        int& cell = co_await to_thread(&Account::cell, &account);
        EXPECT_EQ(&cell, &account.balance);
        std::unique_ptr<int> pointer = co_await to_thread([] { return std::make_unique<int>(3); });
        EXPECT_EQ(*pointer, 3);
        auto once = [](std::unique_ptr<int> counted) { return counted; };
        pointer = co_await to_thread(once, std::make_unique<int>(4));
        EXPECT_EQ(*pointer, 4);
    });
}

TEST(ToThread, CanBeTheMainCoroutineOfRun) { EXPECT_EQ(asyncio::run(to_thread(sum, std::vector{1, 2})), 3); }

TEST(ToThread, ShowsThatItsTaskWaitsForAThread) {
    run_test([]() -> Coro<> {
        Gate gate;
        Task<> task = create_task(to_thread([&] { gate.wait(); }));
        co_await sleep(0s);
        auto& state = static_cast<detail::TaskBase&>(*task.state_or_null());
        EXPECT_EQ(state.waiting_on()->edge().kind, WaitKind::thread);
        gate.open();
        co_await task;
    });
}

TEST(ToThread, VirtualTimeStandsStillWhileTheCallRunsAndJumpsAfterIt) {
    support::run_watched([](support::SleepWatch& watch) -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        Task<> sleeper = create_task(hour());
        co_await to_thread([&] { watch.wait_until_the_loop_sleeps(); });
        EXPECT_EQ(loop.time(), start);
        EXPECT_FALSE(sleeper.done());
        co_await sleeper;
        EXPECT_EQ(loop.time() - start, Seconds(3600));
    });
}

TEST(ToThread, CancellingEndsTheAwaitAtOnceWhileTheCallRunsOn) {
    Gate gate;
    std::atomic<bool> ended = false;
    run_test([&]() -> Coro<> {
        Gate begun;
        auto stubborn = [&] {
            begun.open();
            gate.wait();
            ended = true;
            throw ValueError("unseen");
        };
        Task<> task = create_task(to_thread(stubborn));
        co_await sleep(0s);
        begun.wait();
        task.cancel("enough");
        try {
            co_await task;
            ADD_FAILURE();
        } catch (const CancelledError& error) {
            EXPECT_STREQ(error.what(), "enough");
        }
        EXPECT_FALSE(ended);
        co_await sleep(1s);  // nobody waits for the thread: time goes on
        gate.open();
    });
    EXPECT_TRUE(ended);  // run() has joined it
}

TEST(ToThread, ACallThatHasNotBegunIsTakenBackWhenItsTaskIsCancelled) {
    ThreadPoolExecutor one(1);
    std::atomic<int> live = 0;
    run_test([&]() -> Coro<> {
        get_running_loop().set_default_executor(one);
        Gate gate;
        bool ran = false;
        Task<> first = create_task(to_thread([&] { gate.wait(); }));
        Task<> second = create_task(to_thread([&](const Tracked&) { ran = true; }, Tracked(live)));
        co_await sleep(0s);
        second.cancel();
        try {
            co_await second;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        EXPECT_EQ(live, 0);
        gate.open();
        co_await first;
        EXPECT_FALSE(ran);
    });
}

TEST(ToThread, AFunctionThatTakesAStopTokenIsAskedToStopWhenItsTaskIsCancelled) {
    std::atomic<int> stopped_at = 0;
    run_test([&]() -> Coro<> {
        Gate begun;
        auto loop_until_stopped = [&](std::stop_token stop, int value) {
            begun.open();
            while (!stop.stop_requested()) std::this_thread::yield();
            stopped_at = value;
        };
        Task<> task = create_task(to_thread(loop_until_stopped, 5));
        co_await sleep(0s);
        begun.wait();
        task.cancel();
        try {
            co_await task;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
    });
    EXPECT_EQ(stopped_at, 5);
}

TEST(ToThread, AStopTokenIsNotStoppedWhenTheCallEndsByItself) {
    run_test([]() -> Coro<> {
        bool stopped = co_await to_thread([](std::stop_token stop) { return stop.stop_requested(); });
        EXPECT_FALSE(stopped);
        std::size_t count = co_await to_thread([](auto... args) { return sizeof...(args); }, 1, 2);
        EXPECT_EQ(count, 2u);  // callable as it is: no token
    });
}

TEST(ToThread, AFunctionStillRunningWhenTheLoopIsClosedIsAskedToStop) {
    Gate begun;
    Gate stopped;
    Task<> task;
    {
        EventLoop loop;
        auto until_stopped = [&](std::stop_token stop) {
            begun.open();
            while (!stop.stop_requested()) std::this_thread::yield();
            stopped.open();
        };
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        task = loop.create_task(to_thread(until_stopped));
        loop.call_soon([&] { loop.stop(); });
        loop.run_forever();
        begun.wait();
    }
    stopped.wait();
    EXPECT_FALSE(task.done());
}

TEST(ToThread, ThrowsRuntimeErrorAfterTheDefaultExecutorWasShutDown) {
    run_test([]() -> Coro<> {
        co_await to_thread([] {});
        co_await get_running_loop().shutdown_default_executor();
        try {
            co_await to_thread([] {});
            ADD_FAILURE();
        } catch (const RuntimeError& error) {
            EXPECT_STREQ(error.what(), "Executor shutdown has been called");
        }
    });
}

}  // namespace
