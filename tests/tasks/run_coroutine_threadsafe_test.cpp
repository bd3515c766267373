#include <asyncio/tasks/run_coroutine_threadsafe.h>

#include <asyncio/context/context.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/to_thread.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/run_test.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::outcome;
using support::run_test;

namespace {

enum class Ending { returns, fails, is_cancelled };

Coro<int> add(int a, int b, Ending ending = Ending::returns) {
    co_await sleep(50ms);
    if (ending == Ending::fails) throw RuntimeError("Fail!");
    if (ending == Ending::is_cancelled) {
        current_task().cancel();
        co_await sleep(0s);
    }
    co_return a + b;
}

/// What a thread does to a loop in CPython's tests.
int submit_and_wait(EventLoop* loop, Ending ending, std::optional<Seconds> timeout) {
    ConcurrentFuture<int> future = run_coroutine_threadsafe(add(1, 2, ending), *loop);
    try {
        return future.result(timeout);
    } catch (...) {
        if (!future.done()) future.cancel();
        throw;
    }
}

std::string from_a_thread(Ending ending, std::optional<Seconds> timeout = std::nullopt) {
    return run_test([&]() -> Coro<std::string> {
        try {
            int sum = co_await to_thread(submit_and_wait, &get_running_loop(), ending, timeout);
            co_return std::to_string(sum);
        } catch (...) {
            co_return support::caught();
        }
    });
}

// CPython: test_tasks.py, RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe
TEST(RunCoroutineThreadsafe, GivesTheResultToTheThread) { EXPECT_EQ(from_a_thread(Ending::returns), "3"); }

TEST(RunCoroutineThreadsafe, TakesWhatWaitsLikeACoroutine) {
    std::string text = run_test([]() -> Coro<std::string> {
        auto ask = [](EventLoop* loop) {
            return run_coroutine_threadsafe(sleep(10ms, std::string("slept")), *loop).result();
        };
        co_return co_await to_thread(ask, &get_running_loop());
    });
    EXPECT_EQ(text, "slept");
}

// CPython: test_tasks.py, RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_exception
TEST(RunCoroutineThreadsafe, GivesTheExceptionToTheThread) {
    EXPECT_EQ(from_a_thread(Ending::fails), "RuntimeError('Fail!')");
}

// CPython: test_tasks.py, RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_timeout
TEST(RunCoroutineThreadsafe, ALateResultIsATimeoutErrorAndCancellingEndsTheTask) {
    run_test([]() -> Coro<> {
        try {
            co_await to_thread(submit_and_wait, &get_running_loop(), Ending::returns, std::optional<Seconds>(0));
            ADD_FAILURE();
        } catch (const TimeoutError&) {
        }
        co_await sleep(0s);
        EXPECT_EQ(all_tasks().size(), 1u);  // this one
    });
}

// CPython: test_tasks.py, RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_cancelled
TEST(RunCoroutineThreadsafe, ACancelledTaskIsACancelledErrorInTheThread) {
    EXPECT_EQ(from_a_thread(Ending::is_cancelled), "CancelledError()");
}

// CPython: test_tasks.py, RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_factory_exception
TEST(RunCoroutineThreadsafe, AnErrorOfTheTaskFactoryIsToldToTheThreadAndToTheExceptionHandler) {
    support::Reports reports;
    EventLoop loop;
    Future<int> run = loop.run_in_executor(nullptr, submit_and_wait, &loop, Ending::returns, std::nullopt);
    reports.listen(loop);
    loop.set_task_factory([](EventLoop&, NewTask, TaskOptions) -> AnyTask { throw LookupError("no such task"); });
    EXPECT_EQ(outcome([&] { return loop.run_until_complete(run); }), "LookupError('no such task')");
    ASSERT_EQ(reports.exceptions.size(), 1u);
    EXPECT_EQ(reports.exceptions[0], "LookupError('no such task')");
    EXPECT_EQ(reports.messages[0].rfind("Exception in callback", 0), 0u);
}

// CPython: test_tasks.py, RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_and_cancel
TEST(RunCoroutineThreadsafe, CancellingTheFutureInTheLoopsThreadCancelsTheTaskAtOnce) {
    AnyTask task;
    ConcurrentFuture<> future;
    EventLoop loop({.clock = VirtualClock{}});
    auto target = [&]() -> Coro<> {
        loop.set_task_factory([&](EventLoop&, NewTask fresh, const TaskOptions& options) {
            task = fresh.start(options);
            return task;
        });
        auto ten_seconds = []() -> Coro<> { co_await sleep(10s); };
        future = run_coroutine_threadsafe(ten_seconds(), loop);
        co_await sleep(0s);
        future.cancel();
    };
    loop.run_until_complete(target());
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(future.cancelled());
}

TEST(RunCoroutineThreadsafe, AFutureCancelledBeforeTheTaskIsMadeEndsItUnrun) {
    run_test([]() -> Coro<> {
        bool ran = false;
        auto body = [&]() -> Coro<> {
            ran = true;
            co_return;
        };
        ConcurrentFuture<> future = run_coroutine_threadsafe(body(), get_running_loop());
        EXPECT_TRUE(future.cancel());
        EXPECT_TRUE(future.cancel());
        co_await sleep(0s);
        std::vector<AnyTask> tasks = all_tasks();
        EXPECT_EQ(tasks.size(), 2u);  // CPython makes the task and cancels it
        co_await sleep(0s);
        EXPECT_TRUE(tasks[1].cancelled());
        EXPECT_EQ(tasks[1].cancelling(), 1);
        EXPECT_FALSE(ran);
    });
}

TEST(RunCoroutineThreadsafe, AClosedLoopRefusesAndTheCoroutineStaysWithItsOwner) {
    EventLoop loop;
    loop.close();
    auto argument = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int>) -> Coro<> { co_return; };
    EXPECT_EQ(outcome([&] { run_coroutine_threadsafe(body(argument), loop); }), "RuntimeError('Event loop is closed')");
    EXPECT_EQ(argument.use_count(), 1);
    Coro<> coro = body(argument);
    EXPECT_EQ(outcome([&] { run_coroutine_threadsafe(std::move(coro), loop); }),
              "RuntimeError('Event loop is closed')");
    EXPECT_EQ(argument.use_count(), 2);
    run(std::move(coro));  // as in Python, it can still be run
    EXPECT_EQ(argument.use_count(), 1);
    EXPECT_EQ(outcome([&] { run_coroutine_threadsafe(body, loop, argument); }), "RuntimeError('Event loop is closed')");
    EXPECT_EQ(argument.use_count(), 1);
}

