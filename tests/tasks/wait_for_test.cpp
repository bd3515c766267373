// Traces with pass numbers were recorded from CPython 3.14.10.
#include "tasks/watch.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/shield.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait.h>
#include <asyncio/tasks/wait_for.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::caught;
using support::outcome_of;
using support::passes;
using support::run_test;
using support::Trace;
using support::trace_of;
using support::watch;

TEST(WaitFor, RunsACoroutineInTheTaskThatAwaitsIt) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto coro = [&]() -> Coro<int> {
            trace("in", current_task().get_name());
            co_await future;
            trace("resumed");
            co_return 3;
        };
        auto main = create_task(watch(wait_for(coro(), 10s), trace), {.name = "M"});
        co_await sleep(0);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text, "1:in M, 2:resumed, 2:main 3");
}

TEST(WaitFor, AddsNoPassToAFutureOrTask) {
    std::string future_text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        auto main = create_task(watch(wait_for(future, 10s), trace));
        co_await sleep(0);
        future.set_result(5);
        co_await main;
    });
    EXPECT_EQ(future_text, "2:main 5");
    std::string task_text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto inner = [&]() -> Coro<int> {
            co_await future;
            trace("inner");
            co_return 1;
        };
        auto main = create_task(watch(wait_for(create_task(inner()), std::nullopt), trace));
        co_await passes(2);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(task_text, "3:inner, 4:main 1");
}

TEST(WaitFor, GivesWhatAwaitingGives) {
    run_test([]() -> Coro<> {
        auto make = []() -> Coro<std::unique_ptr<int>> {
            co_await sleep(1s);
            co_return std::make_unique<int>(1);
        };
        auto task = create_task(make());
        static_assert(std::is_same_v<decltype(wait_for(make(), 2s)), Coro<std::unique_ptr<int>>>);
        auto first = co_await wait_for(std::move(task), 2s);
        EXPECT_EQ(*first, 1);
        auto taken = co_await wait_for(create_task(make()), 2s);
        EXPECT_EQ(*taken, 1);
        taken = co_await wait_for(make(), std::nullopt);
        EXPECT_EQ(*taken, 1);
        int value = co_await wait_for(sleep(1s, 7), 2s);
        EXPECT_EQ(value, 7);
        co_await wait_for(sleep(1s), 2s);
        AnyFuture any = create_task(make());
        co_await wait_for(any, 2s);
        co_await wait_for(any, 0);
    });
}

// In Python the task and who waits for it share the object.
TEST(WaitFor, GivesAValueThatOutlivesTheTaskThatItWaitedFor) {
    run_test([]() -> Coro<> {
        auto answer = []() -> Coro<std::string> {
            co_await sleep(1s);
            co_return "an answer that is too long to be kept without the heap";
        };
        for (Seconds limit : {Seconds(2), Seconds(0)}) {
            Task<std::string> task = create_task(answer);
            if (limit == Seconds(0)) co_await wait(task);
            static_assert(std::is_same_v<decltype(wait_for(task, limit)), Coro<std::string>>);
            Task<std::string> waiting = create_task(wait_for(task, limit));
            task = Task<std::string>();
            const std::string& text = co_await waiting;
            EXPECT_EQ(text, "an answer that is too long to be kept without the heap");
        }
    });
}

TEST(WaitFor, GivesTheReferenceThatAFutureHolds) {
    run_test([]() -> Coro<> {
        int number = 1;
        auto future = get_running_loop().create_future<int&>();
        future.set_result(number);
        int& same = co_await wait_for(future, 1s);
        EXPECT_EQ(&same, &number);
    });
}

