#include "tasks/trace.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/shield.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using trace::failure;
using trace::Log;
using trace::value;

template <class Main>
void run_test(Main main) {
    asyncio::run(main(), {.clock = VirtualClock{}});
}

std::size_t callbacks_of(const AnyFuture& future) { return future.state_or_null()->count_callbacks(); }

// CPython: test_tasks.py, BaseTaskTests.test_shield_result
TEST(Shield, ResumesItsAwaiterTwoPassesAfterTheInnerFuture) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        get_running_loop().call_soon([future] { future.set_result(1); });
        get_running_loop().call_soon([&log] { log("set"); });
        int result = co_await shield(future);
        co_return std::to_string(result);
    });
    EXPECT_EQ(text, "turn 1; set; turn 2; turn 3; result 1; turn 4; turn 5");
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_exception
TEST(Shield, PassesOnTheVeryException) {
    run_test([]() -> Coro<> {
        auto inner = get_running_loop().create_future<int>();
        auto outer = shield(inner);
        std::exception_ptr error = std::make_exception_ptr(RuntimeError("expected"));
        inner.set_exception(error);
        co_await sleep(0s);
        EXPECT_EQ(outer.exception(), error);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_cancel_inner
TEST(Shield, IsCancelledWithoutMessageWhenTheInnerFutureIs) {
    std::string text = trace::of(4, [](Log& log) -> Coro<std::string> {
        auto inner = get_running_loop().create_future<int>();
        auto outer = shield(inner);
        inner.cancel("m");
        try {
            co_await outer;
        } catch (const CancelledError&) {
            log(repr(std::current_exception()));
            log(repr(outer));
        }
        co_return "None";
    });
    EXPECT_EQ(text, "turn 1; turn 2; CancelledError(); <Future cancelled>; result None; turn 3; turn 4");
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_cancel_outer
// CPython: test_tasks.py, BaseTaskTests.test_shield_cancel_outer_in_task
TEST(Shield, CancelledLeavesTheInnerFutureAndTakesItsCallbackOff) {
    std::string text = trace::of(4, [](Log& log) -> Coro<std::string> {
        auto inner = get_running_loop().create_future<int>();
        auto outer = shield(inner);
        EXPECT_EQ(callbacks_of(inner), 1U);
        EXPECT_TRUE(outer.cancel("m"));
        log(repr(outer) + (inner.done() ? " True" : " False"));
        co_await sleep(0s);
        log(repr(inner));
        EXPECT_EQ(callbacks_of(outer), 0U);
        co_await outer;
        co_return "";
    });
    EXPECT_EQ(text,
              "<Future cancelled> False; turn 1; <Future pending>; raised CancelledError('m'); turn 2; turn 3; turn 4");
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_cancel_outer_result
// CPython: test_tasks.py, BaseTaskTests.test_shield_cancel_outer_exception
// CPython: test_tasks.py, BaseTaskTests.test_shield_cancel_outer_twice_exception
// CPython: test_tasks.py, BaseTaskTests.test_shield_cancel_outer_exception_never_retrieved
TEST(Shield, CancelledReportsNothingOfTheInnerFutureButAnExceptionNeverRetrieved) {
    std::vector<std::string> reports;
    run_test([&]() -> Coro<> {
        auto& loop = get_running_loop();
        loop.set_exception_handler([&](EventLoop&, const ExceptionContext& c) { reports.push_back(c.message); });
        auto inner = loop.create_future<int>();
        shield(inner).cancel();
        co_await sleep(0s);
        inner.set_result(1);
        co_await trace::pass(2);
        for (int shields : {1, 2}) {
            auto failing = loop.create_future<int>();
            for (int i = 0; i < shields; ++i) {
                auto outer = shield(failing);
                co_await sleep(0s);
                outer.cancel();
                co_await sleep(0s);
            }
            EXPECT_EQ(callbacks_of(failing), 0U);
            failing.set_exception(ValueError("x"));
            co_await trace::pass(2);
            EXPECT_TRUE(reports.empty());
            EXPECT_TRUE(failing.exception());
        }
        EXPECT_TRUE(reports.empty());
        auto never_read = loop.create_future<int>();
        shield(never_read).cancel();
        co_await sleep(0s);
        never_read.set_exception(ValueError("x"));
        co_await trace::pass(2);
        EXPECT_TRUE(reports.empty());
        never_read = {};
        EXPECT_EQ(reports, std::vector<std::string>{"Future exception was never retrieved"});
        reports.clear();
        auto unread = loop.create_future<int>();
        auto outer = shield(unread);
        unread.set_exception(ValueError("x"));
        outer.cancel();
        co_await trace::pass(2);
        EXPECT_TRUE(reports.empty());
        unread = {};
        EXPECT_EQ(reports, std::vector<std::string>{"Future exception was never retrieved"});
        // A dropped shield takes the exception, and is reported itself.
        auto taken = loop.create_future<int>();
        static_cast<void>(shield(taken));
        taken.set_exception(ValueError("x"));
        co_await trace::pass(2);
        EXPECT_EQ(reports.size(), 2U);
        taken = {};
        EXPECT_EQ(reports.size(), 2U);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_shortcut
TEST(Shield, OfADoneFutureIsThatFuture) {
    run_test([]() -> Coro<> {
        auto done = get_running_loop().create_future<int>();
        done.set_result(42);
        EXPECT_EQ(shield(done), done);
        int result = co_await shield(done);
        EXPECT_EQ(result, 42);
        AnyFuture any = done;
        co_await shield(any);
    });
}

Coro<> wait_shielded(Task<int> inner, Log& log) {
    try {
        co_await shield(inner);
    } catch (const CancelledError&) {
        log("outer " + repr(std::current_exception()));
        throw;
    }
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_effect
TEST(Shield, KeepsTheInnerTaskRunningWhenItsAwaiterIsCancelled) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        auto inner = create_task(value(5, 3, &log));
        auto outer = create_task(wait_shielded(inner, log));
        co_await trace::pass(2);
        outer.cancel("msg");
        log("cancel");
        co_await wait(outer);
        log(std::string(outer.cancelled() ? "True" : "False") + (inner.done() ? " True" : " False"));
        int result = co_await inner;
        co_return std::to_string(result);
    });
    EXPECT_EQ(
        text,
        "turn 1; turn 2; cancel; turn 3; outer CancelledError('msg'); turn 4; done 5; turn 5; True True; result 5; "
        "turn 6; turn 7; turn 8");
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_gather
TEST(Shield, OverGatherTakesThreePassesAndLeavesTheChildrenRunning) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        get_running_loop().call_soon([future] { future.set_result(1); });
        get_running_loop().call_soon([&log] { log("set"); });
        auto result = co_await shield(gather(future));
        co_return std::to_string(std::get<0>(result));
    });
    EXPECT_EQ(text, "turn 1; set; turn 2; turn 3; turn 4; result 1; turn 5");
    run_test([]() -> Coro<> {
        auto first = get_running_loop().create_future<int>();
        auto second = get_running_loop().create_future<int>();
        auto all = gather(first, second);
        auto outer = shield(all);
        co_await sleep(0s);
        EXPECT_TRUE(outer.cancel());
        co_await sleep(0s);
        EXPECT_TRUE(outer.cancelled());
        EXPECT_FALSE(all.done());
        first.set_result(0);
        second.set_result(1);
        co_await sleep(0s);
        EXPECT_EQ(all.result(), std::tuple(0, 1));
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_gather_shield
TEST(Shield, InsideGatherIsWhatTheGatherCancels) {
    run_test([]() -> Coro<> {
        auto first = get_running_loop().create_future<int>();
        auto second = get_running_loop().create_future<int>();
        auto one = shield(first);
        auto two = shield(second);
        auto all = gather(one, two);
        co_await sleep(0s);
        EXPECT_TRUE(all.cancel());
        co_await sleep(0s);
        EXPECT_TRUE(detail::is_cancelled_error(all.exception()));
        EXPECT_TRUE(one.cancelled());
        EXPECT_TRUE(two.cancelled());
        first.set_result(0);
        second.set_result(1);
        co_await sleep(0s);
        EXPECT_EQ(second.result(), 1);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_shield_coroutine_without_loop
// CPython: test_tasks.py, BaseTaskTests.test_shield_coroutine_use_running_loop
TEST(Shield, MakesATaskOfACoroutineOnTheRunningLoop) {
    EXPECT_THROW(shield(value(1, 0)), RuntimeError);
    run_test([]() -> Coro<> {
        auto outer = shield(value(42, 0));
        EXPECT_EQ(&outer.get_loop(), &get_running_loop());
        int result = co_await outer;
        EXPECT_EQ(result, 42);
        auto box = co_await shield([]() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); }());
        EXPECT_EQ(*box, 7);
        co_await shield(sleep(1s));
    });
}

TEST(Shield, CopiesTheValueOfAFutureThatOthersHave) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<std::string> { co_return "kept by the task"; });
        std::string result = co_await shield(task);
        EXPECT_EQ(result, task.result());
    });
}

TEST(Shield, IsSeenThroughByThoseWhoAskWhatItWaitsFor) {
    run_test([]() -> Coro<> {
        auto inner = get_running_loop().create_future<int>();
        auto outer = shield(inner);
        auto* awaits = dynamic_cast<detail::AwaitsFutures*>(outer.state_or_null());
        EXPECT_EQ(awaits->count_awaited(), 1U);
        EXPECT_EQ(awaits->awaited(0), inner.state_or_null());
        auto all = gather(inner, outer);
        awaits = dynamic_cast<detail::AwaitsFutures*>(all.state_or_null());
        EXPECT_EQ(awaits->count_awaited(), 2U);
        EXPECT_EQ(awaits->awaited(1), outer.state_or_null());
        inner.set_result(1);
        co_await all;
    });
}

// Proves something under ASan.
TEST(Shield, LeavesNothingBehindIfNobodyFinishesIt) {
    Future<int> outlives;
    run_test([&]() -> Coro<> {
        static_cast<void>(shield(get_running_loop().create_future<int>()));
        auto orphan = shield(get_running_loop().create_future<int>());
        orphan.cancel();
        static_cast<void>(shield(value(1, 5)));
        outlives = shield(get_running_loop().create_future<int>());
        co_return;
    });
    EXPECT_FALSE(outlives.done());
}

}  // namespace
