#include "support/manual_clock.h"
#include "tasks/trace.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <list>
#include <ranges>
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

template <class Result>
std::string sizes(const Result& result) {
    return "(" + std::to_string(result.done.size()) + ", " + std::to_string(result.pending.size()) + ")";
}
std::string names(const std::vector<Task<int>>& tasks) {
    std::string text;
    for (const auto& task : tasks) text += task.get_name();
    return text;
}
Coro<int> sleep_for(Seconds delay) {
    co_await sleep(delay);
    co_return 42;
}
Seconds now() { return get_running_loop().time() - TimePoint(); }

TEST(Wait, ResumesTwoPassesAfterTheLastIsDone) {
    std::string text = trace::of(5, [](Log& log) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        get_running_loop().call_soon([future] { future.set_result(1); });
        get_running_loop().call_soon([&log] { log("set"); });
        auto result = co_await wait(future);
        co_return sizes(result);
    });
    EXPECT_EQ(text, "turn 1; set; turn 2; turn 3; result (1, 0); turn 4; turn 5");
}

// CPython: test_tasks.py, BaseTaskTests.test_wait
TEST(Wait, TakesTwoPassesForDoneFuturesToo) {
    std::string text = trace::of(5, [](Log&) -> Coro<std::string> {
        auto future = get_running_loop().create_future<int>();
        future.set_result(1);
        auto result = co_await wait(future);
        co_return sizes(result);
    });
    EXPECT_EQ(text, "turn 1; turn 2; result (1, 0); turn 3; turn 4; turn 5");
    run_test([]() -> Coro<> {
        auto a = create_task(sleep_for(0.1s));
        auto b = create_task(sleep_for(0.15s));
        Seconds start = now();
        auto result = co_await wait(a, b);
        EXPECT_EQ(result.done, (std::vector{a, b}));
        EXPECT_NEAR((now() - start).count(), 0.15, 1e-9);
        auto again = co_await wait(b, a);
        EXPECT_EQ(again.done, (std::vector{b, a}));
        EXPECT_TRUE(again.pending.empty());
        EXPECT_NEAR((now() - start).count(), 0.15, 1e-9);
    });
}

