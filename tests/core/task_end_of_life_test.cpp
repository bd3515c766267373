// A task to which nothing was given dies without its destructors; whatever was given to one is let go of.
#include "support/run_test.h"

#include <asyncio/context/context.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

Coro<int> one() { co_return 1; }

TEST(TaskEndOfLife, LetsGoOfWhatItSetInItsContext) {
    static ContextVar<std::shared_ptr<int>> var("var", nullptr);
    auto value = std::make_shared<int>(1);
    run_test([&]() -> Coro<> {
        auto set = [&]() -> Coro<int> {
            var.set(value);
            co_return 1;
        };
        auto task = create_task(set());
        co_await task;
        EXPECT_EQ(value.use_count(), 2);
        task = {};
        EXPECT_EQ(value.use_count(), 1);
    });
}

TEST(TaskEndOfLife, LetsGoOfTheContextThatItWasGiven) {
    static ContextVar<std::shared_ptr<int>> var("var", nullptr);
    auto value = std::make_shared<int>(1);
    run_test([&]() -> Coro<> {
        Context context;
        context.run([&] { var.set(value); });
        auto task = create_task(one(), {.context = context});
        co_await task;
        context = Context();
        EXPECT_EQ(value.use_count(), 2);
        task = {};
        EXPECT_EQ(value.use_count(), 1);
    });
}

TEST(TaskEndOfLife, LetsGoOfItsResult) {
    auto value = std::make_shared<int>(1);
    run_test([&]() -> Coro<> {
        auto task = create_task([&]() -> Coro<std::shared_ptr<int>> { co_return value; });
        co_await task;
        EXPECT_EQ(value.use_count(), 2);
        task = {};
        EXPECT_EQ(value.use_count(), 1);
    });
}

TEST(TaskEndOfLife, LetsGoOfItsException) {
    auto value = std::make_shared<int>(1);
    run_test([&]() -> Coro<> {
        auto task = create_task([&]() -> Coro<int> {
            throw value;
            co_return 1;
        });
        co_await sleep(0);
        EXPECT_EQ(value.use_count(), 2);
        EXPECT_NE(task.exception(), nullptr);
        task = {};
        EXPECT_EQ(value.use_count(), 1);
    });
}

TEST(TaskEndOfLife, LetsGoOfItsNameItsMessageAndItsTraceback) {  // a sanitizer would tell of a leak
    run_test([]() -> Coro<> {
        std::string name(100, 'n');
        create_task(one(), {.name = name});
        create_task(one()).set_name(name);
        create_task(one()).cancel(std::string(100, 'm'));
        auto failing = create_task([]() -> Coro<int> {
            throw ValueError(std::string(100, 'v'));
            co_return 1;
        });
        co_await sleep(0);
        EXPECT_EQ(failing.get_stack().size(), 1U);
        EXPECT_NE(failing.exception(), nullptr);
    });
}

TEST(TaskEndOfLife, OfAMemberOfAGroupComesInAnyOrder) {
    run_test([]() -> Coro<> {
        Task<int> kept;
        co_await with(TaskGroup(), [&](TaskGroup& group) {
            group.create_task(one());
            kept = group.create_task(one());
            group.create_task(one(), {.name = "third"});
        });
        EXPECT_EQ(kept.result(), 1);
        Task<int> copy = kept;
        kept = {};
        EXPECT_EQ(copy.result(), 1);
    });
}

}  // namespace
