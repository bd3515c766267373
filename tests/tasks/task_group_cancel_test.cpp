// TaskGroup::cancel(), which CPython has since 3.15. The traces were recorded from CPython 3.14.10's taskgroups.py with
// 3.15's additions (gh-108951, gh-155418, gh-155433).
#include "support/run_test.h"

#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::caught;
using support::Trace;

template <class Body>
std::string trace_of(Body body) {
    std::string text;
    support::run_test([&]() -> Coro<> {
        Trace trace;
        try {
            co_await body(trace);
            trace("main None");
        } catch (...) {
            trace("main", caught(), current_task().cancelling());
        }
        text = trace.str();
    });
    return text;
}

Coro<> forever(Trace& trace, std::string name) {
    try {
        co_await sleep(3600s);
    } catch (const CancelledError&) {
        trace(name, caught());
        throw;
    }
}

TEST(TaskGroupCancel, FromTheBodyEndsItAtItsNextAwait) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            group.create_task(forever(trace, "child"));
            co_await sleep(0);
            co_await sleep(0);
            group.cancel();
            trace(repr(group), current_task().cancelling());
            co_await forever(trace, "body");
        });
        trace("left", current_task().cancelling());
    });
    EXPECT_EQ(text,
              "2:<TaskGroup tasks=1 cancelling> 1, 3:child CancelledError(), 3:body CancelledError(), 5:left 0, "
              "5:main None");
}

TEST(TaskGroupCancel, AtTheEndOfTheBodyCancelsTheTasks) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            group.create_task(forever(trace, "child"));
            co_await sleep(0);
            co_await sleep(0);
            group.cancel();
        });
        trace("left", current_task().cancelling());
    });
    EXPECT_EQ(text, "3:child CancelledError(), 5:left 0, 5:main None");
}

TEST(TaskGroupCancel, OfAnEmptyGroupLeavesNothingBehindAndCanBeRepeated) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        TaskGroup group;
        co_await with(group, [&] { group.cancel(); });
        trace("left", current_task().cancelling());
        group.cancel();
        co_await sleep(0);
    });
    EXPECT_EQ(text, "0:left 0, 1:main None");
}

TEST(TaskGroupCancel, FromATaskEndsAllOfThem) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto child = [&](TaskGroup& group) -> Coro<> {
            co_await sleep(0);
            group.cancel();
            trace("asked");
            co_await forever(trace, "child");
        };
        co_await with(TaskGroup{}, [&](TaskGroup& group) {
            group.create_task(child(group));
            group.create_task(forever(trace, "sibling"));
        });
        trace("left", current_task().cancelling());
    });
    EXPECT_EQ(text, "2:asked, 3:sibling CancelledError(), 3:child CancelledError(), 5:left 0, 5:main None");
}

TEST(TaskGroupCancel, FromATaskInItsEagerFirstStepCancelsThatTaskToo) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto child = [&](TaskGroup& group) -> Coro<> {
            group.cancel();
            trace("asked");
            co_await forever(trace, "child");
        };
        co_await with(TaskGroup{}, [&](TaskGroup& group) { group.create_task(child(group), {.eager_start = true}); });
        trace("left", current_task().cancelling());
    });
    EXPECT_EQ(text, "0:asked, 1:child CancelledError(), 3:left 0, 3:main None");
}

TEST(TaskGroupCancel, BeforeItIsEnteredTakesEffectOnEntry) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        TaskGroup unused;
        unused.cancel();
        co_await with(std::move(unused), [&](TaskGroup& group) -> Coro<> {
            trace(repr(group));
            trace(support::outcome([&] { group.create_task(forever(trace, "never")); }));
            co_await sleep(0);
            trace("never");
        });
        trace("left", current_task().cancelling());
    });
    EXPECT_EQ(text,
              "0:<TaskGroup cancelling>, 0:RuntimeError('TaskGroup <TaskGroup cancelling> is shutting down'), "
              "1:left 0, 1:main None");
}

TEST(TaskGroupCancel, DoesNotLoseACancellationFromOutside) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto child = [&]() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                trace("child");
            }
            co_await future;
        };
        auto block = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                group.create_task(child());
                co_await sleep(0);
                group.cancel();
            });
        };
        auto main = create_task([&]() -> Coro<> {
            try {
                co_await block();
            } catch (...) {
                trace("main", caught(), current_task().cancelling());
            }
        });
        for (int i = 0; i < 5; ++i) co_await sleep(0);
        main.cancel("outside");
        co_await sleep(0);
        co_await sleep(0);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text, "3:child, 10:main CancelledError('outside') 1, 11:main None");
}

TEST(TaskGroupCancel, LetsErrorsOfCleanUpsOut) {
    std::string text = trace_of([](Trace&) -> Coro<> {
        auto child = []() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
            }
            throw ValueError("cleanup");
        };
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            group.create_task(child());
            co_await sleep(0);
            group.cancel();
        });
    });
    EXPECT_EQ(text, "4:main ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('cleanup')]) 0");
}

TEST(TaskGroupCancel, TellsTheTasksWhoAskedAndWhere) {
    std::string by;
    unsigned line = 0;
    unsigned asked_at = 0;
    support::run_test([&]() -> Coro<> {
        auto child = [&]() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError& error) {
                by = error.requested_by();
                line = error.requested_at().line();
            }
        };
        current_task().set_name("the boss");
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            group.create_task(child());
            co_await sleep(0);
            asked_at = std::source_location::current().line() + 1;
            group.cancel();
        });
    });
    EXPECT_EQ(by, "the boss");
    EXPECT_EQ(line, asked_at);
}

TEST(TaskGroupCancel, OfABodyThatShouldGiveAValueThrows) {
    std::string thrown;
    support::run_test([&]() -> Coro<> {
        try {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<int> {
                group.cancel();
                co_await sleep(1s);
                co_return 1;
            });
        } catch (const RuntimeError& error) {
            thrown = error.what();
        }
    });
    EXPECT_EQ(thrown, "with() has no value to return: aexit() swallowed the exception that ended the body");
}

}  // namespace