std::string wait_trace(ReturnWhen return_when) {
    return trace::of(8, [return_when](Log& log) -> Coro<std::string> {
        std::vector<Task<int>> tasks;
        tasks.push_back(create_task(value(1, 1, &log), {.name = "a"}));
        tasks.push_back(create_task(sleep_for(10s), {.name = "c"}));
        tasks.push_back(create_task(failure("e", 2, &log), {.name = "e"}));
        tasks.push_back(create_task(value(2, 4, &log), {.name = "z"}));
        get_running_loop().call_soon([task = tasks[1]] { task.cancel(); });
        auto result = co_await wait(tasks, {.return_when = return_when});
        log(names(result.done) + "|" + names(result.pending));
        co_await wait(tasks);
        EXPECT_TRUE(tasks[2].exception());
        co_return "None";
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_first_completed
// CPython: test_tasks.py, BaseTaskTests.test_wait_first_exception_in_wait
// CPython: test_tasks.py, BaseTaskTests.test_wait_with_exception
TEST(Wait, ReturnsWhenItIsAskedToAndTellsWhatIsDoneThen) {
    EXPECT_EQ(
        wait_trace(FIRST_COMPLETED),
        "turn 1; turn 2; done 1; turn 3; fails e; turn 4; ace|z; turn 5; done 2; turn 6; turn 7; result None; turn 8");
    EXPECT_EQ(
        wait_trace(FIRST_EXCEPTION),
        "turn 1; turn 2; done 1; turn 3; fails e; turn 4; turn 5; ace|z; done 2; turn 6; turn 7; result None; turn 8");
    EXPECT_EQ(
        wait_trace(ALL_COMPLETED),
        "turn 1; turn 2; done 1; turn 3; fails e; turn 4; turn 5; done 2; turn 6; turn 7; acez|; turn 8; result None");
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_first_exception
TEST(Wait, ForTheFirstExceptionEndsWithATaskThatFailsInItsFirstStep) {
    run_test([]() -> Coro<> {
        auto a = create_task(sleep_for(10s));
        auto b = create_task(failure("err", 0));
        auto result = co_await wait(b, a, {.return_when = FIRST_EXCEPTION});
        EXPECT_EQ(result.done, std::vector{b});
        EXPECT_EQ(result.pending, std::vector{a});
        EXPECT_EQ(now(), Seconds(0));
        EXPECT_TRUE(b.exception());
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_really_done
TEST(Wait, CountsAsDoneWhatEndedBeforeItResumes) {
    std::string text = trace::of(6, [](Log& log) -> Coro<std::string> {
        Task<int> first = create_task(value(1, 1, &log));
        Task<int> second = create_task(value(2, 1, &log));
        auto result = co_await wait(first, second, {.return_when = FIRST_COMPLETED});
        co_return sizes(result);
    });
    EXPECT_EQ(text, "turn 1; turn 2; done 1; done 2; turn 3; turn 4; result (2, 0); turn 5; turn 6");
}

TEST(Wait, GivesChildrenTheirTurnsEvenWithATimeoutOfZero) {
    std::string text = trace::of(6, [](Log& log) -> Coro<std::string> {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 3; ++i) tasks.push_back(create_task(value(i, i, &log)));
        auto result = co_await wait(tasks, {.timeout = 0});
        co_return sizes(result);
    });
    EXPECT_EQ(text, "turn 1; done 0; turn 2; done 1; result (2, 1); turn 3; done 2; turn 4; turn 5; turn 6");
}

Coro<> wait_until_cancelled(Task<int> task, Log& log) {
    try {
        co_await wait(task, {.timeout = 5s});
    } catch (const CancelledError&) {
        log(repr(std::current_exception()));
        throw;
    }
}

// CPython: test_tasks.py, BaseTaskTests.test_yield_wait_does_not_shield_cancel
TEST(Wait, CancelledLeavesTheTasksRunningWithoutItsCallbacks) {
    std::string text = trace::of(8, [](Log& log) -> Coro<std::string> {
        auto task = create_task(value(1, 5, &log));
        auto waiting = create_task(wait_until_cancelled(task, log));
        co_await sleep(0s);
        waiting.cancel("m");
        log("cancel");
        co_await wait(waiting);
        log(std::string(waiting.cancelled() ? "True" : "False") + (task.done() ? " True" : " False"));
        log(task.state_or_null()->has_callbacks() ? "callbacks" : "None");
        co_await task;
        co_return "1";
    });
    EXPECT_EQ(text,
              "turn 1; cancel; turn 2; CancelledError('m'); turn 3; turn 4; True False; None; turn 5; turn 6; done 1; "
              "turn 7; result 1; turn 8");
}

// Python looks at the exceptions only when it has to, and so it marks them as seen only then.
TEST(Wait, RetrievesExceptionsOnlyWhenItWaitsForTheFirst) {
    std::string text = trace::of(10, [](Log& log) -> Coro<std::string> {
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& c) { log(c.message); });
        auto failing = create_task(failure("e", 0));
        auto good = create_task(value(1, 1));
        co_await wait(std::move(failing), std::move(good));
        log("-");
        failing = create_task(failure("e", 0));
        good = create_task(value(1, 1));
        co_await wait(std::move(failing), std::move(good), {.return_when = FIRST_EXCEPTION});
        get_running_loop().set_exception_handler(nullptr);
        co_return "None";
    });
    EXPECT_EQ(
        text,
        "turn 1; turn 2; turn 3; turn 4; Task exception was never retrieved; -; turn 5; turn 6; turn 7; result None; "
        "turn 8; turn 9; turn 10");
}

// The futures are done and their callbacks queued when the wait is cancelled; those callbacks still run in Python.
TEST(Wait, RetrievesExceptionsOfThePassInWhichItIsCancelled) {
    for (ReturnWhen return_when : {FIRST_EXCEPTION, ALL_COMPLETED}) {
        std::string reported;
        run_test([&]() -> Coro<> {
            EventLoop& loop = get_running_loop();
            loop.set_exception_handler([&](EventLoop&, const ExceptionContext& c) { reported += c.message + "; "; });
            {
                std::vector futures{loop.create_future<int>(), loop.create_future<int>()};
                auto waiting = create_task([](std::vector<Future<int>>& all,
                                              ReturnWhen when) -> Coro<> { co_await wait(all, {.return_when = when}); },
                                           std::ref(futures), return_when);
                co_await sleep(0s);
                waiting.cancel();
                futures[0].set_exception(ValueError("x"));
                co_await wait(waiting);
                EXPECT_TRUE(waiting.cancelled());
            }
            loop.set_exception_handler(nullptr);
        });
        EXPECT_EQ(reported, return_when == FIRST_EXCEPTION ? "" : "Future exception was never retrieved; ");
    }
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_with_timeout
// CPython: test_tasks.py, BaseTaskTests.test_wait_concurrent_complete
TEST(Wait, ReturnsAtItsTimeoutAndCancelsNothing) {
    run_test([]() -> Coro<> {
        auto a = create_task(sleep_for(0.1s));
        auto b = create_task(sleep_for(0.15s));
        auto result = co_await wait(a, b, {.timeout = 0.11s});
        EXPECT_EQ(result.done, std::vector{a});
        EXPECT_EQ(result.pending, std::vector{b});
        EXPECT_NEAR(now().count(), 0.11, 1e-9);
        co_await b;
        EXPECT_NEAR(now().count(), 0.15, 1e-9);
        auto c = create_task(sleep_for(0.1s));
        auto d = create_task(sleep_for(0.15s));
        co_await sleep(0s);
        auto coinciding = co_await wait(c, d, {.timeout = 0.1s});
        EXPECT_EQ(coinciding.done, std::vector{c});
        EXPECT_EQ(coinciding.pending, std::vector{d});
    });
}

TEST(Wait, IsOverOnceThoughItsTimeoutIsDueBeforeItResumes) {
    support::ManualClock clock;
    std::string order;
    auto main = [&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto future = loop.create_future<int>();
        auto waiting = create_task([&]() -> Coro<> {
            auto result = co_await wait(future, {.timeout = 1s});
            order += "resumed " + sizes(result) + " ";
        });
        co_await sleep(0s);
        future.set_result(1);
        loop.call_soon([&] {  // in the pass that wakes it
            clock.spend(2s);
            loop.call_soon([&] { order += "after "; });
        });
        co_await waiting;
        co_await sleep(1s);
    };
    asyncio::run(main(), {.clock = clock});
    EXPECT_EQ(order, "resumed (1, 0) after ");
}

TEST(Wait, LeavesNoTimerBehind) {
    support::ManualClock clock;
    auto main = []() -> Coro<> {
        co_await wait(create_task(sleep_for(1s)), {.timeout = 10s});
        auto cancelled = create_task([](Task<int> task) -> Coro<> { co_await wait(task, {.timeout = 20s}); },
                                     create_task(sleep_for(2s)));
        co_await sleep(0s);
        cancelled.cancel();
        co_await sleep(100s);
    };
    asyncio::run(main(), {.clock = clock});
    EXPECT_EQ(clock.jumps(), 3);  // to the ends of the three sleeps
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_duplicate_coroutines
TEST(Wait, CountsTheSameTaskOnce) {
    run_test([]() -> Coro<> {
        auto task = create_task(value(1, 1));
        auto other = create_task(value(2, 1));
        auto result = co_await wait(task, task, other);
        EXPECT_EQ(result.done, (std::vector{task, other}));
        std::vector<Task<int>> many(1000, task);
        for (int i = 0; i < 1000; ++i) many.push_back(create_task(value(i, 1)));
        many.insert(many.end(), 1000, task);
        auto more = co_await wait(many);
        EXPECT_EQ(more.done.size(), 1001U);
        EXPECT_EQ(more.done[0], task);
        EXPECT_EQ(more.done[1000], many[1999]);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_errors
// CPython: test_tasks.py, BaseTaskTests.test_wait_invalid_args
// A coroutine or another argument that is no future does not compile; a single task is allowed.
TEST(Wait, RefusesAnEmptySetAndAnUnknownReturnWhen) {
    run_test([]() -> Coro<> {
        std::vector<Task<>> none;
        EXPECT_THROW(static_cast<void>(wait(none)), ValueError);
        std::string message;
        try {
            static_cast<void>(wait(create_task(value(1, 0)), {.return_when = static_cast<ReturnWhen>(7)}));
        } catch (const ValueError& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "Invalid return_when value: 7");
        Task<int> empty;
        EXPECT_THROW(static_cast<void>(wait(empty)), RuntimeError);
        co_return;
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_generator
TEST(Wait, TakesARangeThatMakesTheTasksAsItIsReadOnce) {
    run_test([]() -> Coro<> {
        int made = 0;
        auto make = [&](int number) {
            ++made;
            return create_task(value(number, 1));
        };
        auto tasks = std::views::iota(0, 10) | std::views::transform(make);
        auto result = co_await wait(tasks, {.return_when = ALL_COMPLETED});
        EXPECT_EQ(result.done.size(), 10U);
        EXPECT_TRUE(result.pending.empty());
        EXPECT_EQ(made, 10);
        EXPECT_EQ(result.done[9].result(), 9);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_wait_with_iterator_of_tasks
TEST(Wait, TakesAnyRangeAndHandlesOfAnyType) {
    run_test([]() -> Coro<> {
        std::list<AnyTask> tasks{create_task(value(1, 1)), create_task(sleep_for(1s))};
        auto result = co_await wait(tasks);
        EXPECT_EQ(result.done.size(), 2U);
        auto future = get_running_loop().create_future();
        auto mixed = co_await wait(tasks.front(), future, {.return_when = FIRST_COMPLETED});
        static_assert(std::is_same_v<decltype(mixed), WaitResult<AnyFuture>>);
        EXPECT_EQ(mixed.done, std::vector<AnyFuture>{tasks.front()});
        EXPECT_EQ(mixed.pending, std::vector<AnyFuture>{future});
        const std::vector<Future<>> futures{future};
        auto [done, pending] = co_await wait(futures, {.timeout = 1s});
        EXPECT_TRUE(done.empty());
        EXPECT_EQ(pending, futures);
    });
}

TEST(Wait, KeepsItsOwnCopyOfTheHandles) {
    run_test([]() -> Coro<> {
        std::vector<Task<int>> tasks{create_task(value(1, 3)), create_task(value(2, 3))};
        get_running_loop().call_soon([&] { tasks.clear(); });
        auto result = co_await wait(tasks);
        EXPECT_EQ(result.done.size(), 2U);
        auto as_task = create_task([]() -> Coro<std::size_t> {
            auto inner = co_await wait(create_task(value(1, 1)));
            co_return inner.done.size();
        });
        std::size_t size = co_await as_task;
        EXPECT_EQ(size, 1U);
    });
}

TEST(Wait, ShowsWhatItWaitsFor) {
    run_test([]() -> Coro<> {
        auto task = create_task(value(1, 5));
        auto waiting = create_task([](Task<int> awaited) -> Coro<> { co_await wait(awaited); }(task));
        co_await sleep(0s);
        WaitEdge edge = static_cast<detail::TaskBase*>(waiting.state_or_null())->waiting_on()->edge();
        EXPECT_EQ(edge.kind, WaitKind::several);
        auto* awaits = static_cast<const detail::AwaitsFutures*>(edge.subject);
        EXPECT_EQ(awaits->count_awaited(), 1U);
        EXPECT_EQ(awaits->awaited(0), task.state_or_null());
        co_await waiting;
    });
}

// Proves something under ASan.
TEST(Wait, LeavesNothingWhenTheLoopGoesFirst) {
    Future<int> outlives;
    {
        EventLoop loop({.clock = VirtualClock{}});
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        outlives = loop.create_future<int>();
        loop.create_task([](Future<int> future) -> Coro<> { co_await wait(future, {.timeout = 5s}); }(outlives));
        loop.call_later(1s, [&] { loop.stop(); });
        loop.run_forever();
    }
    EXPECT_FALSE(outlives.state_or_null()->has_callbacks());
}

}  // namespace