TEST(WaitFor, BeginsToCountWhenItIsAwaited) {
    run_test([]() -> Coro<> {
        auto waiting = wait_for(sleep(1s), 2s);
        co_await sleep(10s);
        auto outcome = co_await outcome_of(std::move(waiting));
        EXPECT_EQ(outcome, "nothing");
    });
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_asyncio_wait_for_cancelled
// CPython: test_waitfor.py, AsyncioWaitForTest.test_asyncio_wait_for_timeout
TEST(WaitFor, WaitsForWhatIgnoresCancels) {
    run_test([]() -> Coro<> {
        bool exited = false;
        auto slow = [&]() -> Coro<> {
            auto end = get_running_loop().time() + 200ms;
            while (get_running_loop().time() < end) {
                try {
                    co_await sleep(end - get_running_loop().time());
                } catch (const CancelledError&) {
                }
            }
            exited = true;
        };
        auto cancelled = create_task(wait_for(slow(), 400ms));
        co_await sleep(0);
        cancelled.cancel();
        auto outcome = co_await outcome_of(wait_for(cancelled, std::nullopt));
        EXPECT_EQ(outcome, "nothing");
        EXPECT_TRUE(exited);

        exited = false;
        outcome = co_await outcome_of(wait_for(slow(), 100ms));
        EXPECT_EQ(outcome, "nothing");
        EXPECT_TRUE(exited);
    });
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for
TEST(WaitFor, CancelsATaskAtTheTimeoutAndWaitsForIt) {
    run_test([]() -> Coro<> {
        bool running = false;
        auto begin = get_running_loop().time();
        auto task = create_task([&]() -> Coro<> {
            running = true;
            try {
                co_await sleep(300s);
            } catch (const CancelledError&) {
                running = false;
                throw;
            }
        });
        auto outcome = co_await outcome_of(wait_for(task, 100ms));
        EXPECT_EQ(outcome, "TimeoutError()");
        EXPECT_TRUE(task.cancelled());
        EXPECT_FALSE(running);
        EXPECT_EQ(get_running_loop().time(), begin + 100ms);
    });
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_blocking
// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_race_condition
TEST(WaitFor, ReturnsWhatComesInTime) {
    run_test([]() -> Coro<> {
        auto coro = []() -> Coro<std::string> { co_return "done"; };
        auto text = co_await wait_for(coro(), std::nullopt);
        EXPECT_EQ(text, "done");
        auto future = get_running_loop().create_future<std::string>();
        auto waiting = wait_for(future, 0.2);
        get_running_loop().call_soon([&] { future.set_result("ok"); });
        text = co_await std::move(waiting);
        EXPECT_EQ(text, "ok");
    });
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_cancellation_race_condition
// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_cancel_suppressed
TEST(WaitFor, ReturnsTheValueOfACoroutineThatSwallowsTheCancel) {
    run_test([]() -> Coro<> {
        auto return_42 = []() -> Coro<int> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
            }
            co_return 42;
        };
        int value = co_await wait_for(return_42(), 100ms);
        EXPECT_EQ(value, 42);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_waits_for_task_cancellation
// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_waits_for_task_cancellation_w_timeout_0
TEST(WaitFor, WaitsForAsynchronousCleanUpAndNamesTheCause) {
    run_test([]() -> Coro<> {
        for (Seconds limit : {Seconds(1ms), Seconds(0)}) {
            bool done = false;
            auto task = create_task([&]() -> Coro<> {
                bool cancelled = false;
                try {
                    co_await sleep(10s);
                } catch (const CancelledError&) {
                    cancelled = true;
                }
                co_await sleep(1ms);
                done = true;
                if (cancelled) throw CancelledError();
            });
            co_await sleep(0);
            std::string cause;
            try {
                co_await wait_for(task, limit);
            } catch (const TimeoutError& error) {
                cause = repr(error.cause());
            }
            EXPECT_TRUE(done);
            EXPECT_EQ(cause, "CancelledError()");
        }
    });
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_reraises_exception_during_cancellation
TEST(WaitFor, ThrowsWhatATaskThrowsInReactionToTheCancel) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<> {
            try {
                co_await sleep(200ms);
            } catch (const CancelledError&) {
            }
            throw ValueError("foo");
        });
        auto outcome = co_await outcome_of(wait_for(task, 1ms));
        EXPECT_EQ(outcome, "ValueError('foo')");
    });
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_cancel_blocking_wait_for
// CPython: test_waitfor.py, AsyncioWaitForTest.test_cancel_wait_for
TEST(WaitFor, CancelledCancelsTheTask) {
    for (std::optional<Seconds> limit : {std::optional<Seconds>(), std::optional<Seconds>(60)}) {
        std::string text = trace_of([&](Trace& trace) -> Coro<> {
            auto task = create_task([&]() -> Coro<> {
                try {
                    co_await get_running_loop().create_future();
                } catch (const CancelledError&) {
                    trace("c");
                    throw;
                }
            });
            auto main = create_task(watch(wait_for(task, limit), trace));
            co_await sleep(0);
            main.cancel("x");
            co_await main;
            trace(task.cancelled());
        });
        EXPECT_EQ(text, "2:c, 3:main CancelledError('x') 1, 4:True");
    }
}

// CPython: test_waitfor.py, AsyncioWaitForTest.test_wait_for_issue86296
TEST(WaitFor, CancelledWhenTheTaskIsDoneButNotYetDeliveredIsCancelled) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto inner = create_task([&]() -> Coro<std::string> {
            co_await future;
            trace("inner");
            co_return "done";
        });
        auto outer = [&]() -> Coro<> {
            co_await wait_for(inner, 100s);
            trace("not reached");
        };
        auto main = create_task(watch(outer(), trace));
        co_await passes(2);
        future.set_result();
        co_await sleep(0);
        trace("cancel");
        main.cancel("r");
        co_await main;
        trace(inner.result());
    });
    EXPECT_EQ(text, "3:inner, 3:cancel, 4:main CancelledError('r') 1, 5:done");
}

