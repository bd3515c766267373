// How a task's steps are ordered. The traces in this file were recorded from CPython 3.14.10.
#include "support/manual_clock.h"
#include "support/run_test.h"

#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

TEST(TaskStep, TasksTakeTurnsInOrderOfCreation) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto work = [&](std::string name) -> Coro<> {
            for (int i = 0; i < 3; ++i) {
                trace(name + std::to_string(i));
                co_await sleep(0);
            }
        };
        auto a = create_task(work("a"));
        auto b = create_task(work("b"));
        trace("made");
        a.add_done_callback([&](Task<>) { trace("a done"); });
        co_await a;
        co_await b;
        trace("end");
    });
    EXPECT_EQ(text, "0:made, 1:a0, 1:b0, 2:a1, 2:b1, 3:a2, 3:b2, 5:a done, 5:end");
}

TEST(TaskStep, AChainEndsOneHopATask) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto leaf = [&]() -> Coro<> {
            trace("leaf");
            co_await sleep(0);
            trace("leaf end");
        };
        auto link = [&](int number, Task<> inner) -> Coro<> {
            co_await inner;
            trace("t" + std::to_string(number));
        };
        auto task = create_task(leaf());
        for (int i = 1; i < 4; ++i) task = create_task(link(i, task));
        co_await task;
        trace("main");
    });
    EXPECT_EQ(text, "1:leaf, 2:leaf end, 3:t1, 4:t2, 5:t3, 6:main");
}

// CPython: test_tasks.py, BaseTaskTests.test_task_awaits_on_itself
TEST(TaskStep, AwaitingItselfThrowsInTheNextPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Task<int> task;
        auto body = [&]() -> Coro<int> {
            try {
                co_await task;
            } catch (const RuntimeError& error) {
                trace(std::string(error.what()).substr(0, 27));
            }
            co_return 2;
        };
        task = create_task(body());
        int value = co_await task;
        trace(value);
    });
    EXPECT_EQ(text, "2:Task cannot await on itself, 3:2");
}

// CPython: test_tasks.py, BaseTaskTests.test_other_loop_future
TEST(TaskStep, AwaitingAFutureOfAnotherLoopThrowsInTheNextPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        EventLoop other;
        auto future = other.create_future<>();
        auto task = create_task([&]() -> Coro<int> {
            try {
                co_await future;
            } catch (const RuntimeError& error) {
                std::string said = error.what();
                EXPECT_NE(said.find("> got Future <Future pending> attached"), std::string::npos) << said;
                trace(said.substr(0, 10), said.substr(said.size() - 28));
            }
            try {
                co_await future;
            } catch (...) {
                trace(caught().substr(0, 13));
            }
            co_return 2;
        });
        co_await sleep(0);
        co_await sleep(0);
        trace(future.cancelled());
        int value = co_await task;
        trace(value);
    });
    EXPECT_EQ(text, "2:Task <Task attached to a different loop, 2:False, 3:RuntimeError(, 4:2");
}

TEST(TaskStep, ACancelBeatsTheErrorOfAFutureOfAnotherLoop) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        EventLoop other;
        auto future = other.create_future<>();
        auto task = create_task([&]() -> Coro<int> {
            try {
                co_await future;
            } catch (...) {
                trace(caught().substr(0, 20));
            }
            co_return 2;
        });
        co_await sleep(0);
        future.cancel();
        task.cancel("mine");
        int value = co_await task;
        trace(value);
    });
    EXPECT_EQ(text, "2:CancelledError('mine, 3:2");
}

TEST(TaskStep, ItselfCannotBeAwaitedButCanBeCancelledThen) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Task<int> task;
        auto body = [&]() -> Coro<int> {
            try {
                co_await task;
            } catch (...) {
                trace(caught());
            }
            co_return 2;
        };
        task = create_task(body());
        co_await sleep(0);
        bool asked = task.cancel("m");
        trace(asked, task.cancelling());
        int value = co_await task;
        trace(value);
    });
    EXPECT_EQ(text, "1:True 1, 2:CancelledError('m'), 3:2");
}

