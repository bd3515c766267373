// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/sync/event.h>
#include <asyncio/tasks/ensure_future.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

Coro<> wait_as(std::string name, Event& event, Trace& trace) {
    try {
        bool ok = co_await event.wait();
        trace(name, ok, tail(event));
    } catch (const CancelledError&) {
        trace(name, caught(), tail(event));
    }
}

// CPython: test_locks.py, EventTests.test_clear_with_waiters
TEST(Event, MayBeSetAgainBeforeAWokenWaiterGoesOn) {
    run_test([]() -> Coro<> {
        Event event;
        bool result = false;
        auto task = create_task([&]() -> Coro<bool> {
            result = co_await event.wait();
            co_return true;
        });
        co_await sleep(0s);
        EXPECT_FALSE(result);
        event.set();
        event.clear();
        EXPECT_FALSE(event.is_set());
        event.set();
        event.set();
        EXPECT_EQ(tail(event), "[set, waiters:1]");
        co_await sleep(0s);
        EXPECT_TRUE(result);
        EXPECT_EQ(tail(event), "[set]");
        EXPECT_TRUE(task.done());
        EXPECT_TRUE(task.result());
    });
}

// CPython: test_locks.py, EventTests.test_wait
TEST(Event, WakesItsWaitersInOrderEvenIfItIsClearedAtOnce) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Event event;
        auto tasks = start_each("abc", wait_as, event, trace);
        co_await sleep(0s);
        trace(tail(event));
        auto late = start_each("d", wait_as, event, trace);
        event.set();
        event.set();
        trace(tail(event));
        co_await passes(2);
        event.clear();
        tasks = start_each("ef", wait_as, event, trace);
        co_await sleep(0s);
        event.set();
        event.clear();
        trace(tail(event));
        auto again = start_each("g", wait_as, event, trace);
        co_await passes(2);
        trace(tail(event));
        event.set();
        co_await passes(2);
        trace(tail(event), event.is_set());
    });
    EXPECT_EQ(text,
              "1:[unset, waiters:3], 1:[set, waiters:3], 2:d True [set, waiters:3], 2:a True [set, waiters:2], "
              "2:b True [set, waiters:1], 2:c True [set], 4:[unset, waiters:2], 5:e True [unset, waiters:1], "
              "5:f True [unset], 6:[unset, waiters:1], 7:g True [set], 8:[set] True");
}

// CPython: test_locks.py, EventTests.test_wait_on_set
TEST(Event, DoesNotSuspendWhoWaitsWhenItIsSet) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Event event;
        event.set();
        bool ok = co_await event.wait();
        trace(ok);
    });
    EXPECT_EQ(text, "0:True");
}

// CPython: test_locks.py, EventTests.test_wait_cancel
TEST(Event, ForgetsACancelledWaiter) {
    run_test([]() -> Coro<> {
        Event event;
        auto task = ensure_future(event.wait());
        get_running_loop().call_soon([&] { task.cancel(); });
        std::string outcome = co_await outcome_of(task);
        EXPECT_EQ(outcome, "CancelledError()");
        EXPECT_EQ(tail(event), "[unset]");
    });
}

TEST(Event, LetsACancelWinThatComesBeforeTheWokenTaskGoesOn) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Event event;
        auto tasks = start_each("abc", wait_as, event, trace);
        co_await sleep(0s);
        tasks[0].cancel("one");
        event.set();
        tasks[1].cancel("two");
        trace(tail(event));
        co_await passes(2);
        trace(tail(event));
    });
    EXPECT_EQ(
        text,
        "1:[set, waiters:3], 2:a CancelledError('one') [set, waiters:2], 2:b CancelledError('two') [set, waiters:1], "
        "2:c True [set], 3:[set]");
}

// CPython: test_locks.py, EventTests.test_clear
TEST(Event, IsAFlag) {
    Event event;
    EXPECT_FALSE(event.is_set());
    event.set();
    EXPECT_TRUE(event.is_set());
    event.clear();
    EXPECT_FALSE(event.is_set());
}

TEST(Event, BelongsToTheLoopInWhichATaskHadToWait) {
    Event event;
    auto wait = [&]() -> Coro<std::string> {
        auto task = ensure_future(event.wait());
        co_await sleep(0s);
        event.set();
        event.clear();
        co_return co_await outcome_of(task);
    };
    EXPECT_EQ(run_test(wait), "nothing");
    EXPECT_EQ(run_test(wait), "RuntimeError('" + repr(event) + " is bound to a different event loop')");
}

TEST(Event, PrintsItselfAsPythonDoes) {
    Event event;
    char address[32];
    std::snprintf(address, sizeof address, "%p", static_cast<void*>(&event));
    EXPECT_EQ(repr(event), std::string("<asyncio.locks.Event object at ") + address + " [unset]>");
    event.set();
    EXPECT_EQ(repr(event), std::string("<asyncio.locks.Event object at ") + address + " [set]>");
}

TEST(Event, MayDieAfterItHasWokenItsWaiters) {
    std::string text;
    run_test([&]() -> Coro<> {
        auto wait = [&](Event& event) -> Coro<> {
            co_await event.wait();
            text += "woken ";
        };
        Task<> first;
        Task<> second;
        {
            Event event;
            first = create_task(wait, std::ref(event));
            second = create_task(wait, std::ref(event));
            co_await sleep(0s);
            event.set();
        }
        co_await first;
        co_await second;
    });
    EXPECT_EQ(text, "woken woken ");
}

TEST(Event, CanBeSetThroughTheLoopAsAnotherThreadWould) {
    run_test([]() -> Coro<> {
        Event event;
        get_running_loop().call_soon_threadsafe([&] { event.set(); });
        EXPECT_FALSE(event.is_set());
        co_await event.wait();
        EXPECT_TRUE(event.is_set());
    });
}

}  // namespace
