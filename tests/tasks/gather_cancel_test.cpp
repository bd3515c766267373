#include "support/run_test.h"
#include "tasks/trace.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using support::run_test;
using trace::failure;
using trace::Log;
using trace::value;

Coro<int> sleeper(int number, bool swallow, Log& log) {
    try {
        co_await sleep(10s);
    } catch (const CancelledError&) {
        log(std::to_string(number) + " " + repr(std::current_exception()));
        if (!swallow) throw;
    }
    co_return number;
}

template <bool Exceptions>
Coro<> gather_sleepers(bool swallow, Log& log) {
    try {
        if constexpr (Exceptions) {
            co_await gather(return_exceptions, sleeper(1, swallow, log), sleeper(2, swallow, log));
        } else {
            co_await gather(sleeper(1, swallow, log), sleeper(2, swallow, log));
        }
    } catch (const CancelledError&) {
        log("outer " + repr(std::current_exception()));
        throw;
    }
}

template <bool Exceptions>
std::string cancel_trace(bool swallow) {
    return trace::of(8, [swallow](Log& log) -> Coro<std::string> {
        auto outer = create_task(gather_sleepers<Exceptions>(swallow, log));
        co_await sleep(0s);
        co_await sleep(0s);
        bool accepted = outer.cancel("msg");
        log(accepted ? "cancel True" : "cancel False");
        co_await outer;
        co_return "";
    });
}

// CPython: test_tasks.py, CoroutineGatherTests.test_cancellation_broadcast
TEST(GatherCancel, ReachesChildrenThatWaitForTheSameFuture) {
    asyncio::run(
        []() -> Coro<> {
            int proof = 0;
            auto waiter = get_running_loop().create_future();
            auto inner = [&]() -> Coro<> {
                co_await waiter;
                ++proof;
            };
            auto first = create_task(inner());
            auto second = create_task(inner());
            auto all = gather(first, second);
            auto outer = create_task([&]() -> Coro<> {
                co_await all;
                proof += 100;
            });
            co_await sleep(0s);
            EXPECT_TRUE(outer.cancel());
            co_await wait(outer);
            EXPECT_TRUE(outer.cancelled());
            EXPECT_FALSE(all.cancel());
            EXPECT_TRUE(waiter.cancelled());
            EXPECT_TRUE(first.cancelled());
            EXPECT_TRUE(second.cancelled());
            co_await sleep(0s);
            EXPECT_EQ(proof, 0);
            EXPECT_TRUE(all.exception());
        }(),
        {.clock = VirtualClock{}});
}

/// Waits for one gather after the other, for a second in all, unless the gather throws.
Coro<> gather_again_and_again() {
    for (int i = 0; i < 20; ++i) co_await gather(return_exceptions, sleep(50ms));
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_gather_2
TEST(GatherCancel, IsSeenByTheAwaiterWithItsMessage) {
    for (std::optional<std::string_view> message : {std::optional<std::string_view>("my message"), {}}) {
        std::string text = trace::of(3, [&](Log&) -> Coro<std::string> {
            auto task = create_task(gather_again_and_again());
            co_await sleep(200ms);
            task.cancel(message);
            co_await task;
            co_return "never";
        });
        std::string expected = message ? "CancelledError('my message')" : "CancelledError()";
        EXPECT_EQ(text, "turn 1; turn 2; turn 3; raised " + expected);
    }
}

TEST(GatherCancel, CancelsTheChildrenAndThenRaisesWhateverTheyDo) {
    const std::string expected =
        "turn 1; turn 2; cancel True; turn 3; 1 CancelledError('msg'); 2 CancelledError('msg'); turn 4; turn 5; "
        "outer CancelledError('msg'); turn 6; raised CancelledError('msg'); turn 7; turn 8";
    EXPECT_EQ(cancel_trace<false>(false), expected);
    EXPECT_EQ(cancel_trace<true>(false), expected);
    const std::string swallowed =
        "turn 1; turn 2; cancel True; turn 3; 1 CancelledError('msg'); 2 CancelledError('msg'); turn 4; turn 5; "
        "outer CancelledError(); turn 6; raised CancelledError(); turn 7; turn 8";
    EXPECT_EQ(cancel_trace<false>(true), swallowed);
    EXPECT_EQ(cancel_trace<true>(true), swallowed);
}

TEST(GatherCancel, EndsByAnExceptionThatIsACancelledError) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        auto all = gather(return_exceptions, future);
        all.cancel("gm");
        try {
            co_await all;
        } catch (const CancelledError&) {
            log(repr(std::current_exception()) + (all.cancelled() ? " True " : " False ") + repr(all));
        }
        auto other = get_running_loop().create_future<int>();
        auto both = gather(other);
        both.cancel("gm");
        try {
            co_await both;
        } catch (const CancelledError&) {
            log(repr(std::current_exception()) + (both.cancelled() ? " True " : " False ") + repr(both));
        }
        co_return "None";
    });
    EXPECT_EQ(text,
              "turn 1; turn 2; CancelledError('gm') False <_GatheringFuture finished exception=CancelledError('gm')>; "
              "turn 3; turn 4; CancelledError('gm') False <_GatheringFuture finished exception=CancelledError('gm')>; "
              "result None; turn 5; turn 6; turn 7; turn 8");
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_gather_1
TEST(GatherCancel, OfADoneGatherOrDoneChildrenIsRefused) {
    asyncio::run(
        []() -> Coro<> {
            auto future = get_running_loop().create_future<int>();
            auto all = gather(future);
            future.set_result(1);
            EXPECT_FALSE(all.cancel());  // its children are done; it will be in the next pass
            co_await all;
            EXPECT_EQ(std::get<0>(all.result()), 1);
            EXPECT_FALSE(all.cancel());

            auto deeper = get_running_loop().create_future<int>();
            auto child = [](Future<int> awaited) -> Coro<int> { co_return co_await awaited; };
            auto gathered = gather(child(deeper));
            co_await sleep(0s);
            bool accepted = true;
            deeper.add_done_callback([&](Future<int>) { accepted = gathered.cancel(); });  // after the child's step
            deeper.set_result(42);
            co_await gathered;
            EXPECT_FALSE(accepted);
            EXPECT_FALSE(gathered.cancelled());
            EXPECT_EQ(std::get<0>(gathered.result()), 42);
        }(),
        {.clock = VirtualClock{}});
}

