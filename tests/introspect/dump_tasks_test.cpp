#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "support/run_test.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

std::string dumped() {
    testing::internal::CaptureStderr();
    asyncio_dump_tasks();
    std::string text = testing::internal::GetCapturedStderr();
    text = std::regex_replace(text, std::regex("0x[0-9a-f]+"), "ADDRESS");
    return std::regex_replace(text, std::regex("[^ ]*dump_tasks_test.cpp:[0-9]+"), "HERE");
}

Coro<> inner(Event& event) { co_await event.wait(); }
Coro<> outer(Event& event) { co_await inner(event); }

TEST(DumpTasks, PrintsEachTaskWithWhatItWaitsForAndItsCoroutines) {
    EXPECT_EQ(dumped(), "no loop\n");
    run_test([]() -> Coro<> {
        Event event;
        current_task().set_name("main");
        Task<> task = create_task(outer(event), {.name = "waits"});
        Task<> new_one = create_task(inner(event), {.name = "new"});
        Task<> over = create_task(inner(event), {.name = "over"});
        over.cancel();
        co_await sleep(0s);
        std::string text = dumped();
        EXPECT_TRUE(
            std::regex_search(text, std::regex("^loop at ADDRESS, 3 tasks\n\\* <Task pending name='main' coro=.*>\n"
                                               "      HERE in .*<lambda>\n"
                                               "  <Task pending name='waits' coro=<outer\\(\\) running at HERE> "
                                               "wait_for=<Event at ADDRESS unset, waiters:2> at HERE>\n"
                                               "      HERE in outer\n      HERE in inner\n"
                                               "  <Task pending name='new' coro=.*>\n      HERE in inner\n$")))
            << text;
        event.set();
        co_await gather(task, new_one);
    });
}

TEST(DumpTasks, FindsAllLoops) {
    run_test([]() -> Coro<> {
        EventLoop other;
        Event event;
        Task<> theirs = other.create_task(inner(event), {.name = "theirs"});
        std::string text = dumped();
        EXPECT_NE(text.find("loop at ADDRESS, 1 task\n  <Task pending name='theirs'"), std::string::npos) << text;
        EXPECT_NE(text.find("loop at ADDRESS, 1 task\n* <Task pending name='Task-"), std::string::npos) << text;
        theirs.cancel();
        co_return;
    });
}

}  // namespace
