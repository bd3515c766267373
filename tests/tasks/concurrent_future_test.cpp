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
#include <vector>

#include "support/run_test.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::outcome;
using support::run_test;

namespace {

/// A loop that runs in a thread of its own.
class LoopThread {
public:
    LoopThread() : thread_([this] { run(); }) { started_.wait(); }
    ~LoopThread() {
        loop_->call_soon_threadsafe([this] { stop_.set_result(); });
        thread_.join();
    }
    EventLoop& loop() { return *loop_; }

private:
    void run() {
        auto main = [this]() -> Coro<> {
            loop_ = &get_running_loop();
            stop_ = loop_->create_future<>();
            started_.open();
            co_await stop_;
            stop_ = {};
        };
        asyncio::run(main());
    }
    EventLoop* loop_ = nullptr;
    Future<> stop_;
    Gate started_;
    std::thread thread_;
};

/// Ends when it is told to.
struct Work {
    Future<int> end;
    Gate begun;
    Coro<int> wait() {
        end = get_running_loop().create_future<int>();
        begun.open();
        co_return co_await end;
    }
};

template <class F>
void on_loop(EventLoop& loop, F&& function) {
    Gate done;
    loop.call_soon_threadsafe([&] {
        function();
        done.open();
    });
    done.wait();
}

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

// CPython: test_futures.py, BaseFutureTests.test_wrap_future
// CPython: test_futures.py, BaseFutureTests.test_wrap_future_use_running_loop
TEST(ConcurrentFutureThread, AWrappingFutureGetsTheResultOnItsOwnLoop) {
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
TEST(ConcurrentFutureThread, CancellingTheWrapperCancelsTheOtherInTheNextPass) {
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
TEST(ConcurrentFutureThread, CanBeWrappedOnlyWhereALoopRuns) {
    LoopThread thread;
    auto body = []() -> Coro<> { co_return; };
    ConcurrentFuture<> concurrent = run_coroutine_threadsafe(body(), thread.loop());
    EXPECT_EQ(outcome([&] { wrap_future(concurrent); }), "RuntimeError('no running event loop')");
    concurrent.result();
}

// CPython: test_futures.py, BaseFutureTests.test_wrap_future_future
TEST(ConcurrentFutureThread, AFutureOfALoopIsWrappedAlready) {
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
TEST(ConcurrentFutureThread, AWrapperEndsWithTheResultTheExceptionOrTheCancellation) {
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
TEST(ConcurrentFutureThread, CancellingTheWrapperTooLateLeavesTheOtherItsResult) {
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

TEST(ConcurrentFutureThread, AwaitingItThrowsWhatItEndedWith) {
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

TEST(ConcurrentFutureThread, CancellingTheTaskThatAwaitsItCancelsIt) {
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