TEST(GatherCancel, IsTakenIfOnlyOneChildTakesIt) {
    std::string text = trace::of(3, [](Log& log) -> Coro<std::string> {
        auto pending = get_running_loop().create_future<int>();
        auto done = get_running_loop().create_future<int>();
        done.set_result(1);
        auto all = gather(return_exceptions, pending, done);
        bool accepted = all.cancel("m");
        log(accepted ? "True" : "False");
        co_await all;
        co_return "never";
    });
    EXPECT_EQ(text, "True; turn 1; turn 2; raised CancelledError(); turn 3");  // CPython: the last child's message
}

/// Waits twice, whatever happens, and notes the messages of what it was cancelled by.
Coro<int> stubborn_child(std::string& told) {
    for (int i = 0; i < 2; ++i) {
        try {
            co_await sleep(1s);
        } catch (const CancelledError& error) {
            told += std::string("'") + error.what() + "' ";
        }
    }
    co_return 1;
}
Coro<int> stubborn_child_that_begins_with_a_cancel(std::string& told) {
    current_task().cancel("own");
    int value = co_await stubborn_child(told);
    co_return value;
}
Coro<std::string> message_of(Future<std::vector<int>> all) {
    try {
        co_await all;
    } catch (const CancelledError& error) {
        co_return error.what();
    }
    co_return "not cancelled";
}

// Found by random programs. The child is told of the first request; Python keeps the message of the last one.
TEST(GatherCancel, HasTheLastMessageOfAChildThatWasCancelledTwiceInAPassAndIgnoredIt) {
    std::string told;
    run_test([&]() -> Coro<> {
        std::vector children{create_task(stubborn_child, std::ref(told))};
        auto all = gather(children);
        co_await sleep(0s);
        all.cancel();
        children[0].cancel("m1");
        children[0].cancel("m2");
        std::string message = co_await message_of(all);
        EXPECT_EQ(message, "m2");
    });
    EXPECT_EQ(told, "'' ");
}

// Found by random programs.
TEST(GatherCancel, HasTheMessageOfAChildThatWasCancelledOutsideAWaitAndThenInOne) {
    std::string told;
    run_test([&]() -> Coro<> {
        std::vector children{create_task(stubborn_child_that_begins_with_a_cancel, std::ref(told))};
        auto all = gather(children);
        co_await sleep(0s);
        co_await sleep(0s);
        all.cancel();
        std::string message = co_await message_of(all);
        EXPECT_EQ(message, "own");
    });
    EXPECT_EQ(told, "'own' '' ");
}

TEST(GatherReports, NothingOfAFailureThatACancelHid) {
    std::string text = trace::of(4, [](Log& log) -> Coro<std::string> {
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& c) { log(c.message); });
        auto future = get_running_loop().create_future<int>();
        auto waits = [](Future<int> child) -> Coro<> { co_await gather(child); };
        auto task = create_task(waits(future));
        co_await sleep(0s);
        future.set_exception(ValueError("x"));
        // The gather fails in the next pass, and its awaiter is cancelled before it hears of that.
        get_running_loop().call_soon([&] { task.cancel("m"); });
        co_await trace::pass(2);
        log(task.cancelled() ? "True" : "False");
        EXPECT_TRUE(future.exception());
        get_running_loop().set_exception_handler(nullptr);
        co_return "None";
    });
    EXPECT_EQ(text, "turn 1; turn 2; turn 3; True; result None; turn 4");
}

