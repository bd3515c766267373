// Cancelling along chains without end: very long ones, and circles.
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

TEST(TaskCancelLongChain, OfTasksThatWaitForEachOtherThrows) {
    Reports reports;
    std::string text;
    std::string end = outcome([&] {
        run_test([&]() -> Coro<> {
            reports.listen(get_running_loop());
            Trace trace;
            Task<> a;
            Task<> b;
            auto wait = [](Task<>& other) -> Coro<> { co_await other; };
            a = create_task(wait(b));
            b = create_task(wait(a));
            co_await sleep(0);
            co_await sleep(0);
            trace(outcome([&] { a.cancel(); }).substr(0, 24));
            trace(a.cancelling() > 0, b.cancelling() > 0, a.done());
            text = trace.str();
        });
    });
    EXPECT_EQ(text, "2:RuntimeError('cannot can, 2:True True False");
    EXPECT_EQ(end.substr(0, 24), "RuntimeError('cannot can");  // run() cannot cancel them either
    EXPECT_EQ(reports.messages, std::vector<std::string>(2, "Task was destroyed but it is pending!"));
}

TEST(TaskCancelLongChain, OfItselfClosingACircleIsReportedAndDoesNotEndTheProgram) {
    Reports reports;
    std::string text;
    std::string end = outcome([&] {
        run_test([&]() -> Coro<> {
            reports.listen(get_running_loop());
            Trace trace;
            Task<> a;
            Task<> b;
            auto wait = [](Task<>& other) -> Coro<> { co_await other; };
            auto cancel_and_wait = [](Task<>& other) -> Coro<> {
                current_task().cancel();
                co_await other;
            };
            b = create_task(wait(a));
            a = create_task(cancel_and_wait(b));
            co_await sleep(0);
            co_await sleep(0);
            trace(a.cancelling() > 0, b.cancelling() > 0, a.done(), b.done());
            text = trace.str();
        });
    });
    EXPECT_EQ(text, "2:True True False False");
    ASSERT_GE(reports.exceptions.size(), 1U);
    EXPECT_EQ(reports.exceptions.at(0).substr(0, 24), "RuntimeError('cannot can");
    EXPECT_EQ(end.substr(0, 24), "RuntimeError('cannot can");
}

TEST(TaskCancelLongChain, OfAHundredThousandTasksNeedsNoStack) {
    run_test([]() -> Coro<> {
        constexpr int count = 100'000;
        auto link = [](Task<> inner) -> Coro<> { co_await inner; };
        auto leaf = []() -> Coro<> { co_await sleep(100); };
        std::vector<Task<>> tasks{create_task(leaf())};
        for (int i = 1; i < count; ++i) tasks.push_back(create_task(link(tasks.back())));
        co_await sleep(0);
        EXPECT_TRUE(tasks.back().cancel("deep"));
        EXPECT_EQ(tasks.front().cancelling(), 1);
        std::string end;
        try {
            co_await tasks.back();
        } catch (const CancelledError&) {
            end = caught();
        }
        EXPECT_EQ(end, "CancelledError('deep')");
        EXPECT_TRUE(tasks.front().cancelled());
    });
}

}  // namespace
