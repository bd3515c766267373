#include "support/run_test.h"
#include "tasks/trace.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/as_completed.h>
#include <asyncio/tasks/gather.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <list>
#include <memory>
#include <string>
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

Coro<int> sleep_for(Seconds delay, int result) {
    co_await sleep(delay);
    co_return result;
}
std::vector<Coro<int>> sleepers() {
    std::vector<Coro<int>> coroutines;
    for (int i : {3, 1, 2}) coroutines.push_back(sleep_for(0.1 * i, i));
    return coroutines;
}
Seconds now() { return get_running_loop().time() - TimePoint(); }

TEST(AsCompleted, GivesAValueTwoPassesAfterItIsThere) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        get_running_loop().call_soon([future] { future.set_result(1); });
        get_running_loop().call_soon([&log] { log("set"); });
        for (auto next : as_completed(future)) {
            int result = co_await next;
            log("got " + std::to_string(result));
        }
        co_return "None";
    });
    EXPECT_EQ(text, "turn 1; set; turn 2; turn 3; got 1; result None; turn 4; turn 5");
}

TEST(AsCompleted, GivesAHandleTwoPassesAfterItIsDone) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        get_running_loop().call_soon([future] { future.set_result(1); });
        get_running_loop().call_soon([&log] { log("set"); });
        auto completed = as_completed(future);
        while (auto next = co_await completed.next()) {
            log(std::string("got ") + (*next == future ? "True " : "False ") + std::to_string(next->result()));
        }
        co_return "None";
    });
    EXPECT_EQ(text, "turn 1; set; turn 2; turn 3; got True 1; result None; turn 4; turn 5");
}

TEST(AsCompleted, TakesTwoPassesForDoneFuturesToo) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto one = get_running_loop().create_future<int>();
        auto two = get_running_loop().create_future<int>();
        one.set_result(1);
        two.set_result(1);
        for (auto next : as_completed(one, two)) {
            int result = co_await next;
            log("got " + std::to_string(result));
        }
        co_return "None";
    });
    EXPECT_EQ(text, "turn 1; turn 2; got 1; got 1; result None; turn 3; turn 4; turn 5");
}