TEST(RunCoroutineThreadsafe, ALoopClosedBeforeTheWorkIsDoneCancelsTheFuture) {
    ConcurrentFuture<> waiting;
    ConcurrentFuture<> unarrived;
    std::thread thread;
    std::string told;
    {
        EventLoop loop;
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        auto forever = []() -> Coro<> { co_await sleep(1e9s); };
        waiting = run_coroutine_threadsafe(forever(), loop);
        loop.stop();
        loop.run_forever();
        EXPECT_FALSE(waiting.done());
        thread = std::thread([&] { told = outcome([&] { waiting.result(); }); });
        unarrived = run_coroutine_threadsafe(forever(), loop);
    }
    thread.join();
    EXPECT_EQ(told, "CancelledError()");
    EXPECT_TRUE(unarrived.cancelled());
}

ContextVar<int> number{"number", 0};

TEST(RunCoroutineThreadsafe, TheTaskBeginsWithTheContextOfTheThread) {
    int seen = run_test([]() -> Coro<int> {
        auto submit = [loop = &get_running_loop()] {
            number.set(5);
            auto read = []() -> Coro<int> { co_return number.get(); };
            return run_coroutine_threadsafe(read(), *loop).result();
        };
        co_return co_await to_thread(submit);
    });
    EXPECT_EQ(seen, 5);
}

