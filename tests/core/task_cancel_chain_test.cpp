// Cancelling what a task waits for. Every trace in this file was recorded from CPython 3.14.10.
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

TEST(TaskCancelChain, ReachesTheInnermostAndComesBackOneHopATask) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto leaf = [&]() -> Coro<> {
            try {
                co_await sleep(100);
            } catch (...) {
                trace("t0");
                throw;
            }
        };
        auto link = [&](int number, Task<> inner) -> Coro<> {
            try {
                co_await inner;
            } catch (const CancelledError&) {
                trace("t" + std::to_string(number), caught(), current_task().cancelling());
                throw;
            }
        };
        std::vector<Task<>> tasks{create_task(leaf())};
        for (int i = 1; i < 4; ++i) tasks.push_back(create_task(link(i, tasks.back())));
        co_await sleep(0);
        bool asked = tasks.back().cancel("down");
        trace(asked);
        try {
            co_await tasks.back();
        } catch (const CancelledError&) {
            trace("main", caught());
        }
        for (const Task<>& task : tasks) trace(task.cancelling(), task.cancelled());
    });
    EXPECT_EQ(text,
              "1:True, 2:t0, 3:t1 CancelledError('down') 1, 4:t2 CancelledError('down') 1, "
              "5:t3 CancelledError('down') 1, 6:main CancelledError('down'), 6:1 True, 6:1 True, 6:1 True, 6:1 True");
}

TEST(TaskCancelChain, OfTheInnerTaskLeavesTheAwaitersCountAtZero) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto inner = create_task([&]() -> Coro<> { co_await future; });
        auto outer = create_task([&]() -> Coro<> {
            try {
                co_await inner;
            } catch (const CancelledError&) {
                trace("outer", caught(), current_task().cancelling());
                throw;
            }
        });
        co_await sleep(0);
        co_await sleep(0);
        inner.cancel("x");
        try {
            co_await outer;
        } catch (const CancelledError&) {
            trace("main", caught());
        }
        trace(inner.cancelled(), outer.cancelled(), inner.cancelling(), outer.cancelling());
    });
    EXPECT_EQ(text, "4:outer CancelledError('x') 0, 5:main CancelledError('x'), 5:True True 1 0");
}

TEST(TaskCancelChain, KeepsReachingATaskThatSwallows) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto inner = create_task([&]() -> Coro<std::string> {
            for (int i = 0; i < 3; ++i) {
                try {
                    co_await sleep(100);
                } catch (const CancelledError&) {
                    trace("swallow", caught(), current_task().cancelling());
                }
            }
            co_return "value";
        });
        auto outer = create_task([&]() -> Coro<std::string> { co_return co_await inner; });
        co_await sleep(0);
        co_await sleep(0);
        for (const char* message : {"0", "1", "2"}) {
            bool asked = outer.cancel(message);
            trace(asked);
            co_await sleep(0);
            co_await sleep(0);
        }
        std::string value = co_await outer;
        trace(value, outer.cancelling(), inner.cancelling());
    });
    EXPECT_EQ(text,
              "2:True, 3:swallow CancelledError('0') 1, 4:True, 5:swallow CancelledError('1') 2, 6:True, "
              "7:swallow CancelledError('2') 3, 8:value 3 3");
}

TEST(TaskCancelChain, GivesTheOuterTaskWhateverTheInnerEndsWith) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto inner = create_task([&]() -> Coro<> {
            try {
                co_await sleep(100);
            } catch (const CancelledError&) {
                throw ValueError("instead");
            }
        });
        auto outer = create_task([&]() -> Coro<> { co_await inner; });
        co_await sleep(0);
        co_await sleep(0);
        outer.cancel();
        try {
            co_await outer;
        } catch (const ValueError&) {
            trace(caught());
        }
        trace(outer.cancelled(), outer.cancelling());
    });
    EXPECT_EQ(text, "5:ValueError('instead'), 5:False 1");
}

TEST(TaskCancelChain, ACancelledErrorOfItsOwnMakesTheTaskCancelled) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([]() -> Coro<> {
            throw CancelledError("own");
            co_return;
        });
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace(caught());
        }
        trace(outcome([&] { task.result(); }));
        trace(outcome([&] { return task.exception(); }));
        trace(task.cancelled(), task.cancelling());
    });
    EXPECT_EQ(text, "2:CancelledError('own'), 2:CancelledError(), 2:CancelledError(), 2:True 0");
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_both_task_and_inner_future
TEST(TaskCancelChain, AfterTheFutureWasCancelledTheFuturesMessageStays) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto task = create_task([&]() -> Coro<> {
            try {
                co_await future;
            } catch (const CancelledError&) {
                trace(caught());
                throw;
            }
        });
        co_await sleep(0);
        future.cancel("future");
        bool asked = task.cancel("task");
        trace(asked);
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace("main", caught());
        }
        trace(task.cancelled(), task.cancelling());
    });
    EXPECT_EQ(text, "1:True, 2:CancelledError('future'), 3:main CancelledError('future'), 3:True 1");
}

