// Groups that are not left as they should be: dropped, outlived by their tasks, or destroyed with the loop.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

Coro<> nap(Seconds delay) { co_await sleep(delay); }
Coro<> crash(Seconds delay) {
    co_await sleep(delay);
    throw ValueError("crash");
}

TEST(TaskGroup, DroppedWithTasksLeftLetsThemRunOn) {
    bool ran = false;
    run_test([&]() -> Coro<> {
        Task<> left;
        {
            TaskGroup group;
            group.aenter();
            left = group.create_task([&]() -> Coro<> {
                co_await sleep(1s);
                ran = true;
            });
            group.create_task([]() -> Coro<> { co_return; });
            co_await sleep(0);  // one has ended, its callback is in the queue
        }
        co_await left;
    });
    EXPECT_TRUE(ran);
}

TEST(TaskGroup, WhoseParentHasEndedReportsErrors) {
    support::Reports reports;
    run_test([&]() -> Coro<> {
        reports.listen(get_running_loop());
        TaskGroup group;
        co_await create_task([&]() -> Coro<> {
            group.aenter();
            group.create_task(crash(1s), {.name = "child"});
            co_return;
        });
        co_await sleep(2s);
    });
    ASSERT_EQ(reports.messages.size(), 1U);
    EXPECT_NE(reports.messages[0].find("has errored out but its parent task <Task finished"), std::string::npos);
    EXPECT_EQ(reports.exceptions[0], "ValueError('crash')");
}

TEST(TaskGroup, DestroyedWithItsLoopLeaksNothing) {
    support::Reports reports;
    {
        EventLoop loop({.clock = VirtualClock{}});
        reports.listen(loop);
        loop.create_task([]() -> Coro<> {
            co_await with(TaskGroup{}, [](TaskGroup& group) {
                group.create_task(nap(1s));
                group.create_task(nap(100s));
            });
        });
        auto a_while = []() -> Coro<> { co_await sleep(2s); };
        loop.run_until_complete(a_while());
    }
    EXPECT_EQ(reports.messages.size(), 2U);
}

}  // namespace