TEST(RunCoroutineThreadsafe, KeepsACallableAndItsArgumentsInTheTask) {
    std::unique_ptr<int> sum = run_test([]() -> Coro<std::unique_ptr<int>> {
        EventLoop& loop = get_running_loop();
        auto submit = [&loop] {
            auto body = [one = std::make_unique<int>(1)](std::unique_ptr<int> two) -> Coro<std::unique_ptr<int>> {
                co_await sleep(1s);
                co_return std::make_unique<int>(*one + *two);
            };
            return run_coroutine_threadsafe(std::move(body), loop, std::make_unique<int>(2)).result();
        };
        co_return co_await to_thread(submit);
    });
    EXPECT_EQ(*sum, 3);
}

// CPython: test_free_threading.py, TestFreeThreading.test_run_coroutine_threadsafe
TEST(RunCoroutineThreadsafe, TenThreadsGetTheirResultsFromOneLoop) {
    int total = run_test([]() -> Coro<int> {
        std::vector<Task<int>> tasks;
        EventLoop* loop = &get_running_loop();
        for (int i = 0; i < 10; ++i)
            tasks.push_back(create_task(to_thread(submit_and_wait, loop, Ending::returns, std::nullopt)));
        int sum = 0;
        for (const Task<int>& task : tasks) {
            int one = co_await task;
            sum += one;
        }
        co_return sum;
    });
    EXPECT_EQ(total, 30);
}

// CPython: test_free_threading.py, TestFreeThreading.test_run_coroutine_threadsafe_exception
TEST(RunCoroutineThreadsafe, TenThreadsGetTheirExceptionsFromOneLoop) {
    run_test([]() -> Coro<> {
        std::vector<Task<int>> tasks;
        EventLoop* loop = &get_running_loop();
        for (int i = 0; i < 10; ++i)
            tasks.push_back(create_task(to_thread(submit_and_wait, loop, Ending::fails, std::nullopt)));
        for (const Task<int>& task : tasks) {
            try {
                co_await task;
                ADD_FAILURE();
            } catch (const RuntimeError& error) {
                EXPECT_STREQ(error.what(), "Fail!");
            }
        }
    });
}

TEST(RunCoroutineThreadsafe, AThreadThatWaitsForTheLoopDoesNotStopItsVirtualClock) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        auto an_hour = []() -> Coro<int> {
            co_await sleep(3600s);
            co_return 1;
        };
        auto wait = [&] {
            int sum = run_coroutine_threadsafe(an_hour(), loop).result();
            return sum + run_coroutine_threadsafe(an_hour(), loop).result(3601s);  // an hour is no real time either
        };
        int sum = co_await to_thread(wait);
        EXPECT_EQ(sum, 2);
        EXPECT_EQ(loop.time() - start, Seconds(7200));
        co_await sleep(1s);
        EXPECT_EQ(loop.time() - start, Seconds(7201));
    });
}

TEST(RunCoroutineThreadsafe, ATimeLimitInAThreadOfTheLoopIsOneOfItsVirtualClock) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        auto an_hour = []() -> Coro<> { co_await sleep(3600s); };
        auto wait = [&] {
            ConcurrentFuture<> future = run_coroutine_threadsafe(an_hour(), loop);
            std::string told = outcome([&] { future.result(1800s); });
            future.cancel();
            return told;
        };
        std::string told = co_await to_thread(wait);
        EXPECT_EQ(told, "TimeoutError()");
        EXPECT_EQ(loop.time() - start, Seconds(1800));
    });
}

TEST(RunCoroutineThreadsafe, AnExceptionAfterTheFutureWasCancelledIsReported) {
    support::Reports reports;
    run_test([&]() -> Coro<> {
        reports.listen(get_running_loop());
        auto stubborn = []() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
            }
            throw ValueError("too late");
        };
        ConcurrentFuture<> future = run_coroutine_threadsafe(stubborn(), get_running_loop());
        co_await sleep(1s);
        future.cancel();
        co_await sleep(1s);
        EXPECT_TRUE(future.cancelled());
    });
    EXPECT_EQ(reports.str(), "Task exception was never retrieved: ValueError('too late')");
}

}  // namespace
