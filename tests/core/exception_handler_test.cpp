#include <asyncio/core/event_loop.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/manual_clock.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> logged;

class Log : public ::testing::Test {
protected:
    Log() {
        logged.clear();
        before_ = set_log_handler([](LogLevel level, std::string_view message) {
            logged.push_back((level == LogLevel::error ? "error: " : "warning: ") + std::string(message));
        });
    }
    ~Log() override { set_log_handler(before_); }

private:
    LogHandler before_;
};

using ExceptionHandlerTest = Log;

void run_once(EventLoop& loop) {
    loop.stop();
    loop.run_forever();
}

// CPython: test_base_events.py, BaseEventLoopTests.test_default_exc_handler_callback
TEST_F(ExceptionHandlerTest, AnExceptionInACallbackIsLoggedAndTheLoopGoesOn) {
    EventLoop loop;
    bool went_on = false;
    loop.call_soon([] { throw ValueError("boom"); });
    loop.call_soon([&] { went_on = true; });
    run_once(loop);
    EXPECT_TRUE(went_on);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_TRUE(logged[0].starts_with("error: Exception in callback")) << logged[0];
    EXPECT_TRUE(logged[0].ends_with("ValueError: boom")) << logged[0];

    struct Zero {
        void operator()() const { throw ValueError("by zero"); }
    };
    loop.call_later(0, Zero());
    run_once(loop);
    ASSERT_EQ(logged.size(), 2U);
    EXPECT_TRUE(logged[1].starts_with("error: Exception in callback")) << logged[1];
    EXPECT_NE(logged[1].find("Zero"), std::string::npos) << logged[1];
    EXPECT_TRUE(logged[1].ends_with("ValueError: by zero")) << logged[1];
}

// CPython: test_base_events.py, BaseEventLoopTests.test_set_exc_handler_custom
// CPython: test_events.py, HandleTests.test_callback_with_exception
TEST_F(ExceptionHandlerTest, AHandlerOfYoursGetsMessageExceptionAndHandle) {
    EventLoop loop;
    std::vector<ExceptionContext> seen;
    EXPECT_FALSE(loop.has_exception_handler());
    loop.set_exception_handler([&](EventLoop& told, const ExceptionContext& context) {
        EXPECT_EQ(&told, &loop);
        seen.push_back(context);
    });
    EXPECT_TRUE(loop.has_exception_handler());
    Handle handle = loop.call_soon([] { throw ValueError("boom"); });
    run_once(loop);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].message.starts_with("Exception in callback"));
    EXPECT_EQ(repr(seen[0].exception), "ValueError('boom')");
    EXPECT_EQ(seen[0].handle, handle);
    EXPECT_TRUE(logged.empty());

    loop.set_exception_handler(nullptr);
    EXPECT_FALSE(loop.has_exception_handler());
    loop.call_soon([] { throw ValueError("again"); });
    run_once(loop);
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_EQ(logged.size(), 1U);
}

// CPython: test_base_events.py, BaseEventLoopTests.test_set_exc_handler_broken
TEST_F(ExceptionHandlerTest, AHandlerThatThrowsIsReportedByTheDefaultOne) {
    EventLoop loop;
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) { throw TypeError("broken"); });
    loop.call_soon([] { throw ValueError("boom"); });
    run_once(loop);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_TRUE(logged[0].starts_with("error: Unhandled error in exception handler")) << logged[0];
    EXPECT_TRUE(logged[0].ends_with("TypeError: broken")) << logged[0];
}

// CPython: test_base_events.py, BaseEventLoopTests.test_default_exc_handler_coro
TEST_F(ExceptionHandlerTest, ATasksUnreadExceptionIsLoggedWithItsNameAndItsFrames) {
    EventLoop loop;
    auto inner = []() -> Coro<> {
        co_await asyncio::sleep(0);
        throw ValueError("lost");
    };
    auto outer = [&]() -> Coro<> { co_await inner(); };
    loop.create_task(outer(), {.name = "loser"});
    run_once(loop);
    run_once(loop);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_TRUE(logged[0].starts_with("error: Task exception was never retrieved\n")) << logged[0];
    EXPECT_NE(logged[0].find("name='loser'"), std::string::npos) << logged[0];
    EXPECT_NE(logged[0].find("co_await inner();"), std::string::npos) << logged[0];
    EXPECT_TRUE(logged[0].ends_with("ValueError: lost")) << logged[0];
}

