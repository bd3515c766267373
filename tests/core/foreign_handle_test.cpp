// Operations of other libraries that destroy the handle which they were given, and awaiters that cannot be moved.
#include "support/run_test.h"
#include "support/thread_gate.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/foreign.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <coroutine>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

const std::string dropped =
    "RuntimeError('the operation of another library was dropped before it had an outcome: its handle was destroyed')";

struct Parked {
    explicit Parked(std::coroutine_handle<>& place) : handle(place) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { handle = waiting; }
    int await_resume() const { return 1; }
    std::coroutine_handle<>& handle;
};

TEST(ForeignHandle, DestroyedByItsOperationEndsTheWaitByAnError) {
    run_test([]() -> Coro<> {
        std::coroutine_handle<> handle;
        auto wait = [&]() -> Coro<> { co_await Parked(handle); };
        Task<> task = create_task(wait());
        co_await sleep(0);
        handle.destroy();
        std::string outcome = co_await support::outcome_of(task);
        EXPECT_EQ(outcome, dropped);
    });
}

TEST(ForeignHandle, DestroyedBeforeAwaitSuspendReturnsEndsTheWaitAtOnce) {
    struct DestroysIt {
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> handle) const { handle.destroy(); }
        int await_resume() const { return 1; }
    };
    run_test([]() -> Coro<> {
        support::Trace trace;
        try {
            co_await DestroysIt();
        } catch (...) {
            trace(support::caught());
        }
        EXPECT_EQ(trace.str(), "0:" + dropped);
    });
}

TEST(ForeignHandle, DestroyedAfterTheTaskWasCancelledDoesNothing) {
    run_test([]() -> Coro<> {
        std::coroutine_handle<> handle;
        auto wait = [&]() -> Coro<> { co_await Parked(handle); };
        Task<> task = create_task(wait());
        co_await sleep(0);
        task.cancel();
        co_await sleep(0);
        EXPECT_TRUE(task.cancelled());
        handle.destroy();
        co_await sleep(0);
    });
}

TEST(ForeignHandleThread, MayBeDestroyedOnAnotherThreadAlsoWhenTheLoopIsGone) {
    std::coroutine_handle<> late;
    run_test([&]() -> Coro<> {
        std::coroutine_handle<> handle;
        auto wait = [](std::coroutine_handle<>& place) -> Coro<> { co_await Parked(place); };
        Task<> task = create_task(wait(handle));
        create_task(wait(late));
        co_await sleep(0);
        std::thread thread([&] { handle.destroy(); });
        std::string outcome = co_await support::outcome_of(task);
        EXPECT_EQ(outcome, dropped);
        thread.join();
    });
    std::thread([&] { late.destroy(); }).join();
}

/// As operations of a mutex are that link themselves into its line.
class Pinned {
public:
    explicit Pinned(std::coroutine_handle<>& place) : handle_(place), self_(this) {}
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { handle_ = waiting; }
    int await_resume() const {
        EXPECT_EQ(self_, this);
        return 7;
    }

private:
    std::coroutine_handle<>& handle_;
    Pinned* self_;
};
struct GivesPinned {
    explicit GivesPinned(std::coroutine_handle<>& place) : handle(place) {}
    GivesPinned(const GivesPinned&) = delete;
    Pinned operator co_await() const { return Pinned(handle); }
    std::coroutine_handle<>& handle;
};
struct FreePinned {
    explicit FreePinned(std::coroutine_handle<>& place) : handle(place) {}
    FreePinned(const FreePinned&) = delete;
    std::coroutine_handle<>& handle;
};
Pinned operator co_await(const FreePinned& free) { return Pinned(free.handle); }
struct Lines {
    Pinned lock() { return Pinned(handle); }
    std::coroutine_handle<> handle;
};

TEST(ForeignHandle, OfAnAwaiterThatCannotBeMovedIsAwaitedWhereItStands) {
    run_test([]() -> Coro<> {
        Lines lines;
        auto resume_soon = [&] { get_running_loop().call_soon([&] { lines.handle.resume(); }); };
        resume_soon();
        int value = co_await Pinned(lines.handle);
        EXPECT_EQ(value, 7);
        resume_soon();
        value = co_await lines.lock();
        EXPECT_EQ(value, 7);
        resume_soon();
        value = co_await GivesPinned(lines.handle);
        EXPECT_EQ(value, 7);
        resume_soon();
        value = co_await FreePinned(lines.handle);
        EXPECT_EQ(value, 7);
        Pinned named(lines.handle);
        resume_soon();
        value = co_await named;
        EXPECT_EQ(value, 7);
    });
}

// It dies with the frame that waits, and the operation refers to it.
TEST(ForeignHandle, OfAnAwaiterThatCannotBeMovedHoldsACancellationBackUntilItsEnd) {
    run_test([]() -> Coro<> {
        std::coroutine_handle<> handle;
        auto wait = [&]() -> Coro<> {
            co_await Pinned(handle);
            ADD_FAILURE();
        };
        Task<> task = create_task(wait());
        co_await sleep(0);
        task.cancel("enough");
        co_await support::passes(3);
        EXPECT_FALSE(task.done());
        handle.resume();
        std::string outcome = co_await support::outcome_of(task);
        EXPECT_EQ(outcome, "CancelledError('enough')");
    });
}

}  // namespace
