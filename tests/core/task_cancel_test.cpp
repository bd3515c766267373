// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "support/run_test.h"

#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

// CPython: test_tasks.py, BaseTaskTests.test_cancel_with_message_before_starting_task
TEST(TaskCancel, BeforeTheFirstStepTheBodyNeverRuns) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<> {
            trace("never");
            co_return;
        });
        task.add_done_callback([&](Task<>) { trace("callback"); });
        bool asked = task.cancel("m");
        trace("cancel", asked, task.cancelling());
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace(caught());
        }
        trace(task.cancelled(), task.cancelling());
        trace(task.cancel(), task.uncancel(), task.uncancel());
        auto other = create_task([]() -> Coro<> { co_return; });
        other.cancel("other");
        co_await sleep(0);
        trace(outcome([&] { return other.exception(); }));
    });
    EXPECT_EQ(text,
              "0:cancel True 1, 2:callback, 2:CancelledError('m'), 2:True 1, 2:False 0 0, 3:CancelledError('other')");
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_at_end
TEST(TaskCancel, OfItselfAtTheEndLosesTheValue) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<int> {
            bool asked = current_task().cancel("mine");
            trace(asked);
            co_return 5;
        });
        for (int i = 0; i < 2; ++i) {
            try {
                co_await task;
            } catch (const CancelledError&) {
                trace(caught());
            }
        }
        trace(task.cancelled(), task.cancelling(), task.cancel());
    });
    EXPECT_EQ(text, "1:True, 2:CancelledError('mine'), 2:CancelledError('mine'), 2:True 1 False");
}

TEST(TaskCancel, OfItselfWaitsForTheNextSuspension) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto done = get_running_loop().create_future<int>();
        done.set_result(1);
        auto task = create_task([&]() -> Coro<int> {
            current_task().cancel();
            int value = co_await done;
            trace(value);
            try {
                co_await sleep(0);
            } catch (const CancelledError&) {
                trace(caught());
            }
            co_await sleep(0);
            trace("on");
            co_return 7;
        });
        int value = co_await task;
        trace(value, task.cancelling());
    });
    EXPECT_EQ(text, "1:1, 2:CancelledError(), 3:on, 4:7 1");
}

TEST(TaskCancel, OfItselfAtTheEndDestroysTheValue) {
    run_test([]() -> Coro<> {
        auto value = std::make_shared<int>(5);
        auto task = create_task([](std::shared_ptr<int> given) -> Coro<std::shared_ptr<int>> {
            current_task().cancel();
            co_return given;
        }(value));
        co_await sleep(0);
        EXPECT_TRUE(task.cancelled());
        EXPECT_EQ(value.use_count(), 1);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_current_task
TEST(TaskCancel, OfItselfEndsTheNextSleepAtOnce) {
    run_test([]() -> Coro<> {
        TimePoint start = get_running_loop().time();
        auto task = create_task([]() -> Coro<int> {
            EXPECT_TRUE(current_task().cancel());
            co_await sleep(100);
            co_return 12;
        });
        std::string end = co_await outcome_of(task);
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_TRUE(task.cancelled());
        EXPECT_FALSE(task.cancel());
        EXPECT_EQ(get_running_loop().time(), start);
    });
}

TEST(TaskCancel, OfItselfCancelsTheFutureThatItAwaitsNext) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        future.add_done_callback([&](Future<int>) { trace("f done"); });
        auto task = create_task([&]() -> Coro<int> {
            current_task().cancel("self");
            try {
                co_await future;
            } catch (const CancelledError&) {
                trace(caught(), future.cancelled());
            }
            co_await sleep(0);
            trace("on");
            co_return 7;
        });
        int value = co_await task;
        trace(value, task.cancelling());
    });
    EXPECT_EQ(text, "2:f done, 2:CancelledError('self') True, 3:on, 4:7 1");
}

