// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
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

TEST(TaskGroupTurns, TheExitTakesTwoPassesFromTheLastTasksEnd) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto main = create_task([&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) { group.create_task(wait_on(future, trace, "a")); });
            trace("left");
        });
        co_await passes(2);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text, "3:a, 5:left");
}

TEST(TaskGroupTurns, AFailureReachesSiblingAndBodyInTwoPasses) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                group.create_task(fail_after(future, trace, "a"));
                group.create_task(forever(trace, "sibling"));
                try {
                    co_await sleep(10s);
                } catch (const CancelledError&) {
                    trace("body", cancelling());
                    throw;
                }
            });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text, "3:a fails, 5:sibling, 5:body 1, 7:main " + group_of_a + " 0");
}

TEST(TaskGroupTurns, AFailureEndsTheBlockInTwoPassesAloneAndInFourBesideASibling) {
    auto trace_with = [](bool sibling) {
        return trace_of([&](Trace& trace) -> Coro<> {
            auto future = get_running_loop().create_future();
            auto block = [&]() -> Coro<> {
                co_await with(TaskGroup{}, [&](TaskGroup& group) {
                    group.create_task(fail_after(future, trace, "a"));
                    if (sibling) group.create_task(forever(trace, "sibling"));
                });
            };
            auto main = create_task(watch(block(), trace));
            co_await passes(2);
            future.set_result();
            co_await main;
        });
    };
    EXPECT_EQ(trace_with(false), "3:a fails, 5:main " + group_of_a + " 0");
    EXPECT_EQ(trace_with(true), "3:a fails, 5:sibling, 7:main " + group_of_a + " 0");
}

TEST(TaskGroupTurns, CancellingTheParentAtTheExitTakesFourPasses) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) { group.create_task(forever(trace, "child")); });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        main.cancel("msg");
        co_await main;
    });
    EXPECT_EQ(text, "4:child, 6:main CancelledError('msg') 1");
}

TEST(TaskGroupTurns, CancellingTheParentAgainCancelsNoTaskAgain) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto stubborn = [&]() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                trace("child", caught());
            }
            co_await future;
            trace("child ends");
        };
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) { group.create_task(stubborn()); });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        main.cancel("one");
        main.cancel("two");
        co_await passes(3);
        trace("cancelling", main.cancelling());
        main.cancel("three");
        co_await passes(2);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text, "4:child CancelledError(), 5:cancelling 2, 8:child ends, 10:main CancelledError('one') 3");
}

TEST(TaskGroupTurns, ACancelThatMeetsTheEndOfTheLastTaskWins) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) { group.create_task(wait_on(future, trace, "a")); });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        future.set_result();
        co_await passes(2);
        trace("cancel");
        main.cancel("late");
        co_await main;
    });
    EXPECT_EQ(text, "3:a, 4:cancel, 5:main CancelledError('late') 1");
}

TEST(TaskGroupTurns, ATaskThatSwallowsTheCancelIsWaitedForAndTheMessageStaysTheBodys) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto child = [&]() -> Coro<int> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                trace("child", caught());
            }
            co_await sleep(0);
            co_return 7;
        };
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                group.create_task(child());
                try {
                    co_await sleep(10s);
                } catch (const CancelledError&) {
                    trace("body", caught());
                    throw;
                }
            });
        };
        auto main = create_task(watch(block(), trace));
        co_await passes(2);
        main.cancel("why");
        co_await main;
    });
    EXPECT_EQ(text, "3:body CancelledError('why'), 4:child CancelledError(), 7:main CancelledError('why') 1");
}

TEST(TaskGroupTurns, TasksCanAddTasksWhileTheBlockIsBeingLeft) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto grandchild = [&]() -> Coro<> {
            trace("grandchild");
            co_return;
        };
        auto child = [&](TaskGroup& group) -> Coro<> {
            co_await sleep(0);
            trace(repr(group));
            group.create_task(grandchild());
            trace("child ends");
        };
        TaskGroup tasks;
        co_await with(tasks, [&](TaskGroup& group) { group.create_task(child(group)); });
        trace("left", repr(tasks));
    });
    EXPECT_EQ(text, "2:<TaskGroup tasks=1 entered>, 2:child ends, 3:grandchild, 5:left <TaskGroup entered>");
}

TEST(TaskGroupTurns, TheReprTellsTheStateAndErrorsQuoteIt) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        TaskGroup group;
        trace(repr(group));
        auto block = [&]() -> Coro<> {
            co_await with(group, [&]() -> Coro<> {
                trace(repr(group));
                group.create_task(fail_after(future, trace, "x"));
                group.create_task([]() -> Coro<> { co_await sleep(10s); });
                trace(repr(group));
                try {
                    co_await sleep(10s);
                } catch (const CancelledError&) {
                    trace(repr(group));
                    throw;
                }
            });
        };
        auto main = create_task(block());
        co_await sleep(0);
        future.set_result();
        try {
            co_await main;
        } catch (const ExceptionGroup&) {
        }
        trace(repr(group));
        trace(support::outcome([&] { group.create_task(passes(1)); }));
        trace(support::outcome([&] { group.aenter(); }));
        TaskGroup fresh;
        trace(support::outcome([&] { fresh.create_task(passes(1)); }));
    });
    EXPECT_EQ(text,
              "0:<TaskGroup>, 1:<TaskGroup entered>, 1:<TaskGroup tasks=2 entered>, 2:x fails, "
              "4:<TaskGroup tasks=1 errors=1 cancelling>, 7:<TaskGroup cancelling>, "
              "7:RuntimeError('TaskGroup <TaskGroup cancelling> is finished'), "
              "7:RuntimeError('TaskGroup <TaskGroup cancelling> has already been entered'), "
              "7:RuntimeError('TaskGroup <TaskGroup> has not been entered')");
}

}  // namespace
