// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/barrier.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

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
    EXPECT_EQ(tail(barrier), "[filling, waiters:0/" + std::to_string(barrier.parties()) + "]");
}

/// Waits; whether the barrier let the task through.
Coro<bool> passed(Barrier& barrier) {
    try {
        co_await barrier.wait();
    } catch (const BrokenBarrierError&) {
        co_return false;
    }
    co_return true;
}

Coro<> pass_as(std::string name, Barrier& barrier, Trace& trace) {
    try {
        int index = co_await barrier.wait();
        trace(name, index, tail(barrier));
    } catch (...) {
        trace(name, caught(), tail(barrier));
    }
}

// CPython: test_locks.py, BarrierTests.test_reset_barrier
TEST(Barrier, IsUsableAfterAResetWithNobodyInside) {
    run_test([]() -> Coro<> {
        Barrier barrier(1);
        co_await barrier.reset();
        expect_usable(barrier);
        auto task = ensure_future(barrier.reset());
        co_await task;
        expect_usable(barrier);
    });
}

// CPython: test_locks.py, BarrierTests.test_reset_barrier_while_tasks_waiting
TEST(Barrier, ThrowsOutThoseWhoWaitWhenItIsReset) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        int broken = 0;
        auto pass = [&]() -> Coro<> {
            bool ok = co_await passed(barrier);
            broken += ok ? 0 : 1;
        };
        auto tasks = start(n - 1, pass);
        co_await sleep(0s);
        auto reset = create_task([&]() -> Coro<> { co_await barrier.reset(); });
        co_await gather(tasks);
        EXPECT_EQ(broken, n - 1);
        expect_usable(barrier);
    });
}

TEST(Barrier, TakesNewcomersInAsSoonAsAResetHasEmptiedIt) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(3);
        auto tasks = start_each("ab", pass_as, barrier, trace);
        co_await sleep(0s);
        co_await barrier.reset();
        trace(tail(barrier));
        auto more = start_each("cde", pass_as, barrier, trace);
        co_await passes(4);
        trace(tail(barrier));
        co_await barrier.reset();
        trace(tail(barrier));
    });
    EXPECT_EQ(
        text,
        "1:[resetting, waiters:0/3], 2:a BrokenBarrierError('Abort or reset of barrier') [resetting, waiters:0/3], "
        "2:b BrokenBarrierError('Abort or reset of barrier') [filling, waiters:0/3], 2:e 2 [draining, waiters:0/3], "
        "3:c 0 [draining, waiters:0/3], 3:d 1 [filling, waiters:0/3], 5:[filling, waiters:0/3], "
        "5:[filling, waiters:0/3]");
}

// CPython: test_locks.py, BarrierTests.test_reset_barrier_when_tasks_half_draining
TEST(Barrier, ThrowsOutThoseNotYetOutWhenItIsResetWhileItDrains) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        int broken = 0;
        int out = 0;
        auto pass = [&]() -> Coro<> {
            bool ok = co_await passed(barrier);
            if (!ok) {
                ++broken;
            } else if (++out == n - n / 2) {
                co_await barrier.reset();  // as many are inside as n / 2
            }
        };
        co_await gather(start(n, pass));
        EXPECT_EQ(broken, n / 2);
        expect_usable(barrier);
    });
}

TEST(Barrier, IsResetWhileItDrainsPassByPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(4);
        auto pass = [](std::string name, Barrier& b, Trace& traced) -> Coro<> {
            bool broken = false;
            try {
                int index = co_await b.wait();
                traced(name, index, tail(b));
            } catch (const BrokenBarrierError&) {
                broken = true;
                traced(name, caught(), tail(b));
            }
            if (name == "a" && !broken) {
                co_await b.reset();
                traced(name, "reset", tail(b));
            }
            int index = co_await b.wait();
            traced(name, index, tail(b));
        };
        auto tasks = start_each("abcd", pass, barrier, trace);
        for (auto& task : tasks) co_await task;
        trace(tail(barrier));
    });
    EXPECT_EQ(
        text,
        "1:d 3 [draining, waiters:0/4], 2:a 0 [draining, waiters:0/4], 2:a reset [resetting, waiters:0/4], "
        "2:b BrokenBarrierError('Abort or reset of barrier') [resetting, waiters:0/4], "
        "2:c BrokenBarrierError('Abort or reset of barrier') [filling, waiters:0/4], 3:b 3 [draining, waiters:0/4], "
        "4:c 0 [draining, waiters:0/4], 4:d 1 [draining, waiters:0/4], 4:a 2 [filling, waiters:0/4], "
        "5:[filling, waiters:0/4]");
}

