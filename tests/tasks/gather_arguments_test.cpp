// What gather() takes, and in which loop.
#include "tasks/trace.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/gather.h>

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

// CPython: test_tasks.py, FutureGatherTests.test_constructor_empty_sequence_without_loop
// CPython: test_tasks.py, CoroutineGatherTests.test_constructor_without_loop
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

// CPython: test_tasks.py, CoroutineGatherTests.test_constructor_use_running_loop
TEST(Gather, OfCoroutinesUsesTheRunningLoop) {
    EventLoop loop({.clock = VirtualClock{}});
    auto start = []() -> Coro<Future<std::tuple<int, int>>> { co_return gather(value(1, 1), value(2, 1)); };
    Future<std::tuple<int, int>> all = loop.run_until_complete(start());
    EXPECT_EQ(&all.get_loop(), &loop);
    EXPECT_EQ(loop.run_until_complete(all), std::tuple(1, 2));
}

// CPython: test_tasks.py, FutureGatherTests.test_constructor_homogenous_futures
TEST(Gather, TakesTheLoopOfItsFutures) {
    EventLoop loop({.clock = VirtualClock{}});
    std::vector<Future<int>> futures{loop.create_future<int>(), loop.create_future<int>()};
    auto all = gather(futures);
    EXPECT_EQ(&all.get_loop(), &loop);
    auto again = gather(futures[0], futures[1], futures[0]);
    EXPECT_EQ(&again.get_loop(), &loop);
    loop.stop();
    loop.run_forever();
    EXPECT_FALSE(all.done());
    EXPECT_FALSE(again.done());
    futures[0].set_result(1);
    futures[1].set_result(2);
    EXPECT_EQ(loop.run_until_complete(all), (std::vector<int>{1, 2}));
    EXPECT_EQ(again.result(), std::tuple(1, 2, 1));
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

}  // namespace