TEST(TaskStep, AnExceptionIsStoredAndTheSameObjectIsThrown) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([]() -> Coro<> {
            throw ValueError("x");
            co_return;
        });
        task.add_done_callback([&](Task<>) { trace("cb"); });
        try {
            co_await task;
        } catch (const ValueError& error) {
            trace(&error == exception_cast<ValueError>(task.exception()));
        }
    });
    EXPECT_EQ(text, "2:cb, 2:True");
}

// CPython: test_tasks.py, SleepTests.test_sleep_zero
TEST(TaskStep, SleepOfZeroTakesOnePassAndGivesItsResult) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        int passes = 0;
        get_running_loop().call_soon([&] { ++passes; });
        std::string result = co_await sleep(0, std::string("x"));
        trace(result, passes);
        co_await sleep(-5);
        trace("on");
    });
    EXPECT_EQ(text, "1:x 1, 2:on");
}

// CPython: test_tasks.py, BaseTaskTests.test_sleep
TEST(TaskStep, SleepTakesItsTimeAndGivesItsResult) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        auto sleeper = [](double delay, std::string result) -> Coro<std::string> {
            co_await sleep(delay / 2);
            co_return co_await sleep(delay / 2, result);
        };
        std::string result = co_await create_task(sleeper(0.1, "yeah"));
        EXPECT_EQ(result, "yeah");
        EXPECT_NEAR((loop.time() - start).count(), 0.1, 1e-6);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_sleep_when_delay_is_nan
TEST(TaskStep, SleepOfNaNIsAnError) {
    EXPECT_EQ(outcome([] { static_cast<void>(sleep(__builtin_nan(""))); }),
              "ValueError('Invalid delay: NaN (not a number)')");
}

// CPython: test_tasks.py, BaseTaskTests.test_sleep_cancel
// CPython: test_tasks.py, BaseTaskTests.test_cancel
TEST(TaskStep, ACancelledSleepLeavesNoTimerBehind) {
    ManualClock clock;
    auto main = [&]() -> Coro<> {
        auto task = create_task([]() -> Coro<std::string> { co_return co_await sleep(3600, std::string("never")); });
        co_await sleep(0);
        EXPECT_TRUE(task.cancel());
        std::string end;
        try {
            co_await task;
        } catch (const CancelledError&) {
            end = caught();
        }
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_TRUE(task.done());
        EXPECT_TRUE(task.cancelled());
        EXPECT_FALSE(task.cancel());
        co_await sleep(7200);
    };
    run(main(), {.clock = clock});
    EXPECT_EQ(clock.jumps(), 1);  // to the end of the last sleep; a timer left behind would be another
}

// CPython: test_tasks.py, BaseTaskTests.test_task_cancel_sleeping_task
TEST(TaskStep, ATimerMayCancelASleepingTask) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        auto sleeper = create_task([]() -> Coro<> { co_await sleep(10000); });
        loop.call_later(60, [&] { sleeper.cancel(); });
        std::string end;
        try {
            co_await sleeper;
        } catch (const CancelledError&) {
            end = caught();
        }
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_NEAR((loop.time() - start).count(), 60, 1e-6);
    });
}

// CPython: test_futures.py, BaseFutureTests.test_set_result_unless_cancelled
TEST(TaskStep, ATaskCancelledInThePassInWhichItsSleepEndsIsCancelled) {
    Reports reports;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        reports.listen(loop);
        auto sleeper = create_task([]() -> Coro<> { co_await sleep(1); });
        co_await sleep(0);
        // The timers of one moment run in one pass, in the order of their making: once before, once after the sleep's.
        TimePoint when = loop.time() + 1;
        loop.call_at(when, [&] { EXPECT_TRUE(sleeper.cancel("late")); });
        auto other = loop.create_future<>();
        loop.call_at(when, [&] { other.set_result(); });
        auto second = create_task([&]() -> Coro<> { co_await sleep(1); });
        co_await other;
        EXPECT_TRUE(second.cancel("early"));
        for (Task<> task : {sleeper, second}) {
            std::string end;
            try {
                co_await task;
            } catch (const CancelledError&) {
                end = caught();
            }
            EXPECT_EQ(end, task == sleeper ? "CancelledError('late')" : "CancelledError('early')");
        }
    });
    EXPECT_EQ(reports.str(), "");
}