// CPython: test_tasks.py, CoroutineGatherTests.test_exception_marking
TEST(GatherReports, NothingOfASecondFailure) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& c) { log(c.message); });
        try {
            co_await gather(failure("q", 1), failure("r", 3, &log));
        } catch (const ValueError&) {
            log(repr(std::current_exception()));
        }
        co_await trace::pass(5);
        get_running_loop().set_exception_handler(nullptr);
        co_return "None";
    });
    EXPECT_EQ(text,
              "turn 1; turn 2; turn 3; turn 4; ValueError('q'); fails r; turn 5; turn 6; turn 7; turn 8; result None");
}

TEST(GatherReports, AFailureThatNobodyRetrieves) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& c) { log(c.message); });
        static_cast<void>(gather(failure("q", 1)));
        co_await trace::pass(4);
        get_running_loop().set_exception_handler(nullptr);
        co_return "None";
    });
    EXPECT_EQ(text,
              "turn 1; turn 2; turn 3; _GatheringFuture exception was never retrieved; turn 4; result None; turn 5");
}

TEST(GatherLifetime, LivesUntilItsChildrenAreDoneIfAllHandlesGo) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        {
            auto all = gather(value(1, 1), value(2, 1));
            all.add_done_callback([&log](AnyFuture future) { log("cb " + repr(future)); });
        }
        co_await trace::pass(4);
        co_return "None";
    });
    EXPECT_EQ(text,
              "turn 1; turn 2; turn 3; turn 4; cb <_GatheringFuture finished result=[1, 2]>; result None; turn 5");
}

// These are about memory: they prove something under ASan.
TEST(GatherLifetime, GoesWithAFutureThatNobodyCanFinish) {
    asyncio::run(
        []() -> Coro<> {
            static_cast<void>(gather(get_running_loop().create_future<int>()));
            auto kept = get_running_loop().create_future<int>();
            static_cast<void>(gather(kept, get_running_loop().create_future<int>(), value(1, 1)));
            co_await trace::pass(3);
            kept.set_result(1);
            auto done = get_running_loop().create_future<int>();
            auto all = gather(done);
            done.set_result(2);
            all = {};
            co_await sleep(0s);
            EXPECT_FALSE(kept.state_or_null()->has_callbacks());
            EXPECT_EQ(all_tasks().size(), 1U);
        }(),
        {.clock = VirtualClock{}});
}

// The gather of which there is no handle is held by the future that is not done, and that by the gather that failed.
TEST(GatherLifetime, LetsGoOfItsChildrenWhenItIsDone) {
    for (bool by_hand : {false, true}) {
        std::string reported;
        asyncio::run(
            [&]() -> Coro<> {
                EventLoop& loop = get_running_loop();
                loop.set_exception_handler(
                    [&](EventLoop&, const ExceptionContext& c) { reported += c.message + "; "; });
                std::vector<Future<int>> both{loop.create_future<int>(), loop.create_future<int>()};
                auto fails = gather(both);
                static_cast<void>(gather(both[0], gather(fails)));
                if (by_hand) {
                    fails.set_exception(ValueError("x"));
                } else {
                    both[1].set_exception(ValueError("x"));
                }
                both.clear();
                co_await trace::pass(6);
                EXPECT_TRUE(fails.done());
                fails = {};
                loop.set_exception_handler(nullptr);
            }(),
            {.clock = VirtualClock{}});
        EXPECT_EQ(reported, "_GatheringFuture exception was never retrieved; ");
    }
}

// CPython: its callback looks at the error, if the loop lives to see that pass.
TEST(GatherLifetime, DoesNotKeepQuietAChildThatFailsInTheLastPass) {
    std::string reported;
    {
        EventLoop loop({.clock = VirtualClock{}});
        loop.set_exception_handler([&](EventLoop&, const ExceptionContext& c) { reported += c.message + "; "; });
        loop.run_until_complete([]() -> Coro<> {
            auto late = []() -> Coro<int> {
                throw ValueError("late");
                co_return 0;
            };
            auto cancelled = get_running_loop().create_future<int>();
            cancelled.cancel();
            auto both = gather(create_task(late()), cancelled);
            EXPECT_TRUE(both.done());
            static_cast<void>(both.exception());
            co_return;
        }());
    }
    EXPECT_EQ(reported, "Task exception was never retrieved; ");
}

TEST(GatherLifetime, LeavesNothingWhenTheLoopGoesFirst) {
    Future<std::vector<int>> outlives;
    {
        EventLoop loop({.clock = VirtualClock{}});
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        auto waiting = loop.create_task([](Future<std::vector<int>>& kept) -> Coro<> {
            std::vector<Coro<int>> children;
            for (int i = 0; i < 3; ++i) children.push_back(value(i, 100));
            kept = gather(std::move(children));
            static_cast<void>(gather(value(1, 100), kept));
            co_await gather(kept, value(2, 100));
        }(outlives));
        loop.call_later(0.1s, [&] { loop.stop(); });
        loop.call_soon([&] { loop.call_soon([&] { loop.stop(); }); });
        loop.run_forever();
    }
    EXPECT_FALSE(outlives.done());
}

}  // namespace
