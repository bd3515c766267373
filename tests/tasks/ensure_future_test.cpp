#include <asyncio/tasks/ensure_future.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <coroutine>
#include <string>
#include <type_traits>
#include <utility>

#include "support/run_test.h"

namespace {

using namespace asyncio;
using asyncio::sleep;  // not the one of <unistd.h>
using support::outcome;
using support::run_test;

const std::string other_loop =
    "ValueError('The future belongs to a different loop than the one specified as the loop argument')";

Coro<std::string> ok() { co_return "ok"; }

// CPython: test_tasks.py, BaseTaskTests.test_ensure_future_coroutine
TEST(EnsureFuture, MakesATaskOfACoroutineOnTheLoopGivenOrRunning) {
    EventLoop loop;
    Task<std::string> task = ensure_future(ok(), {.loop = &loop});
    EXPECT_EQ(&task.get_loop(), &loop);
    EXPECT_FALSE(task.done());
    EXPECT_EQ(loop.run_until_complete(task), "ok");
    EXPECT_EQ(task.result(), "ok");

    EXPECT_EQ(outcome([] { ensure_future(ok()); }), "RuntimeError('no running event loop')");

    auto in_loop = [](EventLoop* given) -> Coro<Task<std::string>> { co_return ensure_future(ok(), {.loop = given}); };
    for (EventLoop* given : {static_cast<EventLoop*>(nullptr), &loop}) {
        task = loop.run_until_complete(in_loop(given));
        EXPECT_EQ(&task.get_loop(), &loop);
        EXPECT_EQ(loop.run_until_complete(task), "ok");
    }
    EventLoop other;
    task = loop.run_until_complete(in_loop(&other));
    EXPECT_EQ(&task.get_loop(), &other);
    EXPECT_EQ(other.run_until_complete(task), "ok");
}

// CPython: test_base_events.py, BaseEventLoopTests.test_create_task_error_closes_coro
TEST(EnsureFuture, ClosesTheCoroutineThatAClosedLoopRefuses) {
    EventLoop loop;
    loop.close();
    auto kept = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int>) -> Coro<> { co_return; };
    EXPECT_EQ(outcome([&] { ensure_future(body(kept), {.loop = &loop}); }), "RuntimeError('Event loop is closed')");
    EXPECT_EQ(kept.use_count(), 1);
}

// CPython: test_tasks.py, BaseTaskTests.test_ensure_future_future
// CPython: test_tasks.py, BaseTaskTests.test_ensure_future_error_msg
TEST(EnsureFuture, ReturnsTheVeryFutureUnlessAnotherLoopIsNamed) {
    EventLoop loop;
    auto future = loop.create_future<std::string>();
    future.set_result("ko");
    Future<std::string> same = ensure_future(future);
    EXPECT_EQ(same, future);
    EXPECT_EQ(loop.run_until_complete(same), "ko");
    EXPECT_EQ(ensure_future(future, {.loop = &loop}), future);
    AnyFuture any = future;
    EXPECT_EQ(ensure_future(any, {.loop = &loop}), future);

    EventLoop other;
    EXPECT_EQ(outcome([&] { ensure_future(future, {.loop = &other}); }), other_loop);
    EXPECT_EQ(outcome([&] { ensure_future(any, {.loop = &other}); }), other_loop);
}

// CPython: test_tasks.py, BaseTaskTests.test_ensure_future_task
TEST(EnsureFuture, ReturnsTheVeryTaskUnlessAnotherLoopIsNamed) {
    EventLoop loop;
    Task<std::string> task = loop.create_task(ok());
    Task<std::string> same = ensure_future(task);
    EXPECT_EQ(same, task);
    EXPECT_EQ(loop.run_until_complete(same), "ok");
    EXPECT_EQ(ensure_future(task, {.loop = &loop}), task);
    AnyTask any = task;
    EXPECT_EQ(ensure_future(any, {.loop = &loop}), task);

    EventLoop other;
    EXPECT_EQ(outcome([&] { ensure_future(task, {.loop = &other}); }), other_loop);
    EXPECT_EQ(outcome([&] { ensure_future(any, {.loop = &other}); }), other_loop);
}

/// What a user's class may be that can be awaited.
struct Wrapper {
    Coro<std::string> coro;
    auto operator co_await() && { return std::move(coro).operator co_await(); }
};
struct Ready {
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    std::string await_resume() const { return "ready"; }
};

// CPython: test_tasks.py, BaseTaskTests.test_ensure_future_awaitable
TEST(EnsureFuture, MakesATaskOfAnyAwaitable) {
    EventLoop loop;
    Task<std::string> wrapping = ensure_future(Wrapper{ok()}, {.loop = &loop});
    EXPECT_EQ(loop.run_until_complete(wrapping), "ok");
    Task<std::string> foreign = ensure_future(Ready(), {.loop = &loop});
    EXPECT_EQ(loop.run_until_complete(foreign), "ready");
}

// CPython: test_tasks.py, BaseTaskTests.test_ensure_future_task_awaitable
TEST(EnsureFuture, RunsAnAwaitableInACoroutine) {
    run_test([]() -> Coro<> {
        Task<std::string> task = ensure_future(sleep(0, std::string("ok")));
        EXPECT_TRUE(task.get_coro());
        EXPECT_EQ(task.get_coro().repr().find("<coroutine object "), 0U);
        std::string value = co_await task;
        EXPECT_EQ(value, "ok");
        EXPECT_TRUE(task.done());
    });
}

// What is neither is refused, with words: tests/messages compiles ensure_future("ok") and one of a number.
// CPython: test_tasks.py, BaseTaskTests.test_ensure_future_neither
static_assert(!Awaitable<const char*> && !Awaitable<std::string> && !Awaitable<int> && Awaitable<Coro<>>);

}  // namespace
