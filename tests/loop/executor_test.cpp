#include <asyncio/loop/executor.h>

#include <asyncio/context/context.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/run_test.h"
#include "support/sleep_watch.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::outcome;
using support::run_test;

namespace {

/// Keeps its jobs until they are run by hand.
class ManualExecutor final : public Executor {
public:
    void submit(ExecutorJob& job) override {
        if (refuses) throw RuntimeError("refused");
        jobs.push_back(&job);
    }
    bool try_cancel(ExecutorJob& job) noexcept override { return std::erase(jobs, &job) == 1; }
    void shutdown(bool wait) override { shutdowns += wait ? 'w' : 'n'; }
    void run_next() {
        ExecutorJob* job = jobs.front();
        jobs.erase(jobs.begin());
        job->run();
    }
    std::vector<ExecutorJob*> jobs;
    std::string shutdowns;
    bool refuses = false;
};

class InlineExecutor final : public Executor {
public:
    void submit(ExecutorJob& job) override { job.run(); }
    bool try_cancel(ExecutorJob&) noexcept override { return false; }
    void shutdown(bool) override {}
};

// CPython: test_events.py, EventLoopTestsMixin.test_run_in_executor
TEST(Executor, RunsTheFunctionInAnotherThreadAndGivesItsResult) {
    run_test([]() -> Coro<> {
        auto call = [](std::string text) { return std::pair{text, std::this_thread::get_id()}; };
        std::pair<std::string, std::thread::id> result =
            co_await get_running_loop().run_in_executor(nullptr, call, "yo");
        EXPECT_EQ(result.first, "yo");
        EXPECT_NE(result.second, std::this_thread::get_id());
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_run_in_executor_cancel
TEST(Executor, AThreadThatEndsAfterItsFutureWasCancelledAndTheLoopClosedTouchesNothing) {
    Gate begun;
    Gate gate;
    Gate ended;
    support::Reports reports;
    {
        EventLoop loop;
        reports.listen(loop);
        auto call = [&, kept = std::shared_ptr<Gate>(&ended, [](Gate* last) { last->open(); })] {
            begun.open();
            gate.wait();
        };
        Future<> future = loop.run_in_executor(nullptr, std::move(call));
        future.cancel();
        begun.wait();
        loop.stop();
        loop.run_forever();
        EXPECT_TRUE(future.cancelled());
        loop.close();
    }
    gate.open();
    ended.wait();  // what the call kept is gone, so the call is over
    EXPECT_EQ(reports.str(), "");
}

// CPython: test_base_events.py, BaseEventLoopTests.test_set_default_executor
TEST(Executor, ADefaultExecutorOfYoursIsUsedAndShutDownWithTheLoop) {
    ManualExecutor manual;
    EventLoop loop({.clock = VirtualClock{}});
    loop.set_default_executor(manual);
    Future<int> future = loop.run_in_executor(nullptr, [] { return 1; });
    ASSERT_EQ(manual.jobs.size(), 1u);
    std::thread([&] { manual.run_next(); }).join();
    EXPECT_FALSE(future.done());
    EXPECT_EQ(loop.run_until_complete(future), 1);
    loop.run_until_complete(loop.shutdown_default_executor());
    EXPECT_EQ(manual.shutdowns, "w");
    loop.close();
    EXPECT_EQ(manual.shutdowns, "wn");
}

TEST(Executor, OneThatRunsItAtOnceGivesAFutureThatIsDone) {
    run_test([]() -> Coro<> {
        InlineExecutor at_once;
        Future<int> future = get_running_loop().run_in_executor(&at_once, [] { return 5; });
        EXPECT_TRUE(future.done());
        EXPECT_EQ(future.result(), 5);
        auto fail = []() -> int { throw ValueError("bad"); };
        Future<int> failed = get_running_loop().run_in_executor(&at_once, fail);
        EXPECT_EQ(outcome([&] { return failed.result(); }), "ValueError('bad')");
        co_await sleep(1s);
    });
}

TEST(Executor, WhatItThrowsInSubmitLeavesRunInExecutorAndNothingIsLeftBehind) {
    run_test([]() -> Coro<> {
        ManualExecutor manual;
        manual.refuses = true;
        auto argument = std::make_shared<int>(1);
        EXPECT_EQ(outcome([&] { return get_running_loop().run_in_executor(&manual, [argument] {}); }),
                  "RuntimeError('refused')");
        EXPECT_EQ(argument.use_count(), 1);
        co_await sleep(1s);  // the clock jumps
    });
}

TEST(Executor, ACallThatWasCancelledBeforeItBeganIsTakenBackInTheNextPass) {
    run_test([]() -> Coro<> {
        ManualExecutor manual;
        auto argument = std::make_shared<int>(1);
        Future<> future = get_running_loop().run_in_executor(&manual, [argument] {});
        future.cancel();
        EXPECT_EQ(manual.jobs.size(), 1u);
        co_await sleep(0s);
        EXPECT_EQ(manual.jobs.size(), 0u);
        EXPECT_EQ(argument.use_count(), 1);
        co_await sleep(1s);
    });
}

// Its threads are left to themselves, and run what was submitted.
TEST(Executor, DestroyedAfterAShutdownThatDidNotWaitItIsNotAskedToTakeACallBack) {
    Gate begun;
    Gate gate;
    run_test([&]() -> Coro<> {
        Future<> running;
        Future<int> waiting;
        {
            ThreadPoolExecutor pool(1);
            auto block = [&] {
                begun.open();
                gate.wait();
            };
            running = get_running_loop().run_in_executor(&pool, block);
            waiting = get_running_loop().run_in_executor(&pool, [] { return 1; });
            begun.wait();
            pool.shutdown(false);
        }
        waiting.cancel();
        co_await sleep(0s);
        EXPECT_TRUE(waiting.cancelled());
        gate.open();
        co_await running;
    });
}

TEST(Executor, ExceptionsAndMoveOnlyValuesComeBack) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto fail = [] { throw ValueError("over there"); };
        Future<> failed = loop.run_in_executor(nullptr, fail);
        try {
            co_await failed;
            ADD_FAILURE();
        } catch (const ValueError& error) {
            EXPECT_STREQ(error.what(), "over there");
        }
        auto half = [](std::unique_ptr<int> value) { return std::make_unique<int>(*value / 2); };
        auto four = std::make_unique<int>(4);
        std::unique_ptr<int> two = co_await loop.run_in_executor(nullptr, half, std::move(four));
        EXPECT_EQ(*two, 2);
        auto cancelled = [] { throw CancelledError("not me"); };
        Future<> odd = loop.run_in_executor(nullptr, cancelled);
        try {
            co_await odd;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        EXPECT_FALSE(odd.cancelled());  // CPython: it is the future's exception
    });
}

ContextVar<int> number{"number", 0};

TEST(Executor, RunInExecutorPassesNoContext) {
    run_test([]() -> Coro<> {
        number.set(5);
        int seen = co_await get_running_loop().run_in_executor(nullptr, [] { return number.get(); });
        EXPECT_EQ(seen, 0);
    });
}

TEST(Executor, ALoopClosedWhileACallIsOnItsWayDropsTheOutcome) {
    ManualExecutor manual;
    auto result = std::make_shared<int>(1);
    for (bool posted : {true, false}) {
        EventLoop loop;
        Future<std::shared_ptr<int>> future = loop.run_in_executor(&manual, [&] { return result; });
        if (posted) std::thread([&] { manual.run_next(); }).join();
        loop.close();
        EXPECT_FALSE(future.done());
        if (!posted) std::thread([&] { manual.run_next(); }).join();
    }
    EXPECT_EQ(result.use_count(), 1);
}

TEST(Executor, AClosedLoopAndAnExecutorShutDownRefuse) {
    EventLoop loop;
    loop.run_until_complete(loop.shutdown_default_executor());
    EXPECT_EQ(outcome([&] { return loop.run_in_executor(nullptr, [] {}); }),
              "RuntimeError('Executor shutdown has been called')");
    loop.close();
    EXPECT_EQ(outcome([&] { return loop.run_in_executor(nullptr, [] {}); }), "RuntimeError('Event loop is closed')");
}

std::string logged;

// CPython: test_base_events.py, BaseEventLoopTests.test_shutdown_default_executor_timeout
TEST(Executor, ShutdownGivesUpAfterItsTimeoutAndNamesTheCall) {
    logged.clear();
    LogHandler before = set_log_handler([](LogLevel level, std::string_view message) {
        EXPECT_EQ(level, LogLevel::warning);
        logged += message;
    });
    struct StuckCall {
        Gate* gate;
        void operator()() const { gate->wait(); }
    };
    Gate gate;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Gate begun;
        auto easy = [&] { begun.open(); };
        StuckCall stuck{&gate};
        Future<> future = loop.run_in_executor(nullptr, stuck);
        co_await loop.run_in_executor(nullptr, easy);
        begun.wait();
        co_await loop.shutdown_default_executor(0.01);
        EXPECT_EQ(outcome([&] { return loop.run_in_executor(nullptr, [] {}); }),
                  "RuntimeError('Executor shutdown has been called')");
        gate.open();
        co_await future;  // its outcome comes all the same
    });
    set_log_handler(before);
    std::string sentence = "The executor did not finishing joining its threads within 0.01 seconds. Still running: ";
    EXPECT_EQ(logged.substr(0, sentence.size()), sentence);
    EXPECT_NE(logged.find("StuckCall"), std::string::npos);
}

