#include "support/run_test.h"
#include "tasks/trace.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/shield.h>

#include <gtest/gtest.h>

#include <list>
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

// CPython: test_tasks.py, GatherTestsBase.test_success
TEST(Gather, ResumesItsAwaiterTwoPassesAfterTheLastChild) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        auto all = gather(value(1, 1, &log), value(2, 1, &log));
        co_await all;
        co_return repr(all);
    });
    EXPECT_EQ(
        text,
        "turn 1; turn 2; done 1; done 2; turn 3; turn 4; result <_GatheringFuture finished result=[1, 2]>; turn 5; "
        "turn 6; turn 7; turn 8");
}

TEST(Gather, OfGatherTakesThreePasses) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        auto result = co_await gather(gather(value(1, 1, &log)));
        co_return std::to_string(std::get<0>(std::get<0>(result)));
    });
    EXPECT_EQ(text, "turn 1; turn 2; done 1; turn 3; turn 4; turn 5; result 1; turn 6; turn 7; turn 8");
}

TEST(Gather, OfShieldTakesThreePasses) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto& loop = get_running_loop();
        auto future = loop.create_future<int>();
        loop.call_soon([future] { future.set_result(1); });
        loop.call_soon([&log] { log("set"); });
        auto result = co_await gather(shield(future));
        co_return std::to_string(std::get<0>(result));
    });
    EXPECT_EQ(text, "turn 1; set; turn 2; turn 3; turn 4; result 1; turn 5");
}

// CPython: test_tasks.py, GatherTestsBase.test_success
TEST(Gather, KeepsTheOrderOfItsArgumentsWhateverTheOrderOfCompletion) {
    run_test([]() -> Coro<> {
        auto& loop = get_running_loop();
        std::vector<Future<char>> futures;
        for (int i = 0; i < 3; ++i) futures.push_back(loop.create_future<char>());
        auto all = gather(futures);
        futures[1].set_result('b');
        co_await sleep(0s);
        futures[0].set_result('a');
        co_await sleep(0s);
        EXPECT_FALSE(all.done());
        futures[2].set_result('c');
        co_await sleep(0s);
        EXPECT_TRUE(all.done());
        EXPECT_EQ(all.result(), (std::vector<char>{'a', 'b', 'c'}));
    });
}

// CPython: test_tasks.py, GatherTestsBase.test_one_exception
TEST(Gather, FailsWithTheFirstExceptionAndLeavesTheOthersRunning) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        co_await gather(failure("x", 1, &log), value(2, 3, &log));
        co_return "";
    });
    EXPECT_EQ(
        text,
        "turn 1; turn 2; fails x; turn 3; turn 4; raised ValueError('x'); done 2; turn 5; turn 6; turn 7; turn 8");
}

// CPython: test_tasks.py, GatherTestsBase.test_one_exception
TEST(Gather, PassesOnTheVeryExceptionAndIgnoresWhatComesLater) {
    run_test([]() -> Coro<> {
        auto& loop = get_running_loop();
        std::vector<Future<int>> futures;
        for (int i = 0; i < 5; ++i) futures.push_back(loop.create_future<int>());
        auto all = gather(futures);
        int calls = 0;
        all.add_done_callback([&](AnyFuture done) { calls += done == all ? 1 : 100; });
        std::exception_ptr error = std::make_exception_ptr(ValueError("zero division"));
        futures[0].set_result(1);
        futures[1].set_exception(error);
        co_await trace::pass(2);
        EXPECT_EQ(all.exception(), error);
        EXPECT_EQ(calls, 1);
        futures[2].set_result(2);
        futures[3].cancel();
        futures[4].set_exception(RuntimeError("late"));
        co_await trace::pass(2);
        EXPECT_EQ(all.exception(), error);
        EXPECT_EQ(calls, 1);
    });
}

