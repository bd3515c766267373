// Taking requests to cancel back. Every trace in this file was recorded from CPython 3.14.10.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

// CPython: test_tasks.py, BaseTaskTests.test_uncancel_resets_must_cancel
TEST(TaskUncancel, ToZeroDropsACancelNotDeliveredYet) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        auto task = create_task([&]() -> Coro<int> {
            int value = co_await future;
            trace("value", value);
            co_await sleep(0);
            co_return 9;
        });
        co_await sleep(0);
        future.set_result(4);
        task.cancel();
        trace(task.uncancel());
        int value = co_await task;
        trace(value);
    });
    EXPECT_EQ(text, "1:0, 2:value 4, 4:9");
}

TEST(TaskUncancel, AboveZeroDropsNothing) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto task = create_task([&]() -> Coro<> {
            try {
                co_await sleep(0);
                trace("on");
            } catch (const CancelledError&) {
                trace(caught());
            }
        });
        co_await sleep(0);
        task.cancel("a");
        task.cancel("b");
        trace(task.uncancel());
        co_await task;
        trace(task.cancelling(), task.cancelled());
    });
    EXPECT_EQ(text, "1:1, 2:CancelledError('b'), 3:1 False");
}

TEST(TaskUncancel, CannotBringBackAFutureThatWasCancelled) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        auto task = create_task([&]() -> Coro<> {
            try {
                co_await future;
            } catch (const CancelledError&) {
                trace(caught(), current_task().cancelling());
            }
        });
        co_await sleep(0);
        task.cancel("a");
        trace(task.uncancel());
        co_await task;
    });
    EXPECT_EQ(text, "1:0, 2:CancelledError('a') 0");
}

// CPython: test_tasks.py, BaseTaskTests.test_uncancel_basic
TEST(TaskUncancel, MakesTheTaskFitForAnotherCancel) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<int> {
            try {
                co_await sleep(10);
            } catch (const CancelledError&) {
                current_task().uncancel();
            }
            co_await sleep(10);
            co_return 1;
        });
        co_await sleep(0);
        task.cancel();
        EXPECT_EQ(repr(task).find("<Task cancelling "), 0U) << repr(task);
        EXPECT_EQ(task.cancelling(), 1);
        EXPECT_FALSE(task.cancelled());
        co_await sleep(0);
        co_await sleep(0);
        EXPECT_EQ(repr(task).find("<Task pending "), 0U) << repr(task);
        EXPECT_EQ(task.cancelling(), 0);
        EXPECT_FALSE(task.cancelled());
        EXPECT_FALSE(task.done());
        task.cancel();
        EXPECT_EQ(task.cancelling(), 1);
        std::string end;
        try {
            co_await task;
        } catch (const CancelledError&) {
            end = caught();
        }
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_TRUE(task.cancelled());
        EXPECT_EQ(task.uncancel(), 0);
        EXPECT_TRUE(task.cancelled());
        EXPECT_FALSE(task.cancel());
        EXPECT_EQ(task.cancelling(), 0);
    });
}

/// A hand-written timeout block, as in the test of CPython: its own cancel becomes a TimeoutError.
class Block {
public:
    explicit Block(Seconds delay) : task_(current_task()) {
        handle_ = get_running_loop().call_later(delay, [this] {
            fired_ = true;
            task_.cancel();
        });
    }
    ~Block() { handle_.cancel(); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    /// Called with the CancelledError that ended the block.
    bool is_mine() { return fired_ && task_.uncancel() == 0; }

private:
    AnyTask task_;
    TimerHandle handle_;
    bool fired_ = false;
};

TEST(TaskUncancel, TheCountStaysWhereItsSixteenBitsEnd) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<> { co_await get_running_loop().create_future<void>(); });
        co_await sleep(0);
        for (int i = 0; i < 65'534; ++i) task.cancel();
        EXPECT_EQ(task.cancelling(), 65'534);
        for (int i = 0; i < 10; ++i) EXPECT_TRUE(task.cancel());
        EXPECT_EQ(task.cancelling(), 65'535);
        EXPECT_EQ(task.uncancel(), 65'534);
        bool was_cancelled = false;
        try {
            co_await task;
        } catch (const CancelledError&) {
            was_cancelled = true;
        }
        EXPECT_TRUE(was_cancelled);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_uncancel_structured_blocks
TEST(TaskUncancel, LetsABlockTakeItsOwnCancelBack) {
    run_test([]() -> Coro<> {
        bool timed_out = false;
        bool block_ended = false;
        bool outer_code_ran = false;
        auto body = [&](Seconds limit, Seconds work) -> Coro<> {
            timed_out = block_ended = outer_code_ran = false;
            try {
                Block block(limit);
                try {
                    co_await sleep(work);
                    block_ended = true;
                } catch (const CancelledError&) {
                    if (!block.is_mine()) throw;
                    throw TimeoutError();
                }
            } catch (const TimeoutError&) {
                timed_out = true;
            }
            co_await sleep(0.1);
            outer_code_ran = true;
        };
        auto task = create_task(body(0.1, 10));
        co_await task;
        EXPECT_TRUE(timed_out);
        EXPECT_FALSE(block_ended);
        EXPECT_TRUE(outer_code_ran);
        EXPECT_EQ(task.cancelling(), 0);
        EXPECT_FALSE(task.cancelled());

        auto in_time = create_task(body(10, 0));
        co_await in_time;
        EXPECT_FALSE(timed_out);
        EXPECT_TRUE(block_ended);
        EXPECT_TRUE(outer_code_ran);
        EXPECT_EQ(in_time.cancelling(), 0);

        auto second = create_task(body(0.1, 10));
        co_await sleep(0.05);
        second.cancel();  // somebody else's
        std::string end;
        try {
            co_await second;
        } catch (const CancelledError&) {
            end = caught();
        }
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_FALSE(timed_out);
        EXPECT_FALSE(outer_code_ran);
        EXPECT_EQ(second.cancelling(), 1);
        EXPECT_TRUE(second.cancelled());
    });
}

}  // namespace