// As CPython's traceback shows them.
TEST_F(ExceptionHandlerTest, AnExceptionGroupIsLoggedWithAllThatItHolds) {
    auto error = [](const char* message) { return std::make_exception_ptr(ValueError(message)); };
    EventLoop loop;
    auto inner = std::make_exception_ptr(ExceptionGroup("inner", {error("b\nand more")}));
    loop.call_exception_handler(
        {.message = "Two", .exception = std::make_exception_ptr(ExceptionGroup("outer", {error("a"), inner}))});
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_EQ(logged[0],
              "error: Two\n"
              "  | ExceptionGroup: outer (2 sub-exceptions)\n"
              "  +-+---------------- 1 ----------------\n"
              "    | ValueError: a\n"
              "    +---------------- 2 ----------------\n"
              "    | ExceptionGroup: inner (1 sub-exception)\n"
              "    +-+---------------- 1 ----------------\n"
              "      | ValueError: b\n"
              "      | and more\n"
              "      +------------------------------------");
    std::vector<std::exception_ptr> many;
    for (int i = 0; i < 17; ++i) many.push_back(error("one of many"));
    std::exception_ptr deep = std::make_exception_ptr(ExceptionGroup("wide", many));
    for (int i = 0; i < 11; ++i) deep = std::make_exception_ptr(ExceptionGroup("deep", {deep}));
    loop.call_exception_handler({.message = "Deep", .exception = deep});
    EXPECT_TRUE(
        logged[1].ends_with("\n                      | ... (max_group_depth is 10)\n"
                            "                      +------------------------------------"))
        << logged[1];
    loop.call_exception_handler(
        {.message = "Wide", .exception = std::make_exception_ptr(ExceptionGroup("wide", many))});
    EXPECT_TRUE(
        logged[2].ends_with("\n    +---------------- ... ----------------\n"
                            "    | and 2 more exceptions\n"
                            "    +------------------------------------"))
        << logged[2];
}

TEST_F(ExceptionHandlerTest, KeyboardInterruptOutOfAHandlerLeavesTheLoop) {
    EventLoop loop;
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) { throw KeyboardInterrupt(); });
    loop.call_soon([] { throw ValueError("boom"); });
    loop.stop();
    EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
}

TEST_F(ExceptionHandlerTest, RunsInTheContextOfTheHandle) {
    ContextVar<int> var("var", 0);
    EventLoop loop;
    int seen = 0;
    loop.set_exception_handler([&](EventLoop&, const ExceptionContext&) { seen = var.get(); });
    Context context;
    context.run([&] { var.set(5); });
    loop.call_soon([] { throw ValueError("boom"); }, {.context = context});
    run_once(loop);
    EXPECT_EQ(seen, 5);
}

TEST_F(ExceptionHandlerTest, CanBeCalledByHand) {
    EventLoop loop;
    loop.call_exception_handler({.message = "look at this"});
    loop.call_exception_handler({.message = ""});
    EXPECT_EQ(logged, (std::vector<std::string>{"error: look at this", "error: Unhandled exception in event loop"}));
}

// By the processor's counter, where it has one: it must neither miss a slow turn nor blame the one after it.
TEST_F(ExceptionHandlerTest, DebugModeLogsASlowTurnByTheSystemsClock) {
    EventLoop loop;
    loop.set_debug(true);
    loop.slow_callback_duration = 60ms;
    loop.call_soon([] {});
    loop.call_soon([] { std::this_thread::sleep_for(std::chrono::milliseconds(70)); });
    loop.call_soon([] {});
    run_once(loop);
    auto seconds = [](const std::string& line) { return std::stod(line.substr(line.find("> took ") + 7)); };
    auto is_slow = [&](const std::string& line) { return seconds(line) >= 0.069 && seconds(line) < 5; };
    // The machine may hold up any turn; those before and after it are too short for that to be likely.
    EXPECT_EQ(std::count_if(logged.begin(), logged.end(), is_slow), 1) << logged.size();

    logged.clear();
    loop.slow_callback_duration = 0.0;
    for (int i = 0; i < 100; ++i) loop.call_soon([] {});
    run_once(loop);
    EXPECT_EQ(logged.size(), 100U);
    EXPECT_GT(std::count_if(logged.begin(), logged.end(), [&](const auto& line) { return seconds(line) == 0; }), 0);
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_log_slow_callbacks
TEST_F(ExceptionHandlerTest, DebugModeLogsSlowCallbacksAndSteps) {
    support::ManualClock clock;
    EventLoop loop({.clock = clock});
    loop.set_debug(true);
    loop.slow_callback_duration = 0.5;
    loop.call_soon([&] { clock.spend(0.5); });
    run_once(loop);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_TRUE(logged[0].starts_with("warning: Executing <Handle")) << logged[0];
    EXPECT_TRUE(logged[0].ends_with(" took 0.500 seconds")) << logged[0];

    logged.clear();
    auto slow = [&]() -> Coro<> {
        clock.spend(2s);
        co_return;
    };
    Task<> task = loop.create_task(slow(), {.name = "slow one"});
    run_once(loop);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_TRUE(logged[0].starts_with("warning: Executing <Task finished name='slow one'")) << logged[0];
    EXPECT_TRUE(logged[0].ends_with(" took 2.000 seconds")) << logged[0];

    logged.clear();
    loop.call_soon([&] { clock.spend(0.499); });
    run_once(loop);
    loop.set_debug(false);
    loop.call_soon([&] { clock.spend(2s); });
    run_once(loop);
    EXPECT_TRUE(logged.empty());
}

}  // namespace