// CPython: test_tasks.py, GatherTestsBase.test_result_exception_success
TEST(Gather, WithReturnExceptionsGivesValuesWhenAllSucceed) {
    run_test([]() -> Coro<> {
        std::vector<Future<char>> futures;
        for (int i = 0; i < 3; ++i) futures.push_back(get_running_loop().create_future<char>());
        auto all = gather(return_exceptions, futures);
        int calls = 0;
        all.add_done_callback([&](AnyFuture) { ++calls; });
        for (int i : {1, 0, 2}) {
            EXPECT_FALSE(all.done());
            futures[static_cast<std::size_t>(i)].set_result("abc"[i]);
            co_await sleep(0s);
        }
        EXPECT_TRUE(all.done());
        co_await sleep(0s);
        EXPECT_EQ(calls, 1);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(*all.result()[static_cast<std::size_t>(i)], "abc"[i]);
    });
}

// CPython: test_tasks.py, GatherTestsBase.test_return_exceptions
TEST(Gather, WithReturnExceptionsWaitsForAllAndGivesResults) {
    run_test([]() -> Coro<> {
        auto& loop = get_running_loop();
        std::vector<Future<int>> futures;
        for (int i = 0; i < 4; ++i) futures.push_back(loop.create_future<int>());
        auto all = gather(return_exceptions, futures);
        std::exception_ptr first = std::make_exception_ptr(ValueError("a"));
        futures[1].set_result(2);
        futures[0].set_exception(first);
        futures[3].set_exception(RuntimeError("b"));
        co_await sleep(0s);
        EXPECT_FALSE(all.done());
        futures[2].set_result(3);
        co_await sleep(0s);
        EXPECT_TRUE(all.done());
        const std::vector<Result<int>>& results = all.result();
        EXPECT_EQ(results[0].exception(), first);
        EXPECT_FALSE(results[0]);
        EXPECT_THROW(results[0].value(), ValueError);
        EXPECT_EQ(*results[1], 2);
        EXPECT_EQ(results[2].value(), 3);
        EXPECT_EQ(repr(results[3]), "RuntimeError('b')");
        EXPECT_EQ(repr(all), "<_GatheringFuture finished result=[ValueError('a'), 2, 3, RuntimeError('b')]>");
    });
}

// CPython: test_tasks.py, FutureGatherTests.test_one_cancellation
TEST(Gather, FailsWithCancelledErrorAsAnExceptionWhenAChildIsCancelled) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        auto child = create_task([]() -> Coro<> { co_await sleep(10s); }());
        get_running_loop().call_soon([child] { child.cancel("m"); });
        auto all = gather(child, value(1, 3, &log));
        try {
            co_await all;
        } catch (const CancelledError&) {
            log(repr(std::current_exception()) + " " + (all.cancelled() ? "True" : "False") + " " + repr(all));
        }
        co_return "None";
    });
    EXPECT_EQ(text,
              "turn 1; turn 2; turn 3; turn 4; CancelledError('m') False <_GatheringFuture finished "
              "exception=CancelledError('m')>; result None; done 1; turn 5; turn 6; turn 7; turn 8");
}

// CPython: test_tasks.py, FutureGatherTests.test_result_exception_one_cancellation
TEST(Gather, WithReturnExceptionsListsTheCancelledOnes) {
    std::string text = trace::of(8, [](Log&) -> Coro<std::string> {
        auto& loop = get_running_loop();
        auto long_sleep = []() -> Coro<> { co_await sleep(10s); };
        auto task = create_task(long_sleep());
        loop.call_soon([task] { task.cancel("m"); });
        auto future = loop.create_future();
        future.cancel("fm");
        auto other = loop.create_future();
        other.cancel();
        auto early = create_task(long_sleep());
        early.cancel("early");
        auto all = gather(return_exceptions, task, future, other, early);
        co_await all;
        co_return repr(all);
    });
    EXPECT_EQ(text,
              "turn 1; turn 2; turn 3; turn 4; result <_GatheringFuture finished result=[CancelledError(''), "
              "CancelledError('fm'), CancelledError(''), CancelledError('')]>; turn 5; turn 6; turn 7; turn 8");
}

/// Gathers itself `width` times, `depth` levels deep.
Coro<> recurse(int width, int depth) {
    if (depth == 0) co_return;
    std::vector<Coro<>> children;
    for (int i = 0; i < width; ++i) children.push_back(recurse(width, depth - 1));
    co_await gather(std::move(children));
}

