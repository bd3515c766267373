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
        std::exception_ptr error = std::make_exception_ptr(ValueError("zero division"));
        futures[0].set_result(1);
        futures[1].set_exception(error);
        co_await sleep(0s);
        EXPECT_EQ(all.exception(), error);
        futures[2].set_result(2);
        futures[3].cancel();
        futures[4].set_exception(RuntimeError("late"));
        co_await sleep(0s);
        EXPECT_EQ(all.exception(), error);
    });
}

// CPython: test_tasks.py, GatherTestsBase.test_return_exceptions and test_result_exception_success
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

// The same future in several places, cancelled once for each of them.
TEST(Gather, FillsAllPlacesOfAFutureGivenTwice) {
    std::string text = trace::of(4, [](Log&) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        get_running_loop().call_soon([future] { future.set_result(1); });
        auto all = gather(future, future);
        co_await all;
        co_return repr(all);
    });
    EXPECT_EQ(text, "turn 1; turn 2; turn 3; result <_GatheringFuture finished result=[1, 1]>; turn 4");
    text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto body = [](Log& lines) -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (...) {
                lines("cancelling " + std::to_string(current_task().cancelling()));
                throw;
            }
        };
        auto task = create_task(body(log));
        auto all = gather(task, task);
        co_await sleep(0s);
        bool accepted = all.cancel();
        log((accepted ? "True " : "False ") + repr(all).substr(0, 25));
        co_await all;
        co_return "";
    });
    EXPECT_EQ(text,
              "turn 1; True <_GatheringFuture pending; turn 2; cancelling 2; turn 3; turn 4; raised CancelledError(); "
              "turn 5");
}

// CPython: test_tasks.py, CoroutineGatherTests.test_duplicate_coroutines
TEST(Gather, RunsACoroutineOnceForAllItsPlaces) {
    run_test([]() -> Coro<> {
        int runs = 0;
        auto once = [](int& count) -> Coro<std::string> {
            ++count;
            co_return "abc";
        };
        auto task = ensure_future(once(runs));
        std::vector<Task<std::string>> places(4, task);
        std::vector<std::string> results = co_await gather(places);
        EXPECT_EQ(results, std::vector<std::string>(4, "abc"));
        EXPECT_EQ(runs, 1);
    });
}

// CPython: test_tasks.py, FutureGatherTests.test_constructor_empty_sequence_use_running_loop
TEST(Gather, OfNothingIsDoneAtOnce) {
    run_test([]() -> Coro<> {
        auto nothing = gather();
        EXPECT_TRUE(nothing.done());
        EXPECT_EQ(nothing.result(), std::tuple<>());
        EXPECT_EQ(&nothing.get_loop(), &get_running_loop());
        std::vector<Future<int>> none;
        auto empty = gather(none);
        EXPECT_TRUE(empty.result().empty());
        auto results = co_await gather(return_exceptions, std::list<Task<>>());
        EXPECT_TRUE(results.empty());
    });
}

// CPython: test_tasks.py, FutureGatherTests.test_constructor_empty_sequence_without_loop,
// CoroutineGatherTests.test_constructor_without_loop
TEST(Gather, WithoutALoopThrows) {
    EXPECT_THROW(gather(), RuntimeError);
    EXPECT_THROW(gather(value(1, 0)), RuntimeError);
    EXPECT_THROW(gather(std::vector<Coro<int>>()), RuntimeError);
}

// CPython: test_tasks.py, FutureGatherTests.test_constructor_heterogenous_futures
TEST(Gather, RefusesFuturesOfDifferentLoops) {
    EventLoop one;
    EventLoop other;
    auto first = one.create_future<int>();
    auto second = other.create_future<int>();
    try {
        gather(first, second);
        FAIL();
    } catch (const ValueError& error) {
        EXPECT_STREQ(error.what(),
                     "The future belongs to a different loop than the one specified as the loop argument");
    }
}

// CPython: test_tasks.py, FutureGatherTests.test_constructor_homogenous_futures,
// CoroutineGatherTests.test_constructor_use_running_loop
TEST(Gather, TakesTheLoopOfItsFutures) {
    EventLoop loop({.clock = VirtualClock{}});
    std::vector<Future<int>> futures{loop.create_future<int>(), loop.create_future<int>()};
    auto all = gather(futures);
    EXPECT_EQ(&all.get_loop(), &loop);
    auto again = gather(futures[0], futures[1], futures[0]);
    EXPECT_EQ(&again.get_loop(), &loop);
    futures[0].set_result(1);
    futures[1].set_result(2);
    EXPECT_EQ(loop.run_until_complete(all), (std::vector<int>{1, 2}));
    EXPECT_EQ(again.result(), std::tuple(1, 2, 1));
}

// CPython: test_eager_task_factory.py, BaseTaskCountingTests.test_recursive_gather
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

TEST(Gather, WrapsAnyAwaitableAndMovesTheValuesOfCoroutines) {
    run_test([]() -> Coro<> {
        auto boxed = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
        auto nothing = []() -> Coro<> { co_return; };
        auto named = create_task([]() -> Coro<std::string> { co_return "text"; });
        AnyTask any = named;
        auto results = co_await gather(boxed(), nothing(), sleep(1s), sleep(2s, 'x'), named, any, create_task(boxed));
        EXPECT_EQ(*std::get<0>(results), 4);
        EXPECT_EQ(std::get<1>(results), None());
        EXPECT_EQ(std::get<2>(results), None());
        EXPECT_EQ(std::get<3>(results), 'x');
        EXPECT_EQ(std::get<4>(results), "text");
        EXPECT_EQ(named.result(), "text");
        EXPECT_EQ(std::get<5>(results), None());
        EXPECT_EQ(*std::get<6>(results), 4);
        std::vector<Coro<std::unique_ptr<int>>> many;
        for (int i = 0; i < 3; ++i) many.push_back(boxed());
        auto boxes = co_await gather(std::move(many));
        EXPECT_EQ(boxes.size(), 3U);
        EXPECT_EQ(*boxes[2], 4);
        std::list<AnyTask> tasks{create_task(nothing), create_task(value(1, 1))};
        std::vector<None> nones = co_await gather(tasks);
        EXPECT_EQ(nones.size(), 2U);
    });
}

// CPython: test_tasks.py, CoroutineGatherTests.test_issue46672
TEST(Gather, ThatCannotBeMadeLeavesTheChildrenAlone) {
    std::vector<std::string> reports;
    run_test([&]() -> Coro<> {
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& c) { reports.push_back(c.message); });
        Task<int> empty;
        EXPECT_THROW(gather(failure("x", 1), empty), RuntimeError);
        co_await trace::pass(4);
    });
    EXPECT_TRUE(reports.empty());
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

}  // namespace
