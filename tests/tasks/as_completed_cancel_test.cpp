// as_completed() with timeouts, and its steps when they are cancelled or overtaken.
#include "support/manual_clock.h"
#include "tasks/trace.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/as_completed.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
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

TEST(AsCompleted, HasThePassesOfPythonsTimeoutOfZero) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        std::vector<Task<int>> tasks;
        tasks.push_back(create_task(value(1, 1, &log)));
        for (int i = 0; i < 2; ++i) tasks.push_back(create_task(sleep_for(10s, i)));
        for (auto next : as_completed(tasks, {.timeout = 0})) {
            try {
                int result = co_await next;
                log("got " + std::to_string(result));
            } catch (const TimeoutError&) {
                log(repr(std::current_exception()));
            }
        }
        EXPECT_FALSE(tasks[1].done());
        for (auto& task : tasks) task.cancel();
        co_return "None";
    });
    EXPECT_EQ(
        text,
        "turn 1; turn 2; done 1; TimeoutError(); TimeoutError(); TimeoutError(); result None; turn 3; turn 4; turn 5; "
        "turn 6; turn 7; turn 8");
    text = trace::of(8, [](Log& log) -> Coro<std::string> {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 2; ++i) tasks.push_back(create_task(sleep_for(10s, i)));
        auto completed = as_completed(tasks, {.timeout = 0});
        for (int i = 0; i < 2; ++i) {
            try {
                co_await completed.next();
            } catch (const TimeoutError&) {
                log(repr(std::current_exception()));
            }
        }
        auto over = co_await completed.next();
        EXPECT_FALSE(over);
        for (auto& task : tasks) task.cancel();
        co_return "None";
    });
    EXPECT_EQ(
        text,
        "turn 1; turn 2; TimeoutError(); TimeoutError(); result None; turn 3; turn 4; turn 5; turn 6; turn 7; turn 8");
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_with_timeout
TEST(AsCompleted, ThrowsTimeoutErrorForWhatCameTooLate) {
    run_test([]() -> Coro<> {
        std::string text;
        for (auto next : as_completed(sleepers(), {.timeout = 0.12s})) {
            try {
                int result = co_await next;
                text += std::to_string(result);
            } catch (const TimeoutError&) {
                text += 't';
            }
        }
        EXPECT_EQ(text, "1tt");
        EXPECT_NEAR(now().count(), 0.12, 1e-9);
    });
    run_test([]() -> Coro<> {
        std::string text;
        auto completed = as_completed(sleepers(), {.timeout = 0.12s});
        try {
            while (auto task = co_await completed.next()) text += std::to_string(task->result());
        } catch (const TimeoutError&) {
            text += 't';
        }
        EXPECT_EQ(text, "1t");
        EXPECT_NEAR(now().count(), 0.12, 1e-9);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_with_unused_timeout
TEST(AsCompleted, ForgetsATimeoutThatWasNotNeeded) {
    for (bool by_handles : {false, true}) {
        support::ManualClock clock;
        auto main = [&]() -> Coro<> {
            auto completed = as_completed(sleepers(), {.timeout = 1s});
            std::vector<int> results;
            if (by_handles) {
                while (auto task = co_await completed.next()) results.push_back(task->result());
            } else {
                for (auto next : completed) {
                    int result = co_await next;
                    results.push_back(result);
                }
            }
            EXPECT_EQ(results, (std::vector<int>{1, 2, 3}));
            co_await sleep(2s);
        };
        asyncio::run(main(), {.clock = clock});
        EXPECT_EQ(clock.jumps(), 4);  // to the ends of the four sleeps
    }
}

template <class Completed>
Coro<> take_one(std::string name, Completed completed, Log& log) {
    auto next = *completed.begin();
    log(name + " waits");
    try {
        int result = co_await next;
        log(name + " got " + std::to_string(result));
    } catch (const CancelledError&) {
        log(name + " " + repr(std::current_exception()));
        throw;
    }
}

TEST(AsCompleted, LetsAStepThatDoesNotWaitTakeTheItemOfOneJustWoken) {
    std::string text = trace::of(12, [](Log& log) -> Coro<std::string> {
        std::vector<Future<int>> futures;
        for (int i = 0; i < 3; ++i) futures.push_back(get_running_loop().create_future<int>());
        auto completed = as_completed(futures);
        auto a = create_task(take_one("A", completed, log));
        auto b = create_task(take_one("B", completed, log));
        co_await sleep(0s);
        futures[1].set_result(1);
        co_await sleep(0s);
        log("steal?");
        auto next = *completed.begin();
        int result = co_await next;
        log("main got " + std::to_string(result));
        futures[0].set_result(0);
        co_await trace::pass(3);
        futures[2].set_result(2);
        co_await wait(a, b);
        co_return "None";
    });
    EXPECT_EQ(text,
              "turn 1; A waits; B waits; turn 2; steal?; main got 1; turn 3; turn 4; B got 0; turn 5; turn 6; turn 7; "
              "A got 2; turn 8; turn 9; result None; turn 10; turn 11; turn 12");
}

TEST(AsCompleted, LosesNothingWhenAStepIsCancelledThatWasJustWoken) {
    std::string text = trace::of(12, [](Log& log) -> Coro<std::string> {
        std::vector<Future<int>> futures;
        for (int i = 0; i < 2; ++i) futures.push_back(get_running_loop().create_future<int>());
        auto completed = as_completed(futures);
        auto a = create_task(take_one("A", completed, log));
        auto b = create_task(take_one("B", completed, log));
        co_await sleep(0s);
        futures[0].set_result(0);
        co_await sleep(0s);
        a.cancel("m");
        log("cancel A");
        co_await wait(b);
        log(a.cancelled() ? "True" : "False");
        futures[1].set_result(1);
        for (auto next : completed) {
            int result = co_await next;
            log("rest " + std::to_string(result));
        }
        co_return "None";
    });
    std::string waits = "turn 1; A waits; B waits; ";  // not in the Python run
    EXPECT_EQ(text,
              waits +
                  "turn 2; cancel A; turn 3; A CancelledError('m'); turn 4; B got 0; turn 5; turn 6; True; turn 7; "
                  "turn 8; rest 1; result None; turn 9; turn 10; turn 11; turn 12");
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_plain_iterator_cancelled_wait
TEST(AsCompleted, GivesTheItemsOfACancelledPlainStepToLaterOnes) {
    run_test([]() -> Coro<> {
        std::vector<Future<int>> futures;
        for (int i = 0; i < 2; ++i) futures.push_back(get_running_loop().create_future<int>());
        auto completed = as_completed(futures);
        auto step = create_task([](auto next) -> Coro<> { co_await next; }(*completed.begin()));
        co_await sleep(0s);
        step.cancel();
        co_await wait(step);
        EXPECT_TRUE(step.cancelled());
        futures[1].set_result(1);
        futures[0].set_result(0);
        std::vector<int> results;
        for (auto next : completed) {
            int result = co_await next;
            results.push_back(result);
        }
        EXPECT_EQ(results, (std::vector<int>{1, 0}));
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_as_completed_async_iterator_cancelled_anext
TEST(AsCompleted, GivesTheItemsOfACancelledStepToLaterOnes) {
    run_test([]() -> Coro<> {
        std::vector<Future<int>> futures;
        for (int i = 0; i < 2; ++i) futures.push_back(get_running_loop().create_future<int>());
        auto completed = as_completed(futures);
        auto step = create_task([](auto iterator) -> Coro<> { co_await iterator.next(); }(completed));
        co_await sleep(0s);
        step.cancel();
        co_await wait(step);
        EXPECT_TRUE(step.cancelled());
        futures[1].set_result(1);
        futures[0].set_result(0);
        std::vector<int> results;
        while (auto future = co_await completed.next()) results.push_back(future->result());
        EXPECT_EQ(results, (std::vector<int>{1, 0}));
    });
}

}  // namespace
