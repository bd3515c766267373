// Timeouts in timeouts. Traces with pass numbers were recorded from CPython 3.14.10.
#include "support/manual_clock.h"
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using namespace support;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

TimePoint now() { return get_running_loop().time(); }
int cancelling() { return current_task().cancelling(); }
Coro<> sleep_long(Timeout&) { co_await sleep(3600s); }

// CPython: test_timeouts.py, TimeoutTests.test_nested_timeouts
TEST(Timeout, OfTwoWithTheSameDeadlineOnlyTheOuterThrowsTimeoutError) {
    run_test([]() -> Coro<> {
        auto deadline = now() + 10ms;
        Timeout outer = timeout_at(deadline);
        Timeout inner = timeout_at(deadline);
        std::string inside;
        auto thrown = co_await outcome_of(with(outer, [&]() -> Coro<> {
            try {
                co_await with(inner, sleep_long);
            } catch (const CancelledError&) {
                inside = caught();
                throw;
            }
        }));
        EXPECT_EQ(inside, "CancelledError()");
        EXPECT_EQ(thrown, "TimeoutError()");
        EXPECT_TRUE(outer.expired());
        EXPECT_TRUE(inner.expired());
        EXPECT_EQ(cancelling(), 0);
    });
}

TEST(Timeout, OfTwoWithTheSameDeadlineTheInnerSeesBothRequests) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto deadline = now();
        Timeout inner = timeout_at(deadline);
        auto thrown = co_await outcome_of(with(timeout_at(deadline), [&]() -> Coro<> {
            try {
                co_await with(inner, sleep_long);
            } catch (const CancelledError&) {
                trace("inner", caught(), cancelling(), repr(inner));
                throw;
            }
        }));
        trace("outer", thrown, cancelling());
    });
    EXPECT_EQ(text, "2:inner CancelledError() 1 <Timeout [expired]>, 2:outer TimeoutError() 0");
}

/// What the inner and the outer of two blocks threw, after the body kept the loop busy for so long.
std::string nested_outcome(Seconds outer, Seconds inner, Seconds busy) {
    ManualClock clock;
    std::string text;
    auto body = [&](Timeout&) -> Coro<> {
        clock.spend(busy);
        co_await sleep(1s);
    };
    auto both = [&](Timeout&) -> Coro<> {
        try {
            co_await with(timeout(inner), body);
        } catch (const TimeoutError&) {
            text += "inner " + caught() + ", ";
        } catch (const CancelledError&) {
            text += "inner " + caught() + " " + std::to_string(cancelling()) + ", ";
            throw;
        }
        co_await sleep(10s);
    };
    auto main = [&]() -> Coro<> {
        auto thrown = co_await outcome_of(with(timeout(outer), both));
        text += "outer " + thrown + " " + std::to_string(cancelling());
    };
    asyncio::run(main(), {.clock = clock});
    return text;
}

// CPython: test_timeouts.py, TimeoutTests.test_nested_timeouts_concurrent
// CPython: test_timeouts.py, TimeoutTests.test_nested_timeouts_loop_busy
TEST(Timeout, NestedOnesThatExpireWhileTheLoopIsBusyEachEndTheirBlock) {
    EXPECT_EQ(nested_outcome(2ms, 100ms, 10ms), "inner CancelledError() 1, outer TimeoutError() 0");
    EXPECT_EQ(nested_outcome(100ms, 10ms, 50ms), "inner TimeoutError(), outer TimeoutError() 0");
    EXPECT_EQ(nested_outcome(100ms, 10ms, 150ms), "inner CancelledError() 1, outer TimeoutError() 0");
}

// CPython: test_timeouts.py, TimeoutTests.test_nested_timeout_in_finally
TEST(Timeout, WorksInTheCleanUpOfAnother) {
    std::exception_ptr first;
    std::exception_ptr inner_cause;
    std::exception_ptr outer_cause;
    run_test([&]() -> Coro<> {
        auto body = [&](Timeout&) -> Coro<> {
            try {
                co_await sleep(1s);
            } catch (...) {
                first = std::current_exception();
            }
            try {
                co_await with(timeout(10ms), sleep_long);
            } catch (const TimeoutError& error) {
                inner_cause = error.cause();
            }
            std::rethrow_exception(first);
        };
        try {
            co_await with(timeout(10ms), body);
        } catch (const TimeoutError& error) {
            outer_cause = error.cause();
        }
        EXPECT_EQ(cancelling(), 0);
    });
    EXPECT_EQ(repr(first), "CancelledError()");
    EXPECT_EQ(outer_cause, first);
    EXPECT_EQ(repr(inner_cause), "CancelledError()");
    EXPECT_NE(inner_cause, first);
}

}  // namespace
