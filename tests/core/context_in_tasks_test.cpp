#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

// CPython: test_tasks.py, BaseTaskTests.test_context_1
TEST(ContextInTasks, IsACopyMadeAtCreation) {
    ContextVar<std::string> var("var", "nope");
    run_test([&]() -> Coro<> {
        auto child = [&]() -> Coro<> {
            co_await sleep(0.01);
            EXPECT_EQ(var.get(), "nope");
            var.set("something else");
        };
        EXPECT_EQ(var.get(), "nope");
        auto task = create_task(child());
        var.set("yes");
        EXPECT_EQ(var.get(), "yes");
        co_await task;
        EXPECT_EQ(var.get(), "yes");
    });
    EXPECT_EQ(var.get(), "nope");
}

TEST(ContextInTasks, IsSharedByTheCoroutinesOfOneTask) {
    ContextVar<int> var("var", 0);
    run_test([&]() -> Coro<> {
        auto child = [&]() -> Coro<> {
            EXPECT_EQ(var.get(), 1);
            co_await sleep(0);
            var.set(2);
        };
        var.set(1);
        co_await child();
        EXPECT_EQ(var.get(), 2);
    });
}

// The next task may lie where the one before lay: their contexts are two all the same.
TEST(ContextInTasks, OutlivedByATokenIsTakenForNoOther) {
    ContextVar<int> var("var", 0);
    run_test([&]() -> Coro<> {
        std::optional<Token> token;
        auto set = [&]() -> Coro<> {
            token = var.set(1);
            co_return;
        };
        auto reset = [&]() -> Coro<> {
            EXPECT_THROW(var.reset(*token), ValueError);
            co_return;
        };
        for (int i = 0; i < 3; ++i) {
            co_await create_task(set());
            co_await create_task(reset());
        }
        copy_context().run([&] { token = var.set(1); });
        copy_context().run([&] { EXPECT_THROW(var.reset(*token), ValueError); });
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_context_2
TEST(ContextInTasks, StaysTheTasksOwnOverManyAwaits) {
    ContextVar<std::string> var("var", "nope");
    run_test([&]() -> Coro<> {
        auto child = [&]() -> Coro<> {
            auto future = get_running_loop().create_future<>();
            auto callback = [&](Future<>) {
                // Changes the context of the registration's copy only.
                EXPECT_EQ(var.get(), "yes");
                var.set("no");
            };
            var.set("yes");
            future.add_done_callback(callback);
            get_running_loop().call_soon([&] { future.set_result(); });
            co_await future;
            EXPECT_EQ(var.get(), "yes");
            for (int i = 0; i < 100; ++i) {
                co_await sleep(0);
                EXPECT_EQ(var.get(), "yes");
            }
        };
        co_await create_task(child());
        EXPECT_EQ(var.get(), "nope");
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_context_3
TEST(ContextInTasks, KeepsAHundredTasksApart) {
    ContextVar<int> var("var", -1);
    run_test([&]() -> Coro<> {
        auto child = [&](int number) -> Coro<> {
            for (int i = 0; i < 10; ++i) {
                EXPECT_EQ(var.get(), i == 0 ? -1 : number + i - 1);
                var.set(number + i);
                co_await sleep(0.001 * (number % 7));
                EXPECT_EQ(var.get(), number + i);
            }
        };
        std::vector<Task<>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(create_task(child(i * 1000)));
        for (Task<>& task : tasks) co_await task;
        EXPECT_EQ(var.get(), -1);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_context_4
// CPython: test_tasks.py, BaseTaskTests.test_context_5
// CPython: test_tasks.py, BaseTaskTests.test_context_6
TEST(ContextInTasks, GivenExplicitlyIsSharedNotCopied) {
    ContextVar<int> var("var", 0);
    EventLoop loop;
    Context context = copy_context();
    context.run([&] { var.set(1); });
    auto child = [&]() -> Coro<> {
        EXPECT_EQ(var.get(), 1);
        var.set(2);
        co_await sleep(0);
        co_await sleep(0);
        EXPECT_EQ(var.get(), 3);
    };
    auto first = loop.create_task(child(), {.context = context});
    auto main = [&]() -> Coro<> {
        co_await sleep(0);
        EXPECT_EQ(context.run([&] { return var.get(); }), 2);
        context.run([&] { var.set(3); });
        co_await first;
        context.run([&] { var.set(4); });
        auto look = [&]() -> Coro<int> { co_return var.get(); };
        auto second = create_task(look(), {.context = context});
        int value = co_await second;
        EXPECT_EQ(value, 4);
        EXPECT_EQ(var.get(), 0);
    };
    loop.run_until_complete(main());
    EXPECT_EQ(var.get(), 0);
}

// CPython: test_tasks.py, BaseTaskTests.test_get_context
TEST(ContextInTasks, CanBeAskedFor) {
    ContextVar<int> var("var", 0);
    run_test([&]() -> Coro<> {
        Context context;
        context.run([&] { var.set(3); });
        auto look = [&]() -> Coro<int> { co_return var.get(); };
        auto task = create_task(look(), {.context = context});
        EXPECT_EQ(task.get_context(), context);
        int value = co_await task;
        EXPECT_EQ(value, 3);
        EXPECT_EQ(task.get_context(), context);
        auto other = create_task(look());
        EXPECT_NE(other.get_context(), context);
        EXPECT_EQ(other.get_context(), other.get_context());
        co_await other;
    });
}

TEST(ContextInTasks, InUseElsewhereKeepsTheTaskFromRunning) {
    Reports reports;
    ContextVar<int> var("var", 0);
    EventLoop loop;
    reports.listen(loop);
    Context context;
    auto task = loop.create_task([]() -> Coro<> { co_return; }, {.context = context});
    context.run([&] {
        loop.stop();
        loop.run_forever();
    });
    ASSERT_EQ(reports.exceptions.size(), 1U);
    EXPECT_EQ(reports.exceptions.at(0).find("RuntimeError('cannot enter context"), 0U) << reports.exceptions.at(0);
    EXPECT_FALSE(task.done());
}

// CPython: test_futures2.py, FutureTests.test_task_exc_handler_correct_context
TEST(ContextInTasks, IsTheHandlersForAnUnreadException) {
    ContextVar<std::string> var("var", "default");
    std::string seen;
    EventLoop loop;
    loop.set_exception_handler([&](EventLoop&, const ExceptionContext&) { seen += var.get() + " "; });
    auto fail = [&]() -> Coro<> {
        var.set("of the task");
        throw ValueError("x");
        co_return;
    };
    auto main = [&]() -> Coro<> {
        var.set("of main");
        create_task(fail());
        co_await sleep(0);
        co_await sleep(0);
    };
    loop.run_until_complete(main());
    EXPECT_EQ(seen, "of the task ");
}

// CPython: test_futures2.py, FutureTests.test_handle_exc_handler_correct_context
TEST(ContextInTasks, IsTheHandlersForAFailingCallback) {
    ContextVar<std::string> var("var", "default");
    std::string seen;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        loop.set_exception_handler([&](EventLoop&, const ExceptionContext&) { seen += var.get() + " "; });
        var.set("of call_soon");
        loop.call_soon([] { throw ValueError("x"); });
        var.set("of a future's callback");
        auto future = loop.create_future<>();
        future.add_done_callback([](Future<>) { throw ValueError("x"); });
        var.set("of a task's callback");
        auto body = [&]() -> Coro<> {
            var.set("of the task");
            co_return;
        };
        auto task = create_task(body());
        task.add_done_callback([](Task<>) { throw ValueError("x"); });
        var.set("changed in the callback");
        future.add_done_callback([&](Future<>) {
            var.set("new");
            throw ValueError("x");
        });
        var.set("of nobody");
        future.set_result();
        co_await task;
        co_await sleep(0);
    });
    EXPECT_EQ(seen, "of call_soon of a future's callback new of a task's callback ");
}

}  // namespace