// CPython: test_eager_task_factory.py, BaseTaskCountingTests.test_recursive_gather
TEST(Gather, InGathersOfEagerTasksNothingIsScheduled) {
    for (bool eager : {false, true}) {
        int scheduled = 0;
        EventLoop loop;
        loop.set_task_factory([&](EventLoop& own, NewTask task, TaskOptions options) {
            AnyTask made = eager ? eager_task_factory(own, std::move(task), options) : task.start(options);
            if (!made.done()) ++scheduled;
            return made;
        });
        loop.run_until_complete(recurse(5, 4));
        EXPECT_EQ(scheduled, eager ? 1 : 781);  // the one that was made before the loop ran
    }
}

// Recorded from CPython 3.14.10: a future shows its result as reprlib does, six elements and texts of 30 characters.
TEST(Gather, ReprIsShortenedOfTheFutureAndWholeOfItsResults) {
    run_test([]() -> Coro<> {
        auto text = [](char letter) -> Coro<std::string> { co_return std::string(40, letter); };
        auto both = gather(text('x'), value(1, 0), value(2, 0), value(3, 0), value(4, 0), value(5, 0), value(6, 0));
        co_await both;
        EXPECT_EQ(repr(both),
                  "<_GatheringFuture finished result=['xxxxxxxxxxxx...xxxxxxxxxxxxx', 1, 2, 3, 4, 5, ...]>");
        EXPECT_EQ(repr(both.result()), "['" + std::string(40, 'x') + "', 1, 2, 3, 4, 5, 6]");
        std::vector<Coro<std::string>> texts;
        texts.push_back(text('y'));
        auto all = gather(return_exceptions, std::move(texts));
        co_await all;
        EXPECT_EQ(repr(all), "<_GatheringFuture finished result=['yyyyyyyyyyyy...yyyyyyyyyyyyy']>");
        EXPECT_EQ(repr(all.result()), "['" + std::string(40, 'y') + "']");
        std::vector<std::vector<int>> nested = {{1}, {}};
        EXPECT_EQ(repr(nested), "[[1], []]");
    });
}

TEST(Gather, OfFinishedFuturesIsDoneOnReturn) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        future.set_result(4);
        auto all = gather(future);
        EXPECT_EQ(repr(all), "<_GatheringFuture finished result=[4]>");
        auto failed = get_running_loop().create_future<int>();
        auto pending = get_running_loop().create_future<int>();
        failed.set_exception(ValueError("a"));
        auto first_failure = gather(pending, failed);
        EXPECT_EQ(repr(first_failure), "<_GatheringFuture finished exception=ValueError('a')>");
        EXPECT_TRUE(first_failure.exception());
        get_running_loop().set_task_factory(eager_task_factory);
        auto eager = gather(value(1, 0), value(2, 0));
        EXPECT_EQ(repr(eager), "<_GatheringFuture finished result=[1, 2]>");
        auto eager_failure = gather(failure("z", 0), value(2, 0));
        EXPECT_EQ(repr(eager_failure), "<_GatheringFuture finished exception=ValueError('z')>");
        EXPECT_TRUE(eager_failure.exception());
        co_return;
    });
}

TEST(Gather, WaitsForGathersWithReturnExceptions) {
    std::string text = trace::of(8, [](Log&) -> Coro<std::string> {
        auto one = create_task(value(1, 1));
        co_await one;
        auto inner = gather(return_exceptions, one, failure("e", 1));
        auto outer = gather(return_exceptions, inner, inner);
        co_await outer;
        co_return repr(std::get<1>(*std::get<1>(outer.result())));
    });
    EXPECT_EQ(text, "turn 1; turn 2; turn 3; turn 4; turn 5; turn 6; turn 7; turn 8; result ValueError('e')");
}

TEST(Gather, ItsResultsPrintAsTheListThatPythonGives) {
    support::run_test([]() -> Coro<> {
        auto fails = []() -> Coro<int> {
            throw ValueError("");
            co_return 0;
        };
        auto results = co_await gather(return_exceptions, asyncio::sleep(1s, 1), asyncio::sleep(1s, std::string("a")),
                                       asyncio::sleep(0s), fails());
        EXPECT_EQ(repr(results), "[1, 'a', None, ValueError('')]");
        std::vector<Coro<int>> coros;
        coros.push_back(fails());
        auto list = co_await gather(return_exceptions, std::move(coros));
        EXPECT_EQ(repr(list), "[ValueError('')]");
    });
}

}  // namespace
