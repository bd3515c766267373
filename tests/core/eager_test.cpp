// Tasks whose first step runs inside create_task(). The traces in this file were recorded from CPython 3.14.10.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

constexpr TaskOptions eager{.eager_start = true};

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_eager_completion
// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_block_after_eager_step
TEST(EagerTask, RunsUntilItsFirstWaitInsideCreateTask) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto quick = [&]() -> Coro<int> {
            trace("quick");
            co_return 1;
        };
        auto slow = [&]() -> Coro<int> {
            trace("slow begins");
            co_await sleep(0);
            trace("slow goes on");
            co_return 2;
        };
        auto first = create_task(quick(), eager);
        trace(first.done(), first.result());
        first.add_done_callback([&](Task<int>) { trace("cb"); });
        auto second = create_task(slow, eager);
        second.add_done_callback([&](Task<int>) { trace("s done"); });
        trace(second.done());
        int value = co_await first;
        trace(value);
        value = co_await second;
        trace(value);
    });
    EXPECT_EQ(text, "0:quick, 0:True 1, 0:slow begins, 0:False, 0:1, 1:cb, 1:slow goes on, 2:s done, 2:2");
}

TEST(EagerTask, StoresItsErrorsAndSeesItsOwnCancel) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto bad = create_task(
            []() -> Coro<> {
                throw ValueError("x");
                co_return;
            },
            eager);
        trace(bad.done(), repr(bad.exception()));
        auto cancelled = create_task(
            []() -> Coro<> {
                throw CancelledError("own");
                co_return;
            },
            eager);
        trace(cancelled.done(), cancelled.cancelled());
        auto at_end = create_task(
            []() -> Coro<int> {
                current_task().cancel("s");
                co_return 1;
            },
            eager);
        trace(at_end.done(), at_end.cancelled());
        auto before_yield = create_task(
            []() -> Coro<> {
                current_task().cancel("s");
                co_await sleep(0);
            },
            eager);
        trace(before_yield.done(), before_yield.cancelled());
        try {
            co_await before_yield;
        } catch (const CancelledError&) {
            trace(caught());
        }
        auto future = get_running_loop().create_future<>();
        auto before_wait = create_task(
            [&]() -> Coro<> {
                current_task().cancel("s");
                co_await future;
            },
            eager);
        trace(before_wait.done(), future.cancelled());
        try {
            co_await before_wait;
        } catch (const CancelledError&) {
            trace(caught());
        }
    });
    EXPECT_EQ(text,
              "0:True ValueError('x'), 0:True True, 0:True True, 0:False False, 2:CancelledError('s'), 2:False True, "
              "4:CancelledError('s')");
}

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_cancellation_after_eager_completion
// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_cancellation_after_eager_step_blocks
TEST(EagerTask, CanBeCancelledOnceItWaits) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task(
            [&]() -> Coro<> {
                trace("begin");
                co_await sleep(0);
                trace("never");
            },
            eager);
        bool asked = task.cancel("m");
        trace(asked, task.cancelling());
        try {
            co_await task;
        } catch (const CancelledError&) {
            trace(caught());
        }
        auto done = create_task([]() -> Coro<std::string> { co_return "hello"; }, eager);
        trace(done.cancel(), done.cancelled(), done.result());
    });
    EXPECT_EQ(text, "0:begin, 0:True 1, 2:CancelledError('m'), 2:False False hello");
}

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_current_task
// CPython: test_eager_task_factory.py, DefaultTaskFactoryEagerStart.test_eager_start_true_with_default_factory
// CPython: test_tasks.py, BaseTaskTests.test_eager_start_true
// CPython: test_tasks.py, BaseTaskTests.test_eager_start_true_no_loop
// CPython: test_eager_task_factory.py, CEagerTaskFactoryLoopTests.test_name
TEST(EagerTask, IsTheCurrentTaskWithItsNameAndNests) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        AnyTask creator = current_task();
        auto inner = [&]() -> Coro<> {
            trace(current_task().get_name());
            co_await sleep(0);
            trace(current_task().get_name());
        };
        auto outer = [&]() -> Coro<> {
            auto task = create_task(inner(), {.name = "in", .eager_start = true});
            trace(current_task().get_name());
            co_await task;
            trace(current_task().get_name());
        };
        auto task = create_task(outer(), {.name = "out", .eager_start = true});
        trace(current_task() == creator, all_tasks().size());
        co_await task;
        auto quick = create_task(
            [&]() -> Coro<int> {
                trace(current_task().get_name());
                co_return 42;
            },
            {.name = "example", .eager_start = true});
        trace(quick.done(), quick.result());
    });
    EXPECT_EQ(text, "0:in, 0:out, 0:True 3, 1:in, 2:out, 3:example, 3:True 42");
}

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_all_tasks_with_eager_completion
// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_all_tasks_with_blocking
TEST(EagerTask, IsAmongAllTasksUntilItIsDone) {
    run_test([]() -> Coro<> {
        auto quick = []() -> Coro<> {
            EXPECT_EQ(all_tasks().size(), 2U);
            EXPECT_EQ(all_tasks().back(), current_task());
            co_return;
        };
        create_task(quick(), eager);
        EXPECT_EQ(all_tasks().size(), 1U);
        auto slow = []() -> Coro<> {
            EXPECT_EQ(all_tasks().size(), 2U);
            co_await sleep(0);
            EXPECT_EQ(all_tasks().size(), 2U);
        };
        auto task = create_task(slow(), eager);
        EXPECT_EQ(all_tasks(), (std::vector<AnyTask>{current_task(), task}));
        co_await task;
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_context_vars
TEST(EagerTask, RunsInItsOwnContext) {
    ContextVar<int> var("var", 0);
    std::string text = trace_of([&](Trace& trace) -> Coro<> {
        auto child = [&]() -> Coro<> {
            trace("in", var.get());
            var.set(2);
            co_await sleep(0);
            trace("then", var.get());
        };
        var.set(1);
        create_task(child(), eager);
        trace(var.get());
        Context context = copy_context();
        auto task = create_task(child(), {.context = context, .eager_start = true});
        trace(var.get(), context.run([&] { return var.get(); }));
        co_await task;
    });
    EXPECT_EQ(text, "0:in 1, 0:1, 0:in 1, 0:1 2, 1:then 2, 1:then 2");
}

TEST(EagerTask, CannotShareTheContextOfItsCreator) {
    run_test([]() -> Coro<> {
        auto child = []() -> Coro<> {
            ADD_FAILURE() << "must not run";
            co_return;
        };
        AnyTask self = current_task();
        Context context = self.get_context();
        auto creator = create_task(
            [&]() -> Coro<> {
                EXPECT_EQ(
                    outcome([&] { create_task(child(), {.context = context, .eager_start = true}); }).substr(0, 35),
                    "RuntimeError('cannot enter context:");
                EXPECT_EQ(all_tasks().size(), 2U);
                co_return;
            },
            {.context = context});
        co_await creator;
    });
}

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_await_future_during_eager_step
TEST(EagerTask, MayCompleteAFutureBeforeItsCreatorAwaitsIt) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<std::string>();
        auto set = [&]() -> Coro<> {
            future.set_result("hello");
            co_return;
        };
        create_task(set(), eager);
        trace(future.done());
        std::string value = co_await future;
        trace(value);
    });
    EXPECT_EQ(text, "0:True, 0:hello");
}

