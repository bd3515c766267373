// wait_for() with a timeout of zero or less. Traces with pass numbers were recorded from CPython 3.14.10.
#include "tasks/watch.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using namespace support;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0_future_done
TEST(WaitForNoTime, GivesTheResultOfWhatIsDone) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto done = get_running_loop().create_future<int>();
        done.set_result(9);
        co_await watch(wait_for(done, 0), trace);
        co_await watch(wait_for(done, -1), trace);
        auto cancelled = get_running_loop().create_future<int>();
        cancelled.cancel("c");
        co_await watch(wait_for(cancelled, 0), trace);
    });
    EXPECT_EQ(text, "0:main 9, 0:main 9, 0:main CancelledError('c') 0");
}

TEST(WaitForNoTime, CancelsAPendingFuture) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        co_await watch(wait_for(future, 0), trace);
        trace(repr(future));
    });
    EXPECT_EQ(text, "2:main TimeoutError() 0, 2:<Future cancelled>");
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started
TEST(WaitForNoTime, NeverBeginsACoroutine) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto coro = [&]() -> Coro<> {
            trace("never");
            co_return;
        };
        co_await watch(wait_for(coro(), 0), trace);
        co_await watch(wait_for(sleep(1s), -1), trace);
    });
    EXPECT_EQ(text, "3:main TimeoutError() 0, 6:main TimeoutError() 0");
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0
TEST(WaitForNoTime, CancelsATaskAndWaitsForItsEnd) {
    for (Seconds no_time : {Seconds(0), Seconds(-1)}) {
        std::string text = trace_of([&](Trace& trace) -> Coro<> {
            auto task = create_task([&]() -> Coro<> {
                try {
                    co_await sleep(10s);
                } catch (const CancelledError&) {
                    trace("c", caught());
                    throw;
                }
            });
            co_await sleep(0);
            co_await watch(wait_for(task, no_time), trace);
            trace(task.cancelled());
        });
        EXPECT_EQ(text, "2:c CancelledError(), 4:main TimeoutError() 0, 4:True");
    }
}

TEST(WaitForNoTime, GivesTheValueOrErrorOfWhatDoesNotEndCancelled) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<int> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                trace("c", caught());
            }
            co_return 4;
        });
        co_await sleep(0);
        co_await watch(wait_for(task, 0), trace);
    });
    EXPECT_EQ(text, "2:c CancelledError(), 4:main 4");
    text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([]() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
            }
            throw LookupError("k");
        });
        co_await sleep(0);
        co_await watch(wait_for(task, 0), trace);
    });
    EXPECT_EQ(text, "4:main LookupError('k') 0");
}

TEST(WaitForNoTime, IsAbandonedWhenItIsCancelledItself) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        int cancels = 0;
        auto task = create_task([&]() -> Coro<> {
            for (bool waiting = true; waiting;) {
                try {
                    co_await future;
                    waiting = false;
                } catch (const CancelledError&) {
                    ++cancels;
                    trace("c", caught());
                }
            }
        });
        co_await sleep(0);
        auto main = create_task(watch(wait_for(task, 0), trace));
        co_await sleep(0);
        future = get_running_loop().create_future();
        co_await passes(2);
        main.cancel("go");
        co_await main;
        trace("done", task.done(), cancels);
        future.set_result();
        co_await task;
    });
    EXPECT_EQ(text, "3:c CancelledError(), 5:main CancelledError('go') 1, 6:done False 1");
}

TEST(WaitForNoTime, OfTasksThatWaitForEachOtherThrowsAndTheTaskGoesOn) {
    std::string text;
    std::string end = outcome([&] {
        run_test([&]() -> Coro<> {
            get_running_loop().set_exception_handler([](EventLoop&, const ExceptionContext&) {});
            Task<> a;
            Task<> b;
            auto wait = [](Task<>& other) -> Coro<> { co_await other; };
            a = create_task(wait(b));
            b = create_task(wait(a));
            co_await passes(2);
            text = co_await outcome_of(wait_for(a, 0));
            co_await sleep(1s);
        });
    });
    EXPECT_EQ(text.substr(0, 24), "RuntimeError('cannot can");
    EXPECT_EQ(end.substr(0, 24), "RuntimeError('cannot can");  // run() cannot cancel them either
}

}  // namespace