// CPython: test_locks.py, BarrierTests.test_reset_barrier_when_tasks_half_draining_half_blocking
TEST(Barrier, KeepsThoseWhoBlockForTheNextRoundWhenItIsReset) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        int broken = 0;
        int broken_again = 0;
        int count = 0;
        auto pass = [&]() -> Coro<> {
            bool ok = co_await passed(barrier);
            if (!ok) {
                ++broken;
                co_await barrier.wait();
            } else if (++count > n / 2) {
                co_await barrier.reset();
                co_await barrier.wait();
            } else {
                bool again = co_await passed(barrier);
                broken_again += again ? 0 : 1;
            }
        };
        co_await gather(start(n, pass));
        EXPECT_EQ(broken, n / 2);
        EXPECT_EQ(broken_again, 0);
        expect_usable(barrier);
    });
}

// CPython: test_locks.py, BarrierTests.test_reset_barrier_while_tasks_waiting_and_waiting_again
TEST(Barrier, LetsThoseThrownOutByAResetWaitAgain) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        int broken = 0;
        int through = 0;
        auto pass = [&]() -> Coro<> {
            bool ok = co_await passed(barrier);
            broken += ok ? 0 : 1;
            co_await barrier.wait();
            ++through;
        };
        auto pass_once = [&]() -> Coro<> { co_await with(barrier, [&] { ++through; }); };
        auto tasks = start(n - 1, pass);
        auto reset = ensure_future(barrier.reset());
        co_await sleep(0s);
        auto last = create_task(pass_once());
        co_await gather(tasks);
        EXPECT_FALSE(barrier.broken());
        EXPECT_EQ(broken, n - 1);
        EXPECT_EQ(through, n);
        EXPECT_EQ(barrier.n_waiting(), 0);
    });
}

// CPython: test_locks.py, BarrierTests.test_reset_barrier_while_tasks_draining
TEST(Barrier, IsResetByTheLastLeaverWithoutDisturbingAnybody) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        int again = 0;
        int broken = 0;
        int third = 0;
        int count = 0;
        auto pass = [&]() -> Coro<> {
            co_await barrier.wait();
            if (++count == n) {
                co_await barrier.reset();
                co_await barrier.wait();
            } else {
                bool ok = co_await passed(barrier);
                ++(ok ? again : broken);
            }
            co_await barrier.wait();
            ++third;
        };
        co_await gather(start(n, pass));
        EXPECT_EQ(again, n - 1);
        EXPECT_EQ(broken, 0);
        EXPECT_EQ(third, n);
        expect_usable(barrier);
    });
}

// CPython: test_locks.py, BarrierTests.test_abort_barrier
TEST(Barrier, IsBrokenByAnAbort) {
    run_test([]() -> Coro<> {
        Barrier barrier(1);
        co_await barrier.abort();
        EXPECT_EQ(barrier.n_waiting(), 0);
        EXPECT_TRUE(barrier.broken());
        std::string error = co_await outcome_of(barrier.wait());
        EXPECT_EQ(error, "BrokenBarrierError('Barrier aborted')");
    });
}

TEST(Barrier, IsAbortedAndResetPassByPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(3);
        auto tasks = start_each("ab", pass_as, barrier, trace);
        co_await sleep(0s);
        co_await barrier.abort();
        trace(tail(barrier), barrier.broken(), barrier.n_waiting());
        auto more = start_each("c", pass_as, barrier, trace);
        co_await passes(2);
        trace(tail(barrier));
        co_await barrier.reset();
        trace(tail(barrier), barrier.broken());
        auto new_ones = start_each("def", pass_as, barrier, trace);
        co_await passes(4);
        trace(tail(barrier));
    });
    EXPECT_EQ(text,
              "1:[broken] True 0, 2:a BrokenBarrierError('Abort or reset of barrier') [broken], "
              "2:b BrokenBarrierError('Abort or reset of barrier') [broken], "
              "2:c BrokenBarrierError('Barrier aborted') [broken], 3:[broken], 3:[filling, waiters:0/3] False, "
              "4:f 2 [draining, waiters:0/3], 5:d 0 [draining, waiters:0/3], 5:e 1 [filling, waiters:0/3], "
              "7:[filling, waiters:0/3]");
}

