#include <asyncio/tasks/concurrent_future.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/run_coroutine_threadsafe.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/to_thread.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "support/run_test.h"
#include "tasks/loop_thread.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::LoopThread;
using support::on_loop;
using support::outcome;
using support::run_test;
using support::Work;

namespace {

TEST(ConcurrentFutureThread, TellsItsStateAndItsResult) {
    LoopThread thread;
    Work work;
    ConcurrentFuture<int> future = run_coroutine_threadsafe(work.wait(), thread.loop());
    EXPECT_FALSE(future.done());
    EXPECT_FALSE(future.cancelled());
    EXPECT_FALSE(future.running());  // as in Python, however long the task has run
    EXPECT_EQ(outcome([&] { return future.result(0s); }), "TimeoutError()");
    EXPECT_EQ(outcome([&] { return future.result(-1); }), "TimeoutError()");
    EXPECT_EQ(outcome([&] { return future.exception(1ms); }), "TimeoutError()");
    EXPECT_NE(repr(future).find(" state=pending>"), std::string::npos);
    work.begun.wait();
    on_loop(thread.loop(), [&] { work.end.set_result(42); });
    EXPECT_EQ(future.result(), 42);
    EXPECT_EQ(future.exception(), nullptr);
    EXPECT_TRUE(future.done());
    EXPECT_FALSE(future.running());
    EXPECT_FALSE(future.cancel());
    EXPECT_NE(repr(future).find(" state=finished returned int>"), std::string::npos);
    on_loop(thread.loop(), [&] { work.end = {}; });
}

TEST(ConcurrentFutureThread, GivesTheSameExceptionToEverybody) {
    LoopThread thread;
    auto fail = []() -> Coro<> {
        throw ValueError("bad");
        co_return;
    };
    ConcurrentFuture<> future = run_coroutine_threadsafe(fail(), thread.loop());
    EXPECT_EQ(repr(future.exception()), "ValueError('bad')");
    EXPECT_EQ(future.exception(), future.exception());
    EXPECT_EQ(outcome([&] { future.result(5s); }), "ValueError('bad')");
    EXPECT_FALSE(future.cancel());
    EXPECT_NE(repr(future).find(" state=finished raised ValueError>"), std::string::npos);
}

TEST(ConcurrentFutureThread, CancelWakesAllWhoWaitAndEndsTheTask) {
    LoopThread thread;
    Gate begun;
    Gate ended;
    auto forever = [&]() -> Coro<> {
        begun.open();
        try {
            co_await sleep(1e9s);
        } catch (const CancelledError&) {
            ended.open();
            throw;
        }
    };
    ConcurrentFuture<> future = run_coroutine_threadsafe(forever(), thread.loop());
    begun.wait();
    std::string told[2];
    std::thread first([&] { told[0] = outcome([&] { future.result(); }); });
    std::thread second([&] { told[1] = outcome([&] { static_cast<void>(future.exception()); }); });
    EXPECT_TRUE(future.cancel());
    first.join();
    second.join();
    EXPECT_EQ(told[0], "CancelledError()");
    EXPECT_EQ(told[1], "CancelledError()");
    EXPECT_TRUE(future.cancelled());
    EXPECT_TRUE(future.done());
    EXPECT_TRUE(future.cancel());
    ended.wait();
}

TEST(ConcurrentFutureThread, CallsBackInOrderInTheThreadThatEndsItOrAtOnce) {
    LoopThread thread;
    Work work;
    std::string order;
    std::thread::id where;
    ConcurrentFuture<int> future = run_coroutine_threadsafe(work.wait(), thread.loop());
    future.add_done_callback([&](const ConcurrentFuture<int>& done) {
        where = std::this_thread::get_id();
        order += "a" + std::to_string(done.result());
    });
    auto owned = std::make_unique<int>(7);
    Gate called;
    future.add_done_callback([&, kept = std::move(owned)](const ConcurrentFuture<int>&) {
        order += "b" + std::to_string(*kept);
        called.open();
    });
    std::thread::id loop_thread;
    work.begun.wait();
    on_loop(thread.loop(), [&] {
        loop_thread = std::this_thread::get_id();
        work.end.set_result(1);
    });
    called.wait();
    EXPECT_EQ(where, loop_thread);
    future.add_done_callback([&](const ConcurrentFuture<int>& done) {
        EXPECT_TRUE(done == future);
        where = std::this_thread::get_id();
        order += "c";
    });
    EXPECT_EQ(where, std::this_thread::get_id());
    EXPECT_EQ(order, "a1b7c");
    on_loop(thread.loop(), [&] { work.end = {}; });
}

std::string logged;

TEST(ConcurrentFutureThread, LogsWhatACallbackThrowsAndCallsTheOthers) {
    logged.clear();
    LogHandler before = set_log_handler([](LogLevel level, std::string_view message) {
        EXPECT_EQ(level, LogLevel::error);
        logged += message;
    });
    {
        LoopThread thread;
        bool called = false;
        auto forever = []() -> Coro<> { co_await sleep(1e9s); };
        ConcurrentFuture<> future = run_coroutine_threadsafe(forever(), thread.loop());
        future.add_done_callback([](const ConcurrentFuture<>&) { throw ValueError("oops"); });
        future.add_done_callback([&](const ConcurrentFuture<>&) { called = true; });
        future.cancel();
        EXPECT_TRUE(called);
        on_loop(thread.loop(), [] {});
    }
    set_log_handler(before);
    EXPECT_EQ(logged.rfind("exception calling callback for <Future at 0x", 0), 0u);
    EXPECT_NE(logged.find(" state=cancelled>\nValueError: oops"), std::string::npos);
}

TEST(ConcurrentFutureThread, WaitingInTheLoopsOwnThreadThrowsInsteadOfHanging) {
    run_test([]() -> Coro<> {
        auto body = []() -> Coro<> { co_await sleep(1s); };
        ConcurrentFuture<> future = run_coroutine_threadsafe(body(), get_running_loop());
        EXPECT_EQ(outcome([&] { future.result(); }).rfind("RuntimeError('waiting for a coroutine", 0), 0u);
        EXPECT_EQ(outcome([&] { future.result(1ms); }), "TimeoutError()");
        co_await future;
        future.result();
    });
}

TEST(ConcurrentFutureThread, AnEmptyHandleSaysSo) {
    ConcurrentFuture<int> empty;
    EXPECT_FALSE(empty);
    EXPECT_EQ(outcome([&] { return empty.done(); }).rfind("RuntimeError('this handle is empty", 0), 0u);
}

TEST(ConcurrentFutureThread, ItsLoopMayBeGoneBeforeItAndTheLoopThatAwaitsIt) {
    std::optional<LoopThread> thread(std::in_place);
    Work work;
    ConcurrentFuture<int> future = run_coroutine_threadsafe(work.wait(), thread->loop());
    {
        EventLoop closed;
        closed.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        auto wait = [&]() -> Coro<int> { co_return co_await future; };
        Task<int> task = closed.create_task(wait());
        closed.stop();
        closed.run_forever();
    }
    Gate ended;
    future.add_done_callback([&](const ConcurrentFuture<int>&) { ended.open(); });
    work.begun.wait();
    on_loop(thread->loop(), [&] {
        work.end.set_result(1);
        work.end = {};
    });
    ended.wait();
    thread.reset();
    EXPECT_EQ(future.result(), 1);
}

TEST(ConcurrentFutureThread, CancellingAndEndingMayMeet) {
    LoopThread thread;
    for (int i = 0; i < 200; ++i) {
        auto body = [i]() -> Coro<int> {
            if (i % 2 == 0) co_await sleep(0s);
            co_return 1;
        };
        ConcurrentFuture<int> future = run_coroutine_threadsafe(body, thread.loop());
        std::atomic<int> calls = 0;
        Gate called;
        future.add_done_callback([&](const ConcurrentFuture<int>&) {
            ++calls;
            called.open();
        });
        if (i % 3 == 0) std::this_thread::yield();
        bool cancelled = future.cancel();
        called.wait();
        EXPECT_EQ(outcome([&] { return future.result(); }), cancelled ? "CancelledError()" : "nothing");
        EXPECT_EQ(calls, 1);
    }
}

}  // namespace
