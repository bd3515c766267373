#include <asyncio/tasks/concurrent_future.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/run_coroutine_threadsafe.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/to_thread.h>

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "support/run_test.h"
#include "tasks/loop_thread.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::LoopThread;
using support::on_loop;
using support::outcome;
using support::run_test;
using support::Work;

namespace {

// CPython: test_futures.py, BaseFutureTests.test_wrap_future
// CPython: test_futures.py, BaseFutureTests.test_wrap_future_use_running_loop
TEST(WrapFutureThread, AWrappingFutureGetsTheResultOnItsOwnLoop) {
    LoopThread thread;
    run_test([&]() -> Coro<> {
        std::thread::id there;
        auto body = [&](int value) -> Coro<std::string> {
            co_await sleep(1ms);
            there = std::this_thread::get_id();
            co_return std::to_string(value);
        };
        ConcurrentFuture<std::string> concurrent = run_coroutine_threadsafe(body, thread.loop(), 1);
        Future<std::string> wrapped = wrap_future(concurrent);
        EXPECT_EQ(&wrapped.get_loop(), &get_running_loop());
        EXPECT_TRUE(isfuture(wrapped));
        std::string text = co_await wrapped;
        EXPECT_EQ(text, "1");
        EXPECT_NE(there, std::this_thread::get_id());
        Future<std::string> again = wrap_future(concurrent);
        EXPECT_TRUE(again.done());  // CPython: chained at once
        text = co_await concurrent;
        EXPECT_EQ(text, "1");
    });
}

// CPython: test_futures.py, BaseFutureTests.test_wrap_future_cancel
TEST(WrapFutureThread, CancellingTheWrapperCancelsTheOtherInTheNextPass) {
    LoopThread thread;
    run_test([&]() -> Coro<> {
        auto forever = []() -> Coro<> { co_await sleep(1e9s); };
        ConcurrentFuture<> concurrent = run_coroutine_threadsafe(forever(), thread.loop());
        Future<> wrapped = wrap_future(concurrent);
        wrapped.cancel();
        EXPECT_FALSE(concurrent.cancelled());
        co_await sleep(0s);
        EXPECT_TRUE(wrapped.cancelled());
        EXPECT_TRUE(concurrent.cancelled());
    });
}

// CPython: test_futures.py, BaseFutureTests.test_wrap_future_without_loop
TEST(WrapFutureThread, CanBeWrappedOnlyWhereALoopRuns) {
    LoopThread thread;
    auto body = []() -> Coro<> { co_return; };
    ConcurrentFuture<> concurrent = run_coroutine_threadsafe(body(), thread.loop());
    EXPECT_EQ(outcome([&] { wrap_future(concurrent); }), "RuntimeError('no running event loop')");
    concurrent.result();
}

// CPython: test_futures.py, BaseFutureTests.test_wrap_future_future
TEST(WrapFutureThread, AFutureOfALoopIsWrappedAlready) {
    EventLoop loop;
    Future<int> future = loop.create_future<int>();
    EXPECT_EQ(wrap_future(future), future);
    Task<> task = loop.create_task(asyncio::sleep(0));
    EXPECT_EQ(wrap_future(task), task);
    loop.run_until_complete(task);
}

/// What a future that wraps one of another loop ends with, once that one has ended as `body` does.
template <class Body>
std::string outcome_of_wrapped(Body body) {
    LoopThread thread;
    return run_test([&]() -> Coro<std::string> {
        ConcurrentFuture<int> concurrent = run_coroutine_threadsafe(body(), thread.loop());
        EXPECT_EQ(outcome([&] { concurrent.result(); }), outcome([&] { concurrent.result(); }));
        Future<int> wrapped = wrap_future(concurrent);
        EXPECT_TRUE(wrapped.done());
        EXPECT_EQ(wrapped.cancelled(), concurrent.cancelled());
        if (!wrapped.cancelled() && !wrapped.exception()) co_return std::to_string(wrapped.result());
        co_return outcome([&] { wrapped.result(); });
    });
}

// CPython: test_futures.py, BaseFutureTests.test_copy_state
TEST(WrapFutureThread, AWrapperEndsWithTheResultTheExceptionOrTheCancellation) {
    EXPECT_EQ(outcome_of_wrapped([]() -> Coro<int> { co_return 10; }), "10");
    EXPECT_EQ(outcome_of_wrapped([]() -> Coro<int> {
                  throw InvalidStateError("x");
                  co_return 0;
              }),
              "InvalidStateError('x')");
    EXPECT_EQ(outcome_of_wrapped([]() -> Coro<int> {
                  throw CancelledError();
                  co_return 0;
              }),
              "CancelledError()");
}

// CPython: test_futures.py, BaseFutureTests.test_wrap_future_cancel2
TEST(WrapFutureThread, CancellingTheWrapperTooLateLeavesTheOtherItsResult) {
    LoopThread thread;
    run_test([&]() -> Coro<> {
        Work work;
        ConcurrentFuture<int> concurrent = run_coroutine_threadsafe(work.wait(), thread.loop());
        Future<int> wrapped = wrap_future(concurrent);
        work.begun.wait();
        on_loop(thread.loop(), [&] { work.end.set_result(42); });
        EXPECT_EQ(concurrent.result(), 42);
        EXPECT_FALSE(wrapped.done());  // this loop has not heard of it yet
        EXPECT_TRUE(wrapped.cancel());
        co_await sleep(0s);
        EXPECT_FALSE(concurrent.cancelled());
        EXPECT_EQ(concurrent.result(), 42);
        EXPECT_TRUE(wrapped.cancelled());
        on_loop(thread.loop(), [&] { work.end = {}; });
    });
}

TEST(WrapFutureThread, AwaitingItThrowsWhatItEndedWith) {
    LoopThread thread;
    run_test([&]() -> Coro<> {
        auto fail = []() -> Coro<> {
            co_await sleep(0s);
            throw ValueError("bad");
        };
        ConcurrentFuture<> failing = run_coroutine_threadsafe(fail(), thread.loop());
        try {
            co_await failing;
            ADD_FAILURE();
        } catch (const ValueError& error) {
            EXPECT_STREQ(error.what(), "bad");
        }
        auto forever = []() -> Coro<> { co_await sleep(1e9s); };
        ConcurrentFuture<> endless = run_coroutine_threadsafe(forever(), thread.loop());
        get_running_loop().call_soon([endless] { endless.cancel(); });
        Future<> wrapped = wrap_future(endless);
        try {
            co_await wrapped;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        EXPECT_TRUE(wrapped.cancelled());
    });
}

TEST(WrapFutureThread, CancellingTheTaskThatAwaitsItCancelsIt) {
    LoopThread thread;
    run_test([&]() -> Coro<> {
        auto forever = []() -> Coro<int> {
            co_await sleep(1e9s);
            co_return 1;
        };
        ConcurrentFuture<int> endless = run_coroutine_threadsafe(forever(), thread.loop());
        auto wait = [&]() -> Coro<int> { co_return co_await endless; };
        Task<int> task = create_task(wait());
        co_await sleep(0s);
        auto& state = static_cast<detail::TaskBase&>(*task.state_or_null());
        EXPECT_EQ(state.waiting_on()->edge().kind, WaitKind::thread);
        task.cancel();
        try {
            co_await task;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        EXPECT_TRUE(endless.cancelled());
        co_await sleep(3600s);  // the clock may jump again
    });
}

}  // namespace