TEST(AsCompleted, OfThreeTasksKeepsPythonsPasses) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        std::vector<Task<int>> tasks;
        for (int i : {3, 1, 2}) tasks.push_back(create_task(value(i, i, &log)));
        for (auto next : as_completed(tasks)) {
            int result = co_await next;
            log("got " + std::to_string(result));
        }
        co_return "None";
    });
    EXPECT_EQ(
        text,
        "turn 1; turn 2; done 1; turn 3; done 2; turn 4; done 3; got 1; turn 5; got 2; got 3; result None; turn 6; "
        "turn 7; turn 8");
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed
// CPython: test_tasks.py, BaseTaskTests.test_as_completed_coroutine_use_running_loop
TEST(AsCompleted, GivesTheQuickestFirst) {
    run_test([]() -> Coro<> {
        std::vector<int> order;
        for (auto next : as_completed(sleepers())) {
            int result = co_await next;
            order.push_back(result);
            EXPECT_NEAR(now().count(), 0.1 * result, 1e-9);
        }
        EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
        order.clear();
        auto completed = as_completed(sleepers());
        while (auto task = co_await completed.next()) order.push_back(task->result());
        EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
        auto over = co_await completed.next();
        EXPECT_FALSE(over);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_same_tasks_in_as_out
TEST(AsCompleted, GivesTheVeryTasksThatItWasGiven) {
    run_test([]() -> Coro<> {
        std::vector<Task<int>> tasks;
        for (int i : {3, 1, 2}) tasks.push_back(create_task(value(i, i)));
        std::vector<Task<int>> given;
        auto completed = as_completed(tasks);
        while (auto task = co_await completed.next()) given.push_back(*task);
        EXPECT_EQ(given, (std::vector{tasks[1], tasks[2], tasks[0]}));
        auto future = get_running_loop().create_future();
        future.set_result();
        auto mixed = as_completed(tasks[0], future);
        static_assert(std::is_same_v<decltype(mixed)::Handle, AnyFuture>);
        auto first = co_await mixed.next();
        EXPECT_EQ(*first, tasks[0]);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_resume_iterator
TEST(AsCompleted, CanBeLeftAndResumed) {
    run_test([]() -> Coro<> {
        std::string text;
        auto completed = as_completed(sleepers());
        for (auto next : completed) {
            int result = co_await next;
            text += std::to_string(result);
            break;
        }
        auto task = co_await completed.next();
        text += std::to_string(task->result());
        for (auto next : completed) {
            int result = co_await next;
            text += std::to_string(result);
        }
        EXPECT_EQ(text, "123");
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_reverse_wait
TEST(AsCompleted, GivesTheFirstValueToTheStepAwaitedFirst) {
    run_test([]() -> Coro<> {
        auto completed = as_completed(sleep_for(0.1s, 1), sleep_for(0.2s, 2));
        auto step = completed.begin();
        auto one = *step;
        auto two = *step;
        EXPECT_FALSE(step != completed.end());
        int first = co_await two;
        EXPECT_EQ(first, 1);
        int second = co_await one;
        EXPECT_EQ(second, 2);
        std::string error;
        try {
            co_await one;
        } catch (const RuntimeError&) {
            error = repr(std::current_exception());
        }
        EXPECT_EQ(error, "RuntimeError('cannot reuse already awaited coroutine')");
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_concurrent
TEST(AsCompleted, CanBeAwaitedByManyAtOnce) {
    run_test([]() -> Coro<> {
        std::vector<NextCompleted<int>> steps;
        for (auto step : as_completed(sleepers())) steps.push_back(std::move(step));
        std::vector<int> results = co_await gather(std::move(steps));
        EXPECT_EQ(results, (std::vector<int>{1, 2, 3}));

        std::vector<Task<int>> tasks;
        auto completed = as_completed(sleepers());
        while (auto task = co_await completed.next()) tasks.push_back(*task);
        results = co_await gather(tasks);
        EXPECT_EQ(results, (std::vector<int>{1, 2, 3}));
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_duplicate_coroutines
TEST(AsCompleted, GivesAFutureOnceThatItWasGivenTwice) {
    run_test([]() -> Coro<> {
        for (bool by_handles : {false, true}) {
            std::vector<Task<int>> tasks(2, create_task(value(7, 0)));
            tasks.push_back(create_task(value(8, 0)));
            std::vector<int> results;
            auto completed = as_completed(tasks);
            if (by_handles) {
                while (auto task = co_await completed.next()) results.push_back(task->result());
            } else {
                for (auto next : completed) {
                    int result = co_await next;
                    results.push_back(result);
                }
            }
            EXPECT_EQ(results, (std::vector<int>{7, 8}));
        }
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_coroutine_without_loop
TEST(AsCompleted, WithoutALoopThrows) {
    EXPECT_THROW(static_cast<void>(as_completed(value(1, 0))), RuntimeError);
    run_test([]() -> Coro<> {
        int loops = 0;
        for (auto next : as_completed(std::vector<Coro<int>>())) {
            co_await next;
            ++loops;
        }
        EXPECT_EQ(loops, 0);
    });
}

TEST(AsCompleted, PassesOnErrorsAndMovesTheValuesOfCoroutines) {
    std::string text = trace::of(6, [](Log& log) -> Coro<std::string> {
        std::vector<Task<int>> tasks{create_task(failure("x", 1)), create_task(sleep_for(10s, 1))};
        get_running_loop().call_soon([task = tasks[1]] { task.cancel("m"); });
        for (auto next : as_completed(tasks)) {
            try {
                co_await next;
            } catch (...) {
                log(repr(std::current_exception()));
            }
        }
        co_return "None";
    });
    EXPECT_EQ(text,
              "turn 1; turn 2; turn 3; turn 4; ValueError('x'); CancelledError('m'); result None; turn 5; turn 6");
    run_test([]() -> Coro<> {
        auto boxed = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
        for (auto next : as_completed(boxed(), boxed())) {
            std::unique_ptr<int> box = co_await next;
            EXPECT_EQ(*box, 4);
        }
        for (auto next : as_completed(sleep(1s), sleep(2s), sleep(3s))) co_await next;
    });
}

// Proves something under ASan.
TEST(AsCompleted, CanBeDroppedAtAnyTime) {
    Future<int> outlives;
    {
        EventLoop loop({.clock = VirtualClock{}});
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        outlives = loop.create_future<int>();
        auto waits = [](Future<int> future) -> Coro<> {
            static_cast<void>(as_completed(future, value(1, 1), {.timeout = 3s}));
            auto unused = *as_completed(future, value(1, 1), {.timeout = 3s}).begin();
            auto completed = as_completed(future, {.timeout = 5s});
            co_await completed.next();
        };
        loop.create_task(waits(outlives));
        loop.call_later(1s, [&] { loop.stop(); });
        loop.run_forever();
    }
    EXPECT_FALSE(outlives.state_or_null()->has_callbacks());
}

TEST(AsCompleted, AsAListGivesTheStepsThatAreLeft) {
    run_test([]() -> Coro<> {
        auto completed = as_completed(sleepers());
        std::vector<NextCompleted<int>> steps = list(completed);
        EXPECT_EQ(steps.size(), 3u);
        EXPECT_EQ(list(completed).size(), 0u);
        int first = co_await steps[2];
        int second = co_await steps[0];
        int third = co_await steps[1];
        EXPECT_EQ(first * 100 + second * 10 + third, 123);
        bool reused = false;
        try {
            co_await steps[2];
        } catch (const RuntimeError& error) {
            reused = error.what() == std::string("cannot reuse already awaited coroutine");
        }
        EXPECT_TRUE(reused);

        completed = as_completed(sleepers());
        for (auto step : completed) {
            first = co_await step;
            break;
        }
        EXPECT_EQ(first, 1);
        EXPECT_EQ(list(completed).size(), 2u);
        std::vector<Task<int>> none;
        EXPECT_TRUE(list(as_completed(none)).empty());
    });
}

TEST(AsCompleted, AsAListWithATimeoutFailsInTheStepsThatAreLate) {
    run_test([]() -> Coro<> {
        std::vector<NextCompleted<int>> steps = list(as_completed(sleepers(), {.timeout = 0.25}));
        std::string said;
        for (NextCompleted<int>& step : steps) {
            try {
                int value = co_await step;
                said += std::to_string(value);
            } catch (const TimeoutError&) {
                said += " late";
            }
        }
        EXPECT_EQ(said, "12 late");
    });
}

TEST(AsCompleted, IsARangeOfInputIterators) {
    run_test([]() -> Coro<> {
        AsCompleted<Task<int>> completed = as_completed(sleepers());
        static_assert(std::input_iterator<AsCompleted<Task<int>>::Iterator>);
        std::list<NextCompleted<int>> steps(completed.begin(), completed.end());
        EXPECT_EQ(steps.size(), 3u);
        int first = co_await steps.back();
        EXPECT_EQ(first, 1);
    });
}

TEST(AsCompleted, CopiesTheValuesOfTasksAndGivesReferences) {
    run_test([]() -> Coro<> {
        auto text = []() -> Coro<std::string> { co_return "a text that is long enough for the heap"; };
        Task<std::string> task = create_task(text());
        std::vector<NextCompleted<std::string>> steps = list(as_completed(task));
        std::string copy = co_await steps[0];
        EXPECT_EQ(copy, task.result());
        std::vector<NextCompleted<std::string>> moved = list(as_completed(text()));
        copy = co_await moved[0];
        EXPECT_EQ(copy.size(), 39u);

        std::string own = "own";
        Future<const std::string&> future = get_running_loop().create_future<const std::string&>();
        future.set_result(own);
        std::vector<NextCompleted<const std::string&>> references = list(as_completed(future));
        const std::string& same = co_await references[0];
        EXPECT_EQ(&same, &own);

        std::vector<NextCompleted<void>> mixed = list(as_completed(text(), asyncio::sleep(1s)));
        for (NextCompleted<void>& step : mixed) co_await step;
        std::vector<NextCompleted<std::unique_ptr<int>>> owners =
            list(as_completed([]() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(5); }()));
        std::unique_ptr<int> owner = co_await owners[0];
        EXPECT_EQ(*owner, 5);
        auto several = []() -> Coro<std::vector<std::unique_ptr<int>>> {  // which says that it can be copied
            std::vector<std::unique_ptr<int>> made;
            made.push_back(std::make_unique<int>(6));
            co_return made;
        };
        for (auto next : as_completed(several())) {
            std::vector<std::unique_ptr<int>> made = co_await next;
            EXPECT_EQ(*made.at(0), 6);
        }
    });
}

}  // namespace