TEST(TaskCancelChain, ACancelledErrorSetAsExceptionCancelsTheAwaiter) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto task = create_task([&]() -> Coro<> { co_await future; });
        co_await sleep(0);
        future.set_exception(CancelledError("set"));
        bool asked = task.cancel("t");
        trace(future.cancelled(), asked);
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace(caught());
        }
        trace(task.cancelled());
    });
    EXPECT_EQ(text, "1:False True, 3:CancelledError('set'), 3:True");
}

TEST(TaskCancelChain, OfOneAwaiterCancelsTheFutureOfAll) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<>();
        auto wait = [&](const char* name) -> Coro<> {
            try {
                co_await future;
                trace(name, "ok");
            } catch (const CancelledError&) {
                trace(name, caught(), current_task().cancelling());
            }
        };
        auto a = create_task(wait("a"));
        auto b = create_task(wait("b"));
        co_await sleep(0);
        a.cancel("x");
        co_await b;
        co_await a;
    });
    EXPECT_EQ(text, "2:a CancelledError('x') 1, 2:b CancelledError('x') 0");
}

TEST(TaskCancelChain, SwallowedLeavesTheNextFutureAlone) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto first = get_running_loop().create_future<int>();
        auto second = get_running_loop().create_future<int>();
        auto task = create_task([&]() -> Coro<int> {
            try {
                co_await first;
            } catch (const CancelledError&) {
                trace("swallowed");
            }
            int value = co_await second;
            trace("got", value, current_task().cancelling());
            co_return 1;
        });
        co_await sleep(0);
        task.cancel();
        co_await sleep(0);
        co_await sleep(0);
        second.set_result(8);
        int value = co_await task;
        trace(value, task.cancelled(), first.cancelled(), second.cancelled());
    });
    EXPECT_EQ(text, "2:swallowed, 4:got 8 1, 5:1 False True False");
}

TEST(TaskCancelChain, ASecondCancelInterruptsTheCleanUp) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<> {
            bool interrupted = false;
            try {
                co_await sleep(100);
            } catch (const CancelledError&) {
                interrupted = true;
            }
            try {
                co_await sleep(100);
            } catch (const CancelledError&) {
                trace("second", caught(), interrupted);
                throw;
            }
        });
        co_await sleep(0);
        task.cancel("one");
        co_await sleep(0);
        co_await sleep(0);
        task.cancel("two");
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace("main", caught(), task.cancelling());
        }
    });
    EXPECT_EQ(text, "4:second CancelledError('two') True, 5:main CancelledError('two') 2");
}

TEST(TaskCancelChain, OfAnOuterTaskWhoseInnerHasNotBegun) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<> {
            trace("outer");
            co_await create_task([&]() -> Coro<> {
                trace("inner");
                co_return;
            });
        });
        co_await sleep(0);
        bool asked = task.cancel("m");
        trace(asked);
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace("main", caught());
        }
    });
    EXPECT_EQ(text, "1:outer, 1:True, 4:main CancelledError('m')");
}

TEST(TaskCancelledError, KnowsWhoAskedAndWhere) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<> { co_await sleep(100); });
        co_await sleep(0);
        current_task().set_name("the boss");
        unsigned line = std::source_location::current().line() + 1;
        task.cancel("enough");
        bool seen = false;
        try {
            co_await task;
        } catch (const CancelledError& error) {
            seen = true;
            EXPECT_EQ(error.message(), "enough");
            EXPECT_EQ(error.requested_by(), "the boss");
            EXPECT_EQ(error.requested_at().line(), line);
            EXPECT_NE(std::string(error.requested_at().file_name()).find("task_cancel_chain_test.cpp"),
                      std::string::npos);
        }
        EXPECT_TRUE(seen);
    });
}

TEST(TaskCancelledError, FromACallbackNamesNobody) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<> { co_await sleep(100); });
        co_await sleep(0);
        get_running_loop().call_soon([&] { task.cancel(); });
        bool seen = false;
        try {
            co_await task;
        } catch (const CancelledError& error) {
            seen = true;
            EXPECT_EQ(error.requested_by(), "");
            EXPECT_EQ(error.message(), std::nullopt);
            EXPECT_GT(error.requested_at().line(), 0U);
        }
        EXPECT_TRUE(seen);
    });
}

}  // namespace
