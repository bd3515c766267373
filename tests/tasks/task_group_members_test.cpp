// What a TaskGroup does with its tasks one by one: names, contexts, who may be added when, and what is left of it.
#include "support/run_test.h"

#include <asyncio/context/context.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/core/waiter.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::caught;
using support::outcome;
using support::run_test;

/// Runs it with tasks that start in the next pass and with eager ones, as CPython's own tests do.
template <class Main>
void run_lazy_and_eager(Main main) {
    for (bool eager : {false, true}) {
        run_test([&]() -> Coro<> {
            if (eager) get_running_loop().set_task_factory(eager_task_factory);
            co_await main();
        });
    }
}

Coro<> nap(Seconds delay) { co_await sleep(delay); }
Coro<> crash(Seconds delay) {
    co_await sleep(delay);
    throw ValueError("crash");
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_23
TEST(TaskGroup, ForgetsTasksThatHaveEnded) {
    run_lazy_and_eager([]() -> Coro<> {
        co_await with(TaskGroup{}, [](TaskGroup& group) -> Coro<> {
            for (int count = 0; count < 10; ++count) {
                co_await sleep(100ms);
                group.create_task(nap(250ms));
            }
            EXPECT_EQ(repr(group), "<TaskGroup tasks=3 entered>");
            co_await sleep(1s);
            EXPECT_EQ(repr(group), "<TaskGroup entered>");
        });
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_24
TEST(TaskGroup, WaitsForTasksThatItsTasksAdd) {
    run_lazy_and_eager([]() -> Coro<> {
        auto begin = get_running_loop().time();
        auto root = [](TaskGroup& group) -> Coro<> {
            co_await sleep(100ms);
            group.create_task(nap(100ms));
            group.create_task(nap(200ms));
        };
        co_await with(TaskGroup{}, [&](TaskGroup& group) { group.create_task(root(group)); });
        EXPECT_EQ(get_running_loop().time(), begin + 300ms);
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_25
TEST(TaskGroup, StopsTasksThatMultiplyWhenOneFails) {
    run_lazy_and_eager([]() -> Coro<> {
        int hydras = 0;
        std::string thrown;
        auto hydra = [&](auto& self, TaskGroup& group) -> Coro<> {
            ++hydras;
            co_await sleep(10ms);
            group.create_task(self(self, group));
            group.create_task(self(self, group));
        };
        auto hercules = [&]() -> Coro<> {
            while (hydras < 10) co_await sleep(15ms);
            throw ValueError("enough");
        };
        try {
            co_await with(TaskGroup{}, [&](TaskGroup& group) {
                group.create_task(hydra(hydra, group));
                group.create_task(hercules());
            });
        } catch (const ExceptionGroup&) {
            thrown = caught();
        }
        EXPECT_EQ(thrown, "ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('enough')])");
        EXPECT_GE(hydras, 10);
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_task_name
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_name
TEST(TaskGroup, NamesItsTasks) {
    run_lazy_and_eager([]() -> Coro<> {
        std::string seen;
        auto look = [&]() -> Coro<> {
            seen += current_task().get_name() + ";";
            co_return;
        };
        co_await with(TaskGroup{}, [&](TaskGroup& group) {
            EXPECT_EQ(group.create_task(look(), {.name = "yolo"}).get_name(), "yolo");
            group.create_task(look, {.name = "example name"});
        });
        EXPECT_EQ(seen, "yolo;example name;");
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_task_context
TEST(TaskGroup, RunsATaskInTheContextGiven) {
    run_lazy_and_eager([]() -> Coro<> {
        ContextVar<int> var("cvar");
        auto set = [&](int value) -> Coro<> {
            co_await sleep(0);
            var.set(value);
        };
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            Context context = copy_context();
            for (int value : {1, 2}) {
                auto task = group.create_task(set(value), {.context = context});
                co_await task;
                EXPECT_EQ(context.get(var), value);
            }
            EXPECT_EQ(var.get(0), 0);
        });
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_no_create_task_after_failure
TEST(TaskGroup, TakesNoTaskWhileItShutsDown) {
    run_lazy_and_eager([]() -> Coro<> {
        std::string refused;
        std::string thrown;
        auto late = [&](TaskGroup& group) -> Coro<> {
            try {
                co_await sleep(1s);
            } catch (const CancelledError&) {
                refused = outcome([&] { group.create_task(nap(1s)); });
            }
        };
        try {
            co_await with(TaskGroup{}, [&](TaskGroup& group) {
                group.create_task(crash(1ms));
                group.create_task(late(group));
            });
        } catch (const ExceptionGroup&) {
            thrown = caught();
        }
        EXPECT_EQ(refused, "RuntimeError('TaskGroup <TaskGroup tasks=1 errors=1 cancelling> is shutting down')");
        EXPECT_EQ(thrown, "ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('crash')])");
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_already_entered
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_double_enter
TEST(TaskGroup, CanBeEnteredOnlyOnce) {
    run_test([]() -> Coro<> {
        const std::string refusal = "RuntimeError('TaskGroup <TaskGroup entered> has already been entered')";
        TaskGroup group;
        co_await with(group, [&] { EXPECT_EQ(outcome([&] { group.aenter(); }), refusal); });
        EXPECT_EQ(outcome([&] { group.aenter(); }), refusal);
        EXPECT_EQ(outcome([&] { TaskGroup moved(std::move(group)); }),
                  "RuntimeError('TaskGroup <TaskGroup entered> cannot be moved, since it has been entered')");
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_finished
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_not_entered
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_coro_closed_when_tg_closed
TEST(TaskGroup, RefusesTasksBeforeAndAfterAndClosesTheCoroutine) {
    run_test([]() -> Coro<> {
        auto argument = std::make_shared<int>(1);
        auto coro = [](std::shared_ptr<int>) -> Coro<> { co_return; };
        TaskGroup group;
        EXPECT_EQ(outcome([&] { group.create_task(coro(argument)); }),
                  "RuntimeError('TaskGroup <TaskGroup> has not been entered')");
        co_await with(group, [] {});
        EXPECT_EQ(outcome([&] { group.create_task(coro(argument)); }),
                  "RuntimeError('TaskGroup <TaskGroup entered> is finished')");
        EXPECT_EQ(outcome([&] { group.create_task(coro, argument); }),
                  "RuntimeError('TaskGroup <TaskGroup entered> is finished')");
        EXPECT_EQ(argument.use_count(), 1);
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_without_parent_task
TEST(TaskGroup, NeedsATaskToBeEnteredIn) {
    EventLoop loop({.clock = VirtualClock{}});
    TaskGroup group;
    std::string entering;
    std::string creating;
    loop.call_soon([&] {
        entering = outcome([&] { group.aenter(); });
        creating = outcome([&] { group.create_task(nap(0s)); });
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(entering, "RuntimeError('TaskGroup <TaskGroup> cannot determine the parent task')");
    EXPECT_EQ(creating, "RuntimeError('TaskGroup <TaskGroup> has not been entered')");
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_cancelling_level_preserved
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_cancellation_does_not_leak_out_of_tg
TEST(TaskGroup, LeavesNoRequestToCancelBehind) {
    run_lazy_and_eager([]() -> Coro<> {
        try {
            co_await with(TaskGroup{}, [](TaskGroup& group) {
                group.create_task([]() -> Coro<> {
                    throw ValueError("at once");
                    co_return;
                });
            });
            ADD_FAILURE();
        } catch (const ExceptionGroup&) {
        }
        EXPECT_EQ(current_task().cancelling(), 0);
        co_await sleep(0);
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_nested_groups_both_cancelled
TEST(TaskGroup, NestedOnesThatFailTogetherEachTakeBackTheirRequest) {
    run_lazy_and_eager([]() -> Coro<> {
        std::vector<int> counts;
        std::string inner_error;
        std::string outer_error;
        auto fail = []() -> Coro<> {
            co_await sleep(0);
            throw ValueError("x");
        };
        try {
            co_await with(TaskGroup{}, [&](TaskGroup& outer) -> Coro<> {
                try {
                    co_await with(TaskGroup{}, [&](TaskGroup& inner) {
                        inner.create_task(fail());
                        outer.create_task(fail());
                    });
                } catch (const ExceptionGroup&) {
                    inner_error = caught();
                }
                counts.push_back(current_task().cancelling());
            });
        } catch (const ExceptionGroup&) {
            outer_error = caught();
        }
        counts.push_back(current_task().cancelling());
        EXPECT_EQ(inner_error, "ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('x')])");
        EXPECT_EQ(outer_error, inner_error);
        EXPECT_EQ(counts, (std::vector{1, 0}));
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_cancels_task_if_created_during_creation
TEST(TaskGroup, CancelsATaskThatIsBeingCreatedWhenOneItCreatesFails) {
    run_lazy_and_eager([]() -> Coro<> {
        bool ran = false;
        auto third = []() -> Coro<> {
            throw ValueError("third task failed");
            co_return;
        };
        auto second = [&](TaskGroup& group) -> Coro<> {
            group.create_task(third());
            try {
                co_await sleep(0);
                co_await sleep(0);
                ADD_FAILURE();
            } catch (const CancelledError&) {
            }
            ran = true;
        };
        std::string thrown;
        try {
            co_await with(TaskGroup{}, [&](TaskGroup& group) { group.create_task(second(group)); });
        } catch (const ExceptionGroup&) {
            thrown = caught();
        }
        EXPECT_EQ(thrown, "ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('third task failed')])");
        EXPECT_TRUE(ran);
    });
}

// CPython: test_eager_task_factory.py, BaseTaskCountingTests.test_recursive_taskgroups
TEST(TaskGroup, InGroupsOfEagerTasksNothingIsScheduled) {
    for (bool eager : {false, true}) {
        int scheduled = 0;
        run_test([&]() -> Coro<> {
            if (eager) get_running_loop().set_task_factory(eager_task_factory);
            auto recurse = [&](auto& self, int width, int depth) -> Coro<> {
                if (depth == 0) co_return;
                co_await with(TaskGroup{}, [&](TaskGroup& group) {
                    for (int i = 0; i < width; ++i) {
                        auto task = group.create_task(self(self, width, depth - 1));
                        if (!task.get_coro().is_suspended() && !task.done()) ++scheduled;
                    }
                });
            };
            co_await recurse(recurse, 5, 4);
        });
        EXPECT_EQ(scheduled, eager ? 0 : 780);
    }
}

TEST(TaskGroup, IsWhatItsParentWaitsForAtTheEnd) {
    run_test([]() -> Coro<> {
        TaskGroup group;
        auto parent = create_task([&]() -> Coro<> { co_await with(group, [&] { group.create_task(nap(1s)); }); });
        co_await sleep(100ms);
        auto* waiter = static_cast<detail::TaskBase*>(parent.state_or_null())->waiting_on();
        EXPECT_EQ(waiter->edge().kind, WaitKind::group);
        EXPECT_EQ(waiter->edge().subject, &group);
        co_await parent;
    });
}

TEST(TaskGroup, ExitByHandTellsWhetherTheErrorIsDealtWith) {
    run_test([]() -> Coro<> {
        TaskGroup cancelled;
        cancelled.aenter();
        cancelled.cancel();
        bool swallowed = co_await cancelled.aexit(std::make_exception_ptr(CancelledError()));
        EXPECT_TRUE(swallowed);
        TaskGroup quiet;
        quiet.aenter();
        swallowed = co_await quiet.aexit(nullptr);
        EXPECT_FALSE(swallowed);
        std::string thrown;
        TaskGroup failed;
        failed.aenter();
        try {
            co_await failed.aexit(std::make_exception_ptr(ValueError("x")));
        } catch (const ExceptionGroup&) {
            thrown = caught();
        }
        EXPECT_EQ(thrown, "ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('x')])");
    });
}

}  // namespace
