// Where a task was created, as debug mode tells.
#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <source_location>
#include <string>

using namespace asyncio;

namespace {

int line_of(std::source_location where = std::source_location::current()) { return static_cast<int>(where.line()); }

Coro<> nothing() { co_return; }

std::string birthplace(const AnyTask& task) {
    std::string text = repr(task);
    std::size_t at = text.find(" created in ");
    return at == std::string::npos ? "" : text.substr(at + 1, text.size() - at - 2);
}

TEST(TaskBirthplace, IsTheCreatorsFunctionAndLatestAwait) {
    run(
        []() -> Coro<> {
            int line = line_of() + 1;
            co_await sleep(0);
            Task<> task = create_task(nothing());
            EXPECT_TRUE(birthplace(task).starts_with("created in ")) << repr(task);
            EXPECT_TRUE(birthplace(task).ends_with("task_birthplace_test.cpp:" + std::to_string(line))) << repr(task);
            co_await task;
            EXPECT_TRUE(birthplace(task).ends_with("task_birthplace_test.cpp:" + std::to_string(line))) << repr(task);
        }(),
        {.debug = true});
}

TEST(TaskBirthplace, IsNotInsideOfTheLibrary) {
    run(
        []() -> Coro<> {
            std::string text;
            co_await with(TaskGroup(), [&](TaskGroup& group) { text = birthplace(group.create_task(nothing())); });
            EXPECT_NE(text.find("task_birthplace_test.cpp:"), std::string::npos) << text;
            EXPECT_EQ(text.find("asyncio::with"), std::string::npos) << text;
        }(),
        {.debug = true});
}

TEST(TaskBirthplace, LeavesNameAndNumberAsTheyAre) {
    run(
        []() -> Coro<> {
            Task<> first = create_task(nothing());
            Task<> second = create_task(nothing(), {.name = "named"});
            EXPECT_TRUE(first.get_name().starts_with("Task-"));
            EXPECT_EQ(second.get_name(), "named");
            EXPECT_FALSE(birthplace(second).empty());
            first.set_name("renamed");
            EXPECT_EQ(first.get_name(), "renamed");
            EXPECT_FALSE(birthplace(first).empty());
            second.set_name("");
            EXPECT_EQ(second.get_name(), "");
            co_await gather(first, second);
        }(),
        {.debug = true});
}

TEST(TaskBirthplace, IsNotNotedOtherwise) {
    run(
        []() -> Coro<> {
            Task<> task = create_task(nothing());
            EXPECT_EQ(birthplace(task), "");
            co_await task;
        }(),
        {.debug = false});
}

}  // namespace
