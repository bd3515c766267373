// What is told to who looks on while a loop runs.
#include "core/task_loop.h"

#include <asyncio/asyncio.h>
#include <asyncio/loop/instrument.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::run_test;

namespace {

/// Writes down what it is told: "r" for made ready, "[" and "]" around a step; a task's name, "-" for anything else.
class Scribe final : public detail::Instrument {
public:
    void made_ready(detail::ReadyNode& node) noexcept override { text += " r:" + name_of(node); }
    void before_step(detail::ReadyNode& node) noexcept override { text += " [" + name_of(node); }
    void after_step() noexcept override { text += "]"; }

    std::string take() { return std::exchange(text, {}); }
    std::string text;

private:
    static std::string name_of(detail::ReadyNode& node) {
        detail::TaskBase* task = detail::task_of_step(node);
        return task != nullptr ? task->name() : "-";
    }
};

/// Lets somebody look on for a while.
class Look {
public:
    Look(EventLoop& loop, detail::Instrument& instrument) : loop_(loop.core()) {
        detail::set_instrument(loop_, &instrument);
    }
    ~Look() { detail::set_instrument(loop_, nullptr); }

private:
    detail::LoopCore& loop_;
};

TEST(Instrument, IsToldOfEachStepAndOfWhatMakesItReady) {
    run_test([]() -> Coro<> {
        current_task().set_name("main");
        Scribe scribe;
        Event event;
        Look look(get_running_loop(), scribe);
        Task<> a = create_task([&]() -> Coro<> { co_await event.wait(); }, {.name = "a"});
        co_await sleep(0s);
        EXPECT_EQ(scribe.take(), " r:a r:main [a] [main");  // it came in the middle of a step of main
        event.set();
        co_await a;
        EXPECT_EQ(scribe.take(), " r:a] [a r:main] [main");
    });
}

TEST(Instrument, IsToldOfTimersCallbacksAndFailures) {
    run_test([]() -> Coro<> {
        current_task().set_name("main");
        Scribe scribe;
        Look look(get_running_loop(), scribe);
        get_running_loop().set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        co_await sleep(1s);
        EXPECT_EQ(scribe.take(), " r:- [- r:main] [main");  // the timer's turn wakes the task
        get_running_loop().call_soon([] { throw std::runtime_error("no"); });
        co_await sleep(0s);
        EXPECT_EQ(scribe.take(), " r:- r:main] [-] [main");
    });
}

TEST(Instrument, IsToldOfWhatAnotherThreadPosts) {
    run_test([]() -> Coro<> {
        current_task().set_name("main");
        Scribe scribe;
        EventLoop& loop = get_running_loop();
        Look look(loop, scribe);
        std::string order;
        std::thread([&] { loop.call_soon_threadsafe([&] { order += 'a'; }); }).join();
        loop.call_soon([&] { order += 'b'; });
        co_await sleep(0s);
        EXPECT_EQ(order, "ab");
        EXPECT_EQ(scribe.take(), " r:- r:- r:main [-] [-] [main");
    });
}

TEST(Instrument, MayComeAndGoInAnyStepAndInDebugMode) {
    run_test([]() -> Coro<> {
        current_task().set_name("main");
        get_running_loop().set_debug(true);
        Scribe first;
        Scribe second;
        detail::LoopCore& loop = get_running_loop().core();
        detail::set_instrument(loop, &first);
        co_await sleep(0s);
        EXPECT_EQ(first.take(), " r:main [main");
        detail::set_instrument(loop, &second);
        co_await sleep(0s);
        detail::set_instrument(loop, nullptr);
        EXPECT_EQ(first.take(), "");  // it was gone when the step was over
        EXPECT_EQ(second.take(), " r:main [main");
        get_running_loop().set_debug(false);
        co_await sleep(0s);
        EXPECT_EQ(first.take() + second.take(), "");
    });
}

}  // namespace
