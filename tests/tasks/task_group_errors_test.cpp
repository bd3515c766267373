// Which errors come out of a TaskGroup, and when. Every trace was recorded from CPython 3.14.10, with the numbers of
// the loop's passes.
#include "tasks/task_group_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_error_and_cancel
TEST(TaskGroupErrors, AnErrorAndAnOutsideCancelGiveTheErrorNowAndTheCancelAtTheNextAwait) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto block = [&]() -> Coro<> {
            try {
                co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                    group.create_task(fail_after(future, trace, "a"));
                    co_await sleep(10s);
                });
            } catch (const ExceptionGroup&) {
                trace(caught(), cancelling());
            }
            co_await sleep(10s);
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        future.set_result();
        main.cancel("outside");
        co_await main;
    });
    EXPECT_EQ(text, "3:a fails, 5:" + group_of_a + " 1, 6:main CancelledError() 1");
}

TEST(TaskGroupErrors, ABodyThatSwallowsTheGroupsCancelGoesOnAndTheErrorStillComes) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto block = [&]() -> Coro<> {
            try {
                co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                    group.create_task(fail_after(future, trace, "a"));
                    try {
                        co_await sleep(10s);
                    } catch (const CancelledError&) {
                        trace("swallowed", cancelling());
                    }
                    co_await sleep(0);
                    trace("body goes on");
                    try {
                        group.create_task(passes(1));
                    } catch (const RuntimeError& error) {
                        trace(error.what());
                    }
                });
            } catch (const ExceptionGroup&) {
                trace(caught(), cancelling());
            }
            co_await sleep(0);
            trace("after");
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text,
              "3:a fails, 5:swallowed 1, 6:body goes on, 6:TaskGroup <TaskGroup errors=1 cancelling> is shutting "
              "down, 6:" +
                  group_of_a + " 0, 7:after, 7:main None");
}

TEST(TaskGroupErrors, ErrorsStandInTheOrderOfCompletion) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        std::vector<Future<>> futures;
        for (int i = 0; i < 3; ++i) futures.push_back(get_running_loop().create_future());
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) {
                for (std::size_t i = 0; i < 3; ++i) {
                    group.create_task(fail_after(futures[i], trace, std::string(1, "abc"[i])));
                }
            });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        for (std::size_t i : {2U, 0U, 1U}) futures[i].set_result();
        co_await main;
    });
    EXPECT_EQ(text,
              "3:c fails, 3:a fails, 3:b fails, 5:main ExceptionGroup('unhandled errors in a TaskGroup', "
              "[ValueError('c'), ValueError('a'), ValueError('b')]) 0");
}

TEST(TaskGroupErrors, AFailureInACleanUpCancelsNoTaskAgain) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto stubborn = [&]() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                trace("stubborn", caught(), cancelling());
            }
            try {
                co_await future;
            } catch (const CancelledError&) {
                trace("again");
            }
            trace("stubborn ends", cancelling());
        };
        auto fails = [&]() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
            }
            trace("fails");
            throw ValueError("cleanup");
        };
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                group.create_task(stubborn());
                group.create_task(fails());
                co_await sleep(0);
                throw LookupError("body");
            });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(6);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text,
              "3:stubborn CancelledError() 1, 3:fails, 7:stubborn ends 1, 9:main ExceptionGroup('unhandled errors in a "
              "TaskGroup', [ValueError('cleanup'), LookupError('body')]) 0");
}

TEST(TaskGroupErrors, TheBodysErrorIsTheLast) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                group.create_task(fail_after(future, trace, "a"));
                co_await future;
                co_await sleep(0);
                throw LookupError("body");
            });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text,
              "3:a fails, 5:main ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('a'), "
              "LookupError('body')]) 0");
}

TEST(TaskGroupErrors, ATaskThatFailsInItsEagerStepIsNoticedOnePassLater) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto bad = []() -> Coro<> {
            throw ValueError("eager");
            co_return;
        };
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                auto task = group.create_task(bad(), {.eager_start = true});
                trace("done", task.done(), repr(group));
                co_await sleep(0);
                trace("body after one turn");
                co_await sleep(0);
                trace("never");
            });
        };
        co_await watch(block(), trace);
    });
    EXPECT_EQ(text,
              "0:done True <TaskGroup tasks=1 entered>, 1:main ExceptionGroup('unhandled errors in a TaskGroup', "
              "[ValueError('eager')]) 0");
}

TEST(TaskGroupErrors, AnInnerGroupsErrorArrivesInTheOuterAsOneGroup) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& outer) -> Coro<> {
                outer.create_task(forever(trace, "outer child"));
                co_await with(TaskGroup{}, [&](TaskGroup& inner) -> Coro<> {
                    inner.create_task(fail_after(future, trace, "a"));
                    co_await sleep(10s);
                });
            });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text, "3:a fails, 6:outer child, 8:main ExceptionGroup('unhandled errors in a TaskGroup', [" +
                        group_of_a + "]) 0");
}

}  // namespace
