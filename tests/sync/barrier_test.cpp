// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/barrier.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/wait.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

constexpr int n = 5;  // parties

template <class Function>
std::vector<Task<>> start(int count, Function& function) {
    std::vector<Task<>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(create_task(function()));
    return tasks;
}

void expect_usable(const Barrier& barrier) {
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_FALSE(barrier.broken());
    EXPECT_EQ(tail(barrier), "[filling, waiters:0/" + std::to_string(barrier.parties()) + "]");
}

Coro<> pass_as(std::string name, Barrier& barrier, Trace& trace) {
    try {
        int index = co_await barrier.wait();
        trace(name, index, tail(barrier));
    } catch (...) {
        trace(name, caught(), tail(barrier));
    }
}

// CPython: test_locks.py, BarrierTests.test_barrier_parties
TEST(Barrier, NeedsAtLeastOneParty) {
    EXPECT_EQ(outcome([] { return Barrier(0).parties(); }), "ValueError('parties must be >= 1')");
    EXPECT_EQ(outcome([] { return Barrier(-4).parties(); }), "ValueError('parties must be >= 1')");
    EXPECT_EQ(Barrier(n).parties(), n);
}

// CPython: test_locks.py, BarrierTests.test_context_manager
TEST(Barrier, GivesTheBodyOfAWithItsIndex) {
    run_test([]() -> Coro<> {
        Barrier barrier(3);
        std::vector<int> results;
        auto pass = [&]() -> Coro<> { co_await with(barrier, [&](int index) { results.push_back(index); }); };
        co_await gather(start(3, pass));
        std::sort(results.begin(), results.end());
        EXPECT_EQ(results, (std::vector<int>{0, 1, 2}));
        expect_usable(barrier);
    });
}

// CPython: test_locks.py, BarrierTests.test_filling_one_task
// CPython: test_locks.py, BarrierTests.test_filling_one_task_twice
TEST(Barrier, OfOneIsPassedAtOnceAgainAndAgain) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(1);
        for (int i = 0; i < 3; ++i) {
            int index = co_await barrier.wait();
            trace(index);
            expect_usable(barrier);
        }
    });
    EXPECT_EQ(text, "0:0, 0:0, 0:0");
}

// CPython: test_locks.py, BarrierTests.test_filling_task_by_task
TEST(Barrier, CountsThoseWhoWait) {
    run_test([]() -> Coro<> {
        Barrier barrier(3);
        auto t1 = ensure_future(barrier.wait());
        co_await sleep(0s);
        EXPECT_EQ(barrier.n_waiting(), 1);
        EXPECT_EQ(tail(barrier), "[filling, waiters:1/3]");
        auto t2 = ensure_future(barrier.wait());
        co_await sleep(0s);
        EXPECT_EQ(barrier.n_waiting(), 2);
        EXPECT_EQ(tail(barrier), "[filling, waiters:2/3]");
        auto t3 = ensure_future(barrier.wait());
        co_await sleep(0s);
        co_await wait(t1, t2, t3);
        expect_usable(barrier);
    });
}

TEST(Barrier, LetsTheLastGoOnAtOnceAndTheOthersInTheNextPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(3);
        auto twice = [](std::string name, Barrier& passed, Trace& traced) -> Coro<> {
            for (int i = 0; i < 2; ++i) {
                int index = co_await passed.wait();
                traced(name, index, tail(passed));
            }
        };
        auto tasks = start_each("abc", twice, barrier, trace);
        co_await sleep(0s);
        trace(tail(barrier));
        for (auto& task : tasks) co_await task;
        trace(tail(barrier));
    });
    EXPECT_EQ(text,
              "1:c 2 [draining, waiters:0/3], 1:[draining, waiters:0/3], 2:a 0 [draining, waiters:0/3], "
              "2:b 1 [filling, waiters:0/3], 3:a 2 [draining, waiters:0/3], 4:b 0 [draining, waiters:0/3], "
              "4:c 1 [filling, waiters:0/3], 4:[filling, waiters:0/3]");
}

// CPython: test_locks.py, BarrierTests.test_filling_tasks_wait_twice
// CPython: test_locks.py, BarrierTests.test_filling_tasks_check_return_value
TEST(Barrier, IsReusable) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        std::string results;
        std::vector<int> indices;
        auto pass = [&]() -> Coro<> {
            co_await with(barrier, [&]() -> Coro<> {
                results += '1';
                co_await with(barrier, [&](int index) {
                    results += '2';
                    indices.push_back(index);
                });
            });
        };
        co_await gather(start(n, pass));
        std::sort(indices.begin(), indices.end());
        EXPECT_EQ(indices, (std::vector<int>{0, 1, 2, 3, 4}));
        EXPECT_EQ(std::count(results.begin(), results.end(), '1'), n);
        EXPECT_EQ(std::count(results.begin(), results.end(), '2'), n);
        expect_usable(barrier);
    });
}

// CPython: test_locks.py, BarrierTests.test_draining_state
TEST(Barrier, IsDrainingUntilTheLastIsOut) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        std::vector<bool> draining;
        auto pass = [&]() -> Coro<> {
            co_await with(barrier, [&] { draining.push_back(repr(barrier).find("draining") != std::string::npos); });
        };
        co_await gather(start(n, pass));
        EXPECT_EQ(draining, (std::vector<bool>{true, true, true, true, false}));
        expect_usable(barrier);
    });
}

