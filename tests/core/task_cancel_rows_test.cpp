#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

// CPython: test_tasks.py, BaseTaskTests.test_cancel_with_message_then_future_result
// CPython: test_tasks.py, BaseTaskTests.test_cancel_with_message_then_future_exception
TEST(TaskCancelMessage, ArrivesAsItWasGiven) {
    for (std::optional<std::string_view> message : {std::optional<std::string_view>(), {"my message"}, {""}}) {
        for (bool ask_for_exception : {false, true}) {
            run_test([&]() -> Coro<> {
                auto task = create_task([]() -> Coro<> { co_await sleep(10); });
                co_await sleep(0);
                task.cancel(message);
                bool seen = false;
                std::optional<std::string> got;
                try {
                    co_await sleep(0);
                    EXPECT_TRUE(task.done());
                    if (ask_for_exception) {
                        static_cast<void>(task.exception());
                    } else {
                        task.result();
                    }
                } catch (const CancelledError& error) {
                    seen = true;
                    got = error.message();
                }
                EXPECT_TRUE(seen);
                EXPECT_EQ(got.has_value(), message.has_value());
                EXPECT_EQ(got.value_or("none"), message.value_or("none"));
            });
        }
    }
}

// CPython: test_tasks.py, BaseTaskTests.test_cancelling
TEST(TaskCancelRows, ATaskThatIsBeingCancelledSaysSo) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<> { co_await sleep(10); });
        EXPECT_EQ(task.cancelling(), 0);
        EXPECT_EQ(repr(task).find("<Task pending "), 0U) << repr(task);
        EXPECT_TRUE(task.cancel());
        EXPECT_EQ(task.cancelling(), 1);
        EXPECT_EQ(repr(task).find("<Task cancelling "), 0U) << repr(task);
        EXPECT_TRUE(task.cancel());
        std::string end = co_await outcome_of(task);
        EXPECT_EQ(end, "CancelledError()");
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_cancel_yield
TEST(TaskCancelRows, ATaskCancelledWhileItYieldsIsCancelled) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<int> {
            co_await sleep(0);
            co_await sleep(0);
            co_return 12;
        });
        co_await sleep(0);
        task.cancel();
        std::string end = co_await outcome_of(task);
        EXPECT_EQ(end, "CancelledError()");
        EXPECT_TRUE(task.done());
        EXPECT_TRUE(task.cancelled());
        EXPECT_FALSE(task.cancel());
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_stop_while_run_in_complete
TEST(TaskCancelRows, ATaskWhoseLoopWasStoppedStaysUsable) {
    EventLoop loop({.clock = VirtualClock{}});
    int waited = 0;
    auto body = [&]() -> Coro<> {
        while (waited < 10) {
            co_await sleep(0.1);
            if (++waited == 2) loop.stop();
        }
    };
    auto task = loop.create_task(body());
    EXPECT_EQ(outcome([&] { loop.run_until_complete(task); }),
              "RuntimeError('Event loop stopped before Future completed.')");
    EXPECT_FALSE(task.done());
    EXPECT_EQ(waited, 2);
    task.cancel();
    EXPECT_EQ(outcome([&] { loop.run_until_complete(task); }), "CancelledError()");
}

TEST(TaskCancelRows, ALoopThatDiesInTheMiddleOfEverythingLeaksNothing) {
    EventLoop loop({.clock = VirtualClock{}});
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    auto shared = loop.create_future<int>();
    auto wait = [](Future<int> future) -> Coro<int> { co_return co_await future; };
    auto chain = [](Task<int> inner) -> Coro<int> { co_return co_await inner; };
    auto sleeper = []() -> Coro<> { co_await sleep(5); };
    auto yielder = []() -> Coro<> {
        for (;;) co_await sleep(0);
    };
    auto inner = loop.create_task(wait(shared));
    auto outer = loop.create_task(chain(inner));
    auto sleeping = loop.create_task(sleeper());
    auto cancelled = loop.create_task(sleeper());
    auto yielding = loop.create_task(yielder());
    outer.add_done_callback([inner](Task<int>) {});
    for (int i = 0; i < 3; ++i) {
        loop.stop();
        loop.run_forever();
    }
    shared.set_result(3);             // its waiter is in the ready queue
    EXPECT_TRUE(cancelled.cancel());  // and so is this one
    EXPECT_TRUE(outer.cancel());
    loop.create_task(sleeper());
}

/// Does what a user's destructor may do, at a bad moment.
class Meddler {
public:
    explicit Meddler(std::function<void()> deed) : deed_(std::move(deed)) {}
    ~Meddler() { deed_(); }
    Meddler(const Meddler&) = delete;
    Meddler& operator=(const Meddler&) = delete;

private:
    std::function<void()> deed_;
};

TEST(TaskCancelRows, DestructorsMayMeddleWithOtherTasksWhileTheLoopDies) {
    int meddled = 0;
    Task<> first;
    Task<> second;
    Future<> future;
    {
        EventLoop loop({.clock = VirtualClock{}});
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        future = loop.create_future();
        auto body = [&]() -> Coro<> {
            Meddler meddler([&] {
                ++meddled;
                first.cancel("bye");
                second.cancel("bye");
                if (!future.done()) future.set_result();
                EXPECT_FALSE(repr(first).empty());
                static_cast<void>(first.get_stack());
                static_cast<void>(all_tasks(loop));
            });
            if (first == current_task()) {
                co_await sleep(10);
            } else {
                co_await future;
            }
        };
        first = loop.create_task(body);
        second = loop.create_task(body);
        loop.stop();
        loop.run_forever();
    }
    EXPECT_EQ(meddled, 2);
    EXPECT_TRUE(future.done());
}

TEST(TaskCancelRows, ADestructorMayCancelItsOwnTaskAtTheVeryEnd) {
    run_test([]() -> Coro<> {
        auto body = []() -> Coro<int> {
            Meddler meddler([self = current_task()] { EXPECT_TRUE(self.cancel("at the end")); });
            co_return 1;
        };
        auto task = create_task(body());
        std::string end;
        try {
            co_await task;
        } catch (const CancelledError&) {
            end = caught();
        }
        EXPECT_EQ(end, "CancelledError('at the end')");
    });
}

}  // namespace