// CPython: test_waitfor.py, WaitForShieldTests.test_zero_timeout
// CPython: test_waitfor.py, WaitForShieldTests.test_none_timeout
// CPython: test_waitfor.py, WaitForShieldTests.test_shielded_timeout
TEST(WaitFor, OfAShieldLetsTheTaskRunOn) {
    run_test([]() -> Coro<> {
        auto coro = []() -> Coro<std::string> {
            co_await sleep(100ms);
            co_return "done";
        };
        for (Seconds limit : {Seconds(0), Seconds(10ms)}) {
            auto task = create_task(coro());
            auto shielded = shield(task);
            auto outcome = co_await outcome_of(wait_for(shielded, limit));
            EXPECT_EQ(outcome, "TimeoutError()");
            EXPECT_TRUE(shielded.cancelled());
            EXPECT_FALSE(task.done());
            auto text = co_await task;
            EXPECT_EQ(text, "done");
        }
        auto task = create_task(coro());
        auto text = co_await wait_for(shield(task), std::nullopt);
        EXPECT_EQ(text, "done");
        EXPECT_TRUE(task.done());
    });
}

TEST(WaitFor, ThrowsWhereThereIsNothingToWaitFor) {
    run_test([]() -> Coro<> {
        Future<int> empty;
        for (Seconds limit : {Seconds(0), Seconds(1)}) {
            auto outcome = co_await outcome_of(wait_for(empty, limit));
            EXPECT_EQ(
                outcome,
                "RuntimeError('this handle is empty: it was default-constructed or moved from, and names no future')");
        }
    });
}

/// An awaitable of somebody else's, which lies where its maker has put it.
class Foreign {
public:
    explicit Foreign(std::string text) : text_(std::move(text)) {}
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    const std::string& await_resume() const noexcept { return text_; }

private:
    std::string text_;
};

TEST(WaitFor, AsATaskOutlivesWhatItWasGiven) {
    run_test([]() -> Coro<> {
        auto make = [](double delay) -> Task<std::string> {
            auto task = create_task(sleep(1s, std::string("a text that is long enough to be allocated")));
            Foreign lvalue("another text that is long enough to be allocated");
            auto other = create_task(wait_for(lvalue, delay));
            auto both = [](Task<std::string> first, Task<std::string> second) -> Coro<std::string> {
                std::string text = co_await second;
                std::string rest = co_await first;
                co_return text + rest;
            };
            return create_task(both(create_task(wait_for(task, 10s)), other));
        };
        std::string text = co_await make(2.0);
        EXPECT_EQ(text, "another text that is long enough to be allocateda text that is long enough to be allocated");
    });
}

}  // namespace