TEST(TaskCancel, OfItselfIsGoneWhenTheAwaitedChildSwallowsIt) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<int> {
            auto child = create_task([&]() -> Coro<int> {
                try {
                    co_await sleep(100);
                } catch (const CancelledError&) {
                    trace("child", caught());
                }
                co_return 3;
            });
            co_await sleep(0);
            current_task().cancel("self");
            int value = co_await child;
            trace("got", value);
            co_await sleep(0);
            trace("on");
            co_return 7;
        });
        int value = co_await task;
        trace(value, task.cancelling());
    });
    EXPECT_EQ(text, "3:child CancelledError('self'), 4:got 3, 5:on, 6:7 1");
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_awaited_task
TEST(TaskCancel, OfItselfCancelsTheAwaitedChildAndItsFuture) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto task = create_task([&]() -> Coro<> {
            auto child = create_task([&]() -> Coro<> { co_await future; });
            co_await sleep(0);
            current_task().cancel("self");
            try {
                co_await child;
            } catch (const CancelledError&) {
                trace("body", caught(), child.cancelled(), future.cancelled(), child.cancelling());
                throw;
            }
        });
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace(caught(), task.cancelling());
        }
    });
    EXPECT_EQ(text, "4:body CancelledError('self') True True 1, 5:CancelledError('self') 1");
}

TEST(TaskCancel, OfItselfReachesAChildThatHasNotBegun) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<> {
            auto child = create_task([&]() -> Coro<> {
                trace("never");
                co_return;
            });
            current_task().cancel("self");
            try {
                co_await child;
            } catch (const CancelledError&) {
                trace("body", caught(), child.cancelled(), child.cancelling());
                throw;
            }
        });
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace(caught(), task.cancelling());
        }
    });
    EXPECT_EQ(text, "3:body CancelledError('self') True 1, 4:CancelledError('self') 1");
}

TEST(TaskCancel, TwiceWhileItWaitsGivesTheFirstMessageOnce) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto task = create_task([&]() -> Coro<> {
            try {
                co_await future;
            } catch (const CancelledError&) {
                trace(caught());
            }
            co_await sleep(0);
            trace("on");
        });
        co_await sleep(0);
        bool first = task.cancel("first");
        bool second = task.cancel("second");
        trace(first, second, task.cancelling());
        co_await task;
        trace(task.cancelled(), task.cancelling());
    });
    EXPECT_EQ(text, "1:True True 2, 2:CancelledError('first'), 3:on, 4:False 2");
}

TEST(TaskCancel, TwiceWhileItIsScheduledGivesTheLastMessageOnce) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<> {
            try {
                co_await sleep(0);
            } catch (const CancelledError&) {
                trace(caught());
            }
            co_await sleep(0);
            trace("on");
        });
        co_await sleep(0);
        bool first = task.cancel("first");
        bool second = task.cancel("second");
        trace(first, second, task.cancelling());
        co_await task;
        trace(task.cancelled(), task.cancelling());
    });
    EXPECT_EQ(text, "1:True True 2, 2:CancelledError('second'), 3:on, 4:False 2");
}

TEST(TaskCancel, TwiceBeforeTheFirstStepKeepsTheLastMessageEvenIfThatIsNone) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<> { co_return; });
        bool first = task.cancel("first");
        bool second = task.cancel();
        trace(first, second, task.cancelling());
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace(caught());
        }
    });
    EXPECT_EQ(text, "0:True True 2, 2:CancelledError()");
}

TEST(TaskCancel, WinsOverAResultThatTheTaskHasNotSeenYet) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        auto task = create_task([&]() -> Coro<> {
            try {
                int value = co_await future;
                trace("value", value);
            } catch (const CancelledError&) {
                trace(caught());
                throw;
            }
        });
        co_await sleep(0);
        future.set_result(4);
        bool asked = task.cancel("late");
        trace(asked);
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace("main", caught());
        }
        trace(future.result(), task.cancelled());
    });
    EXPECT_EQ(text, "1:True, 2:CancelledError('late'), 3:main CancelledError('late'), 3:4 True");
}

TEST(TaskCancel, WinsOverAnExceptionWhichThenCountsAsSeen) {
    Reports reports;
    std::string text = trace_of([&](Trace& trace) -> Coro<> {
        reports.listen(get_running_loop());
        auto future = get_running_loop().create_future<int>();
        auto wait = [&](Future<int> awaited) -> Coro<> {
            try {
                co_await awaited;
            } catch (const CancelledError&) {
                trace(caught());
                throw;
            }
        };
        auto task = create_task(wait(future));
        co_await sleep(0);
        future.set_exception(ValueError("x"));
        bool asked = task.cancel("late");
        trace(asked);
        future = {};
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace("main", caught());
        }
    });
    EXPECT_EQ(text, "1:True, 2:CancelledError('late'), 3:main CancelledError('late')");
    EXPECT_EQ(reports.str(), "");
}

}  // namespace