// CPython: test_locks.py, BarrierTests.test_blocking_tasks_while_draining
TEST(Barrier, BlocksThoseWhoComeBackWhileItDrains) {
    run_test([]() -> Coro<> {
        int come_back = 2;
        Barrier barrier(n);
        Barrier of_the_others(n - come_back);
        auto pass = [&]() -> Coro<> {
            co_await barrier.wait();
            if (come_back > 0) {
                --come_back;
            } else {
                co_await of_the_others.wait();
            }
            co_await barrier.wait();
        };
        co_await gather(start(n, pass));
        expect_usable(barrier);
    });
}

TEST(Barrier, LetsNewcomersInWhenAllAreOut) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(2);
        auto tasks = start_each("abcde", pass_as, barrier, trace);
        co_await passes(4);
        trace(tail(barrier));
        tasks[4].cancel("m");
        co_await passes(2);
        trace(tail(barrier));
    });
    EXPECT_EQ(text,
              "1:b 1 [draining, waiters:0/2], 2:a 0 [filling, waiters:0/2], 3:d 1 [draining, waiters:0/2], "
              "4:c 0 [filling, waiters:0/2], 4:[filling, waiters:0/2], 5:e CancelledError('m') [filling, waiters:0/2], "
              "6:[filling, waiters:0/2]");
}

// CPython: test_locks.py, BarrierTests.test_filling_tasks_cancel_one
TEST(Barrier, WaitsForOneMoreWhenAPartyIsCancelled) {
    run_test([]() -> Coro<> {
        Barrier barrier(3);
        int results = 0;
        auto pass = [&]() -> Coro<> {
            co_await barrier.wait();
            ++results;
        };
        auto t1 = create_task(pass());
        co_await sleep(0s);
        EXPECT_EQ(barrier.n_waiting(), 1);
        auto t2 = create_task(pass());
        co_await sleep(0s);
        EXPECT_EQ(barrier.n_waiting(), 2);
        t1.cancel();
        co_await sleep(0s);
        EXPECT_EQ(barrier.n_waiting(), 1);
        std::string outcome = co_await outcome_of(t1);
        EXPECT_EQ(outcome, "CancelledError()");
        EXPECT_TRUE(t1.cancelled());
        auto t3 = create_task(pass());
        co_await sleep(0s);
        EXPECT_EQ(barrier.n_waiting(), 2);
        auto t4 = create_task(pass());
        co_await gather(t2, t3, t4);
        EXPECT_EQ(results, 3);
        expect_usable(barrier);
    });
}

TEST(Barrier, SendsTheNextOneToTheEndOfTheLineWhenAPartyIsCancelled) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(4);
        auto tasks = start_each("abc", pass_as, barrier, trace);
        co_await sleep(0s);
        tasks[0].cancel("m");
        co_await passes(3);
        auto more = start_each("de", pass_as, barrier, trace);
        co_await passes(4);
    });
    EXPECT_EQ(text,
              "2:a CancelledError('m') [filling, waiters:2/4], 5:e 3 [draining, waiters:0/4], "
              "6:c 2 [draining, waiters:0/4], 6:b 1 [draining, waiters:0/4], 6:d 2 [filling, waiters:0/4]");
}

TEST(Barrier, LetsAPartyOutThatIsCancelledWhileItDrains) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(3);
        auto tasks = start_each("ab", pass_as, barrier, trace);
        co_await sleep(0s);
        tasks[0].cancel("m");
        trace(tail(barrier));
        co_await passes(1);
        trace(tail(barrier));
        auto more = start_each("cd", pass_as, barrier, trace);
        co_await sleep(0s);
        trace(tasks[1].cancel("late"), tail(barrier));
        co_await passes(4);
        trace(tail(barrier));
    });
    EXPECT_EQ(
        text,
        "1:[filling, waiters:2/3], 2:a CancelledError('m') [filling, waiters:1/3], 2:[filling, waiters:1/3], "
        "3:d 2 [draining, waiters:0/3], 3:True [draining, waiters:0/3], "
        "4:b CancelledError('late') [draining, waiters:0/3], 4:c 1 [filling, waiters:0/3], 7:[filling, waiters:0/3]");
}

TEST(Barrier, BelongsToTheLoopInWhichATaskHadToWait) {
    Barrier barrier(2);
    auto pass = [&]() -> Coro<std::string> {
        auto task = ensure_future(barrier.wait());
        co_await sleep(0s);
        if (barrier.n_waiting() == 1) co_await barrier.wait();
        co_return co_await outcome_of(task);
    };
    EXPECT_EQ(run_test(pass), "nothing");
    std::string text = repr(barrier);
    text.replace(text.find("Barrier"), 7, "Condition");
    text.replace(text.find("[filling"), std::string::npos, "[locked]>");
    EXPECT_EQ(run_test(pass), "RuntimeError('" + text + " is bound to a different event loop')");
    expect_usable(barrier);
}

TEST(Barrier, PrintsItselfAsPythonDoes) {
    run_test([]() -> Coro<> {
        Barrier barrier(3);
        char address[32];
        std::snprintf(address, sizeof address, "%p", static_cast<void*>(&barrier));
        std::string begin = std::string("<asyncio.locks.Barrier object at ") + address;
        EXPECT_EQ(repr(barrier), begin + " [filling, waiters:0/3]>");
        co_await barrier.abort();
        EXPECT_EQ(repr(barrier), begin + " [broken]>");
    });
}

}  // namespace
