#include "loop/loop_core.h"
#include "loop/timer_heap.h"
#include "support/manual_clock.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

// CPython: test_base_events.py, BaseEventLoopTests.test_call_later
// CPython: test_events.py, EventLoopTestsMixin.test_call_later
TEST(Timers, RunInTheOrderOfTheirMomentsWithTheirArguments) {
    EventLoop loop({.clock = VirtualClock{}});
    std::string order;
    loop.call_later(
        300ms,
        [&](char name) {
        order += name;
        loop.stop();
        },
        'c');
    loop.call_later(
        0.1, [&](char name) { order += name; }, 'a');
    loop.call_later(0.2s, [&] { order += 'b'; });
    loop.run_forever();
    EXPECT_EQ(order, "abc");
    EXPECT_EQ(loop.time(), TimePoint::from_nanoseconds(300'000'000));
}

TEST(Timers, OfTheSameInstantRunInTheOrderTheyWereScheduled) {
    EventLoop loop({.clock = VirtualClock{}});
    std::string order;
    TimePoint moment = loop.time() + 1s;
    for (char name : {'a', 'b', 'c', 'd', 'e', 'f'}) loop.call_at(moment, [&order, name] { order += name; });
    loop.call_at(moment, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(order, "abcdef");
}

// CPython: test_base_events.py, BaseEventLoopTests.test_call_later_negative_delays
TEST(Timers, OverdueOnesRunByTheirMomentNotByRegistration) {
    EventLoop loop({.clock = VirtualClock{TimePoint::from_nanoseconds(5'000'000'000)}});
    std::string order;
    loop.call_later(-1, [&] { order += 'a'; });
    loop.call_later(-2, [&] { order += 'b'; });
    loop.call_soon([&] { order += 's'; });
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(order, "sba");  // what call_soon queued comes first
}

TEST(Timers, WithNoDelayRunInTheNextPass) {
    EventLoop loop;  // on the real clock: this must not depend on how time passes
    std::string order;
    loop.call_soon([&] {
        loop.call_later(0, [&] {
            order += 't';
            loop.stop();
        });
        loop.call_soon([&] { order += 's'; });
    });
    loop.run_forever();
    EXPECT_EQ(order, "st");
}

// CPython: test_base_events.py, BaseEventLoopTests.test_time_and_call_at
TEST(Timers, NeverFireEarlyOnTheRealClock) {
    EventLoop loop;
    TimePoint due = loop.time() + 2ms;
    TimePoint fired;
    loop.call_at(due, [&] {
        fired = loop.time();
        loop.stop();
    });
    loop.run_forever();
    EXPECT_GE(fired, due);
}

// CPython: test_events.py, EventLoopTestsMixin.test_timeout_rounding
TEST(Timers, OfAFractionOfAMillisecondDoNotMakeTheLoopSpin) {
    EventLoop loop;
    auto wait = [&]() -> Coro<std::uint64_t> {
        std::uint64_t before = loop.core().passes();
        for (double delay : {1e-2, 1e-4, 1e-6, 1e-8, 1e-10}) co_await asyncio::sleep(delay);
        co_return loop.core().passes() - before;
    };
    EXPECT_LE(loop.run_until_complete(wait()), 20U);
}

// CPython: test_events.py, TimerTests.test_when
// CPython: test_events.py, TimerTests.test_timer
// CPython: test_events.py, HandleTests.test_handle
TEST(Timers, HandlesTellTheirMomentAndDropTheCallbackWhenCancelled) {
    EventLoop loop({.clock = VirtualClock{}});
    auto held = std::make_shared<int>(1);
    TimerHandle handle = loop.call_at(loop.time() + 10s, [held] { FAIL(); });
    EXPECT_EQ(handle.when(), loop.time() + 10s);
    EXPECT_FALSE(handle.cancelled());
    EXPECT_EQ(held.use_count(), 2);
    handle.cancel();
    handle.cancel();
    EXPECT_TRUE(handle.cancelled());
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(handle.when(), TimePoint::from_nanoseconds(10'000'000'000));
    EXPECT_EQ(repr(handle), "<TimerHandle cancelled when=10.0>");
}

TEST(Timers, ACallbackCancelledInItsOwnPassDoesNotRun) {
    EventLoop loop;
    std::string order;
    Handle second;
    loop.call_soon([&] {
        order += 'a';
        second.cancel();
    });
    second = loop.call_soon([&] { order += 'b'; });
    Handle third = loop.call_soon([&] { order += 'c'; });
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(order, "ac");
    third.cancel();
    EXPECT_TRUE(third.cancelled());  // after the run it is harmless, and says so
}

TEST(Timers, ACallbackMayCancelItself) {
    EventLoop loop;
    auto held = std::make_shared<int>(7);
    long owners = 0;
    Handle handle;
    handle = loop.call_soon([&, held] {
        handle.cancel();
        owners = held.use_count();  // what it keeps is still there
    });
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(owners, 2);
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Timers, AnEndlessDelayNeverComes) {
    EventLoop loop({.clock = VirtualClock{}});
    bool fired = false;
    TimerHandle never = loop.call_later(std::numeric_limits<double>::infinity(), [&] { fired = true; });
    loop.call_later(1h, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_FALSE(fired);
    EXPECT_EQ(loop.time(), TimePoint::from_nanoseconds(3'600'000'000'000));
}

TEST(Timers, TimeStandsStillWhileAnythingCanRun) {
    auto main = []() -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        loop.call_later(1s, [] {});
        for (int i = 0; i < 1000; ++i) co_await asyncio::sleep(0);
        EXPECT_EQ(loop.time(), start);
        co_await asyncio::sleep(1h);
        EXPECT_EQ(loop.time() - start, Seconds(3600));
    };
    run(main(), {.clock = VirtualClock{}});
}

TEST(Timers, ASleepOfLessThanANanosecondTakesOne) {
    run(
        []() -> Coro<> {
            TimePoint start = get_running_loop().time();
            co_await sleep(1e-12);
            EXPECT_EQ((get_running_loop().time() - start).count(), 1e-9);
            double due = start.seconds() + 0.1 + 0.2 + 1e-10;  // as a rate limiter has it
            for (int rounds = 0; get_running_loop().time().seconds() < due; ++rounds) {
                if (rounds == 10) {
                    ADD_FAILURE() << "time stands still";
                    co_return;
                }
                co_await sleep(due - get_running_loop().time().seconds());
            }
        }(),
        {.clock = VirtualClock{}});
}

TEST(Timers, AClockOfYoursTellsTheTime) {
    support::ManualClock clock;
    EventLoop loop({.clock = clock});
    auto main = []() -> Coro<> {
        co_await asyncio::sleep(1h);
        co_await asyncio::sleep(1h);
    };
    loop.run_until_complete(main());
    EXPECT_EQ(clock.jumps(), 2);
    EXPECT_EQ(loop.time(), TimePoint() + 2h);
}

// The heap against a sort by moment and then by order of arrival, with removals in between.
TEST(TimerHeap, GivesItsNodesInOrderWhateverIsRemoved) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        detail::TimerHeap heap;
        constexpr std::size_t count = 300;
        std::vector<std::unique_ptr<detail::TimerNode>> nodes;
        std::vector<std::tuple<std::int64_t, std::size_t, detail::TimerNode*>> expected;
        for (std::size_t i = 0; i < count; ++i) {
            nodes.push_back(std::make_unique<detail::TimerNode>());
            std::int64_t when = random() % 20;
            heap.add(when, *nodes.back());
            expected.emplace_back(when, i, nodes.back().get());
            if (random() % 3 == 0) {
                std::size_t victim = random() % expected.size();
                heap.remove(*std::get<2>(expected[victim]));
                EXPECT_FALSE(std::get<2>(expected[victim])->is_scheduled());
                heap.remove(*std::get<2>(expected[victim]));  // harmless
                expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(victim));
            }
        }
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(heap.size(), expected.size());
        for (auto& [when, added, node] : expected) {
            EXPECT_EQ(heap.first_when(), when);
            EXPECT_EQ(&heap.pop_first(), node);
        }
        EXPECT_TRUE(heap.empty());
    }
}

TEST(Seconds, TakeDurationsAndPlainNumbers) {
    EXPECT_EQ(Seconds(1500ms).count(), 1.5);
    EXPECT_EQ(Seconds(2).count(), 2.0);
    EXPECT_EQ(Seconds(0.25).count(), 0.25);
    TimePoint start = TimePoint::from_nanoseconds(1'000'000'000);
    EXPECT_EQ(start + 1ns, TimePoint::from_nanoseconds(1'000'000'001));
    EXPECT_EQ(start - 1s, TimePoint());
    EXPECT_EQ((start + 1s) - start, Seconds(1));
    EXPECT_EQ(start + Seconds(1e300), TimePoint::from_nanoseconds(std::numeric_limits<std::int64_t>::max()));
    EXPECT_EQ(start + Seconds(-1e300), TimePoint::from_nanoseconds(std::numeric_limits<std::int64_t>::min()));
}

}  // namespace