TEST(EagerTask, LetsSystemExitOutOfCreateTask) {
    Reports reports;
    run_test([&]() -> Coro<> {
        reports.listen(get_running_loop());
        auto leave = []() -> Coro<> {
            throw SystemExit(3);
            co_return;
        };
        AnyTask self = current_task();
        EXPECT_EQ(outcome([&] { create_task(leave(), eager); }), "SystemExit(3)");
        EXPECT_EQ(current_task(), self);
        EXPECT_EQ(all_tasks().size(), 1U);
        co_return;
    });
    EXPECT_EQ(reports.str(), "Task exception was never retrieved: SystemExit(3)");
}

TEST(EagerTask, StartsNormallyWhereTheLoopDoesNotRun) {
    EventLoop loop;
    bool began = false;
    auto task = loop.create_task(
        [&]() -> Coro<int> {
            began = true;
            co_return 4;
        },
        eager);
    EXPECT_FALSE(began);
    EXPECT_EQ(loop.run_until_complete(task), 4);
}

// Factories

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_eager_task_factory_set
// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_eager_start_false
// CPython: test_tasks.py, BaseTaskTests.test_eager_start_false
TEST(TaskFactory, OfEagerTasksCanBeOverriddenAndTakenBack) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto quick = []() -> Coro<int> { co_return 1; };
        EXPECT_FALSE(loop.has_task_factory());
        loop.set_task_factory(eager_task_factory);
        EXPECT_TRUE(loop.has_task_factory());
        EXPECT_TRUE(create_task(quick()).done());
        EXPECT_TRUE(loop.create_task(quick()).done());
        std::string name;
        auto note = [&]() -> Coro<> {
            name = current_task().get_name();
            co_return;
        };
        auto task = loop.create_task(note(), {.name = "example", .eager_start = false});
        EXPECT_FALSE(task.done());
        EXPECT_EQ(name, "");
        co_await task;
        EXPECT_EQ(name, "example");
        loop.set_task_factory(nullptr);
        EXPECT_FALSE(loop.has_task_factory());
        auto normal = create_task(quick());
        EXPECT_FALSE(normal.done());
        co_await normal;
    });
}