// CPython: test_tasks.py, BaseTaskTests.test_yield_future_passes_cancel
TEST(TaskStep, ACancelPassesThroughNestedCoroutines) {
    run_test([]() -> Coro<> {
        int proof = 0;
        auto future = get_running_loop().create_future<>();
        auto inner = [&]() -> Coro<> {
            try {
                co_await future;
            } catch (...) {
                proof += 1;
                throw;
            }
        };
        auto outer = [&]() -> Coro<> {
            try {
                co_await inner();
            } catch (const CancelledError&) {
                proof += 100;
            }
        };
        auto task = create_task(outer());
        co_await sleep(0);
        task.cancel();
        co_await task;
        EXPECT_EQ(proof, 101);
        EXPECT_TRUE(future.cancelled());
        EXPECT_FALSE(task.cancelled());
    });
}

/// The future or task that a task waits for.
const void* awaited_by(const AnyTask& task) {
    auto& state = static_cast<detail::TaskBase&>(*task.state_or_null());
    return state.waiting_on() != nullptr ? state.waiting_on()->edge().subject : nullptr;
}

// CPython: test_tasks.py, BaseTaskTests.test_task_cancel_waiter_future
TEST(TaskStep, ACancelReachesTheAwaitedFutureAtOnce) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto task = create_task([&]() -> Coro<> { co_await future; });
        co_await sleep(0);
        EXPECT_EQ(awaited_by(task), future.state_or_null());
        task.cancel();
        EXPECT_TRUE(future.cancelled());
        co_await sleep(0);
        std::string end = co_await outcome_of(task);
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_EQ(awaited_by(task), nullptr);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_inner_future
TEST(TaskStep, ACancelOfTheAwaitedFutureCancelsTheTask) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto task = create_task([&]() -> Coro<> { co_await future; });
        co_await sleep(0);
        future.cancel();
        std::string end = co_await outcome_of(task);
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_TRUE(task.cancelled());
        EXPECT_EQ(task.cancelling(), 0);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_task_catching
// CPython: test_tasks.py, BaseTaskTests.test_cancel_task_ignoring
TEST(TaskStep, ATaskThatCatchesACancelReturnsOrGoesOn) {
    for (bool goes_on : {false, true}) {
        run_test([&]() -> Coro<> {
            std::vector<Future<int>> futures;
            for (int i = 0; i < 3; ++i) futures.push_back(get_running_loop().create_future<int>());
            auto task = create_task([&]() -> Coro<int> {
                co_await futures[0];
                bool cancelled = false;
                try {
                    co_await futures[1];
                } catch (const CancelledError&) {
                    cancelled = true;
                }
                EXPECT_TRUE(cancelled);
                if (!goes_on) co_return 42;
                co_return co_await futures[2];
            });
            co_await sleep(0);
            EXPECT_EQ(awaited_by(task), futures[0].state_or_null());
            futures[0].set_result(1);
            co_await sleep(0);
            EXPECT_EQ(awaited_by(task), futures[1].state_or_null());
            task.cancel();
            EXPECT_TRUE(futures[1].cancelled());
            co_await sleep(0);
            if (goes_on) {
                EXPECT_EQ(awaited_by(task), futures[2].state_or_null());
                futures[2].set_result(42);
            }
            int value = co_await task;
            EXPECT_EQ(value, 42);
            EXPECT_FALSE(futures[2].cancelled());
            EXPECT_FALSE(task.cancelled());
        });
    }
}

}  // namespace