/// Takes its time to end the thread that shuts it down.
class SlowToLeaveExecutor : public Executor {
public:
    void submit(ExecutorJob& job) override { job.run(); }
    bool try_cancel(ExecutorJob&) noexcept override { return false; }
    void shutdown(bool) override {
        struct Leaving {
            std::atomic<bool>* left = nullptr;
            ~Leaving() {
                std::this_thread::sleep_for(50ms);
                *left = true;
            }
        };
        thread_local Leaving leaving;
        leaving.left = &left;
    }
    std::atomic<bool> left = false;
};

TEST(Executor, TheThreadThatWaitedForItsShutdownIsJoined) {
    for (std::optional<Seconds> timeout : {std::optional<Seconds>(), std::optional<Seconds>(60.0)}) {
        SlowToLeaveExecutor executor;
        EventLoop loop;
        loop.set_default_executor(executor);
        loop.run_until_complete(loop.shutdown_default_executor(timeout));
        EXPECT_TRUE(executor.left);
    }
}

TEST(Executor, AWaitForItsShutdownCanBeCancelled) {
    Gate gate;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Future<> future = loop.run_in_executor(nullptr, [&] { gate.wait(); });
        Task<> task = create_task(loop.shutdown_default_executor());
        co_await sleep(0s);
        co_await sleep(0s);
        task.cancel();
        try {
            co_await task;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        gate.open();
        co_await future;
    });
}

TEST(Executor, VirtualTimeWaitsForCallsUntilTheyAreDeliveredOrTakenBack) {
    support::run_watched([](support::SleepWatch& watch) -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        auto an_hour = []() -> Coro<> { co_await sleep(3600s); };
        Task<> sleeper = create_task(an_hour());
        ManualExecutor manual;
        Future<> first = loop.run_in_executor(&manual, [] {});
        Future<> second = loop.run_in_executor(&manual, [] {});
        std::thread thread([&] {
            watch.wait_until_the_loop_sleeps();
            manual.run_next();
        });
        co_await first;
        thread.join();
        EXPECT_EQ(loop.time(), start);
        second.cancel();
        co_await sleeper;
        EXPECT_EQ(loop.time() - start, Seconds(3600));
    });
}

}  // namespace