TEST(TaskFactory, IsGivenNameContextAndEagerStart) {
    run_test([]() -> Coro<> {
        ContextVar<int> var("var", 0);
        EventLoop& loop = get_running_loop();
        std::vector<std::string> seen;
        auto make = [&](EventLoop& given, NewTask task, TaskOptions options) {
            EXPECT_EQ(&given, &loop);
            seen.emplace_back(options.name);
            seen.push_back(options.eager_start ? text(*options.eager_start) : "None");
            options.name = "renamed";
            return task.start(options);
        };
        auto look = [&]() -> Coro<int> { co_return var.get(); };
        loop.set_task_factory(make);
        Context context;
        context.run([&] { var.set(5); });
        auto task = create_task(look(), {.name = "mine", .context = context, .eager_start = true});
        EXPECT_TRUE(task.done());
        EXPECT_EQ(task.result(), 5);
        EXPECT_EQ(task.get_name(), "renamed");
        loop.set_task_factory(create_eager_task_factory(make));
        auto second = create_task(look());
        EXPECT_EQ(second.result(), 0);
        EXPECT_EQ(seen, (std::vector<std::string>{"mine", "True", "", "True"}));
        loop.set_task_factory(nullptr);
        co_return;
    });
}

TEST(TaskFactory, ThatReturnsAnotherTaskOrThrowsIsRefused) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto never = []() -> Coro<> {
            ADD_FAILURE() << "must not run";
            co_return;
        };
        loop.set_task_factory([](EventLoop&, NewTask, TaskOptions) { return AnyTask(); });
        EXPECT_EQ(outcome([&] { create_task(never()); }),
                  "TypeError('a task factory must return the task that NewTask::start() gave it')");
        AnyTask self = current_task();
        loop.set_task_factory([&](EventLoop&, NewTask, TaskOptions) { return self; });
        EXPECT_EQ(outcome([&] { create_task(never()); }).substr(0, 9), "TypeError");
        loop.set_task_factory([](EventLoop&, NewTask, TaskOptions) -> AnyTask { throw ValueError("no more tasks"); });
        EXPECT_EQ(outcome([&] { create_task(never); }), "ValueError('no more tasks')");
        loop.set_task_factory([](EventLoop&, NewTask task, TaskOptions options) {
            AnyTask started = task.start(options);
            EXPECT_EQ(outcome([&] { task.start(options); }), "RuntimeError('a new task can be started only once')");
            return started;
        });
        auto task = create_task([]() -> Coro<int> { co_return 3; });
        int value = co_await task;
        EXPECT_EQ(value, 3);
        loop.set_task_factory(nullptr);
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}
static_assert(!std::is_copy_constructible_v<NewTask>);

Coro<int> chain(int depth) {
    if (depth == 0) co_return 0;
    int below = co_await chain(depth - 1);
    co_return 1 + below;
}

// CPython: test_eager_task_factory.py, BaseTaskCountingTests.test_awaitables_chain
TEST(TaskFactory, IsNotAskedForPlainAwaits) {
    for (bool is_eager : {false, true}) {
        int made = 0;
        EventLoop loop;
        loop.set_task_factory([&](EventLoop& own, NewTask task, TaskOptions options) {
            ++made;
            return is_eager ? eager_task_factory(own, std::move(task), options) : task.start(options);
        });
        EXPECT_EQ(loop.run_until_complete(chain(100)), 100);
        EXPECT_EQ(made, 1);
    }
}

}  // namespace