TEST(Barrier, LetsACancelWinOverAnAbort) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Barrier barrier(3);
        auto tasks = start_each("ab", pass_as, barrier, trace);
        co_await sleep(0s);
        co_await barrier.abort();
        co_await barrier.reset();
        trace(tail(barrier));
        tasks[0].cancel("m");
        co_await passes(4);
        trace(tail(barrier));
    });
    EXPECT_EQ(text,
              "1:[resetting, waiters:0/3], 2:a CancelledError('m') [resetting, waiters:0/3], "
              "2:b BrokenBarrierError('Abort or reset of barrier') [filling, waiters:0/3], 5:[filling, waiters:0/3]");
}

// CPython: test_locks.py, BarrierTests.test_abort_barrier_when_tasks_half_draining_half_blocking
TEST(Barrier, ThrowsOutThoseInsideAndThoseWhoBlockWhenItIsAborted) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        int broken = 0;
        int broken_again = 0;
        int count = 0;
        auto pass = [&]() -> Coro<> {
            bool ok = co_await passed(barrier);
            if (!ok) {
                ++broken;
            } else if (++count > n / 2) {
                co_await barrier.abort();
            } else {
                bool again = co_await passed(barrier);
                broken_again += again ? 0 : 1;
            }
        };
        co_await gather(start(n, pass));
        EXPECT_TRUE(barrier.broken());
        EXPECT_EQ(broken, n / 2);
        EXPECT_EQ(broken_again, n - n / 2 - 1);
        EXPECT_EQ(barrier.n_waiting(), 0);
    });
}

/// Waits twice; the party of the middle fails in between and aborts the barrier.
Coro<> fail_in_the_middle(Barrier& barrier, int& passed_twice, int& broken) {
    bool failed = false;
    try {
        int index = co_await barrier.wait();
        if (index == n / 2) throw RuntimeError("middle");
        co_await barrier.wait();
        ++passed_twice;
    } catch (const BrokenBarrierError&) {
        ++broken;
    } catch (const RuntimeError&) {
        failed = true;
    }
    if (failed) co_await barrier.abort();
}

// CPython: test_locks.py, BarrierTests.test_abort_barrier_when_exception
TEST(Barrier, BreaksForAllOthersWhenOneFailsAndAborts) {
    run_test([]() -> Coro<> {
        Barrier barrier(n);
        int passed_twice = 0;
        int broken = 0;
        auto pass = [&] { return fail_in_the_middle(barrier, passed_twice, broken); };
        co_await gather(start(n, pass));
        EXPECT_TRUE(barrier.broken());
        EXPECT_EQ(passed_twice, 0);
        EXPECT_EQ(broken, n - 1);
        EXPECT_EQ(barrier.n_waiting(), 0);
    });
}

// CPython: test_locks.py, BarrierTests.test_abort_barrier_when_exception_then_resetting
TEST(Barrier, IsUsableAgainWhenAnAbortIsFollowedByAReset) {
    run_test([]() -> Coro<> {
        Barrier first(n);
        Barrier second(n);
        int passed_twice = 0;
        int broken = 0;
        int through = 0;
        auto pass = [&]() -> Coro<> {
            co_await fail_in_the_middle(first, passed_twice, broken);
            int index = co_await second.wait();
            if (index == n / 2) co_await first.reset();
            co_await second.wait();
            co_await first.wait();
            ++through;
        };
        co_await gather(start(n, pass));
        EXPECT_EQ(passed_twice, 0);
        EXPECT_EQ(broken, n - 1);
        EXPECT_EQ(through, n);
        expect_usable(first);
    });
}

}  // namespace
