// Traces with pass numbers were recorded from CPython 3.14.10.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::caught;
using support::outcome;
using support::outcome_of;
using support::run_test;
using support::Trace;
using support::trace_of;

TimePoint now() { return get_running_loop().time(); }
int cancelling() { return current_task().cancelling(); }
Coro<> sleep_long(Timeout&) { co_await sleep(3600s); }

// CPython: test_timeouts.py, TimeoutTests.test_timeout_basic
// CPython: test_timeouts.py, TimeoutTests.test_outer_task_is_not_cancelled
TEST(Timeout, ThrowsTimeoutErrorAtTheDeadline) {
    run_test([]() -> Coro<> {
        auto task = create_task([]() -> Coro<> {
            auto begin = now();
            Timeout limit = timeout(10ms);
            std::string thrown = co_await outcome_of(with(limit, sleep_long));
            EXPECT_EQ(thrown, "TimeoutError()");
            EXPECT_TRUE(limit.expired());
            EXPECT_EQ(now(), begin + 10ms);
            EXPECT_EQ(cancelling(), 0);
        });
        co_await task;
        EXPECT_FALSE(task.cancelled());
    });
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_at_basic
TEST(Timeout, AtAMomentDoesTheSame) {
    run_test([]() -> Coro<> {
        auto deadline = now() + 10ms;
        Timeout limit = timeout_at(deadline);
        std::string thrown = co_await outcome_of(with(limit, sleep_long));
        EXPECT_EQ(thrown, "TimeoutError()");
        EXPECT_TRUE(limit.expired());
        EXPECT_EQ(limit.when(), deadline);
    });
}

TEST(Timeout, ErrorIsCausedByTheCancelledErrorWhichTellsTheLine) {
    unsigned line = 0;
    unsigned asked_at = 0;
    run_test([&]() -> Coro<> {
        try {
            asked_at = std::source_location::current().line() + 1;
            Timeout limit = timeout(1s);
            co_await with(limit, sleep_long);
        } catch (const TimeoutError& error) {
            const auto* cause = exception_cast<CancelledError>(error.cause());
            line = cause != nullptr ? cause->requested_at().line() : 0;
        }
    });
    EXPECT_EQ(line, asked_at);
}

// CPython: test_timeouts.py, TimeoutTests.test_waiter_cancelled
TEST(Timeout, LetsTheBodySeeCancelledError) {
    std::string inside;
    std::string outside;
    run_test([&]() -> Coro<> {
        outside = co_await outcome_of(with(timeout(10ms), [&]() -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                inside = caught();
                throw;
            }
        }));
    });
    EXPECT_EQ(inside, "CancelledError()");
    EXPECT_EQ(outside, "TimeoutError()");
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_not_called
TEST(Timeout, LeavesABodyAloneThatEndsInTime) {
    run_test([]() -> Coro<> {
        auto deadline = now() + 10s;
        Timeout limit = timeout(10s);
        co_await with(limit, [](Timeout&) -> Coro<> { co_await sleep(10ms); });
        EXPECT_FALSE(limit.expired());
        EXPECT_EQ(limit.when(), deadline);
        co_await sleep(20s);
        EXPECT_EQ(cancelling(), 0);
    });
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_disabled
// CPython: test_timeouts.py, TimeoutTests.test_timeout_at_disabled
TEST(Timeout, OfNoneNeverExpires) {
    run_test([]() -> Coro<> {
        Timeout limit = timeout(std::nullopt);
        Timeout limit_at = timeout_at(std::nullopt);
        co_await with(limit, [](Timeout&) -> Coro<> { co_await sleep(1000s); });
        co_await with(limit_at, [](Timeout&) -> Coro<> { co_await sleep(1000s); });
        EXPECT_FALSE(limit.expired());
        EXPECT_EQ(limit.when(), std::nullopt);
        EXPECT_FALSE(limit_at.expired());
        EXPECT_EQ(limit_at.when(), std::nullopt);
    });
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_zero
// CPython: test_timeouts.py, TimeoutTests.test_timeout_zero_sleep_zero
// CPython: test_timeouts.py, TimeoutTests.test_timeout_in_the_past_sleep_zero
TEST(Timeout, OfZeroOrLessExpiresWhereTheBodySuspendsFirst) {
    run_test([]() -> Coro<> {
        for (Seconds delay : {Seconds(0), Seconds(-11)}) {
            for (Seconds pause : {Seconds(10), Seconds(0)}) {
                auto begin = now();
                Timeout limit = timeout(delay);
                auto thrown = co_await outcome_of(with(limit, [&]() -> Coro<> { co_await sleep(pause); }));
                EXPECT_EQ(thrown, "TimeoutError()");
                EXPECT_TRUE(limit.expired());
                EXPECT_EQ(limit.when(), begin + delay);
                EXPECT_EQ(now(), begin);
            }
        }
    });
}

TEST(Timeout, OfZeroInterruptsEvenOneSleepZero) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto thrown = co_await outcome_of(with(timeout(0), [&](Timeout& limit) -> Coro<> {
            trace("body");
            try {
                co_await sleep(0);
            } catch (const CancelledError&) {
                trace(caught(), repr(limit), cancelling());
                throw;
            }
        }));
        trace("main", thrown, cancelling());
    });
    EXPECT_EQ(text, "0:body, 1:CancelledError() <Timeout [expiring]> 1, 1:main TimeoutError() 0");
}

TEST(Timeout, OfZeroStandsInTheReadyQueueFromItsEntryOn) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto& loop = get_running_loop();
        loop.call_soon([&] { trace("before"); });
        auto thrown = co_await outcome_of(with(timeout(0), [&](Timeout&) -> Coro<> {
            loop.call_soon([&] { trace("after"); });
            co_await sleep(10s);
        }));
        trace(thrown);
    });
    EXPECT_EQ(text, "1:before, 1:after, 2:TimeoutError()");
}

TEST(Timeout, OfZeroDoesNotInterruptABodyThatNeverSuspends) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Timeout limit = timeout(0);
        co_await with(limit, [&] { trace("body"); });
        trace(repr(limit));
        co_await sleep(0);
        trace("on");
        co_await sleep(0);
    });
    EXPECT_EQ(text, "0:body, 0:<Timeout [finished]>, 1:on");
}

TEST(Timeout, AddsNoPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto main = create_task([&]() -> Coro<> {
            co_await with(timeout(10s), [&](Timeout&) -> Coro<> {
                co_await future;
                trace("resumed");
            });
            trace("left");
        });
        co_await sleep(0);
        future.set_result();
        co_await main;
    });
    EXPECT_EQ(text, "2:resumed, 2:left");
}

// CPython: test_timeouts.py, TimeoutTests.test_foreign_exception_passed
TEST(Timeout, LetsOtherExceptionsPass) {
    run_test([]() -> Coro<> {
        Timeout limit = timeout(10ms);
        auto thrown = co_await outcome_of(with(limit, []() -> Coro<> {
            throw LookupError("mine");
            co_return;
        }));
        EXPECT_EQ(thrown, "LookupError('mine')");
        EXPECT_FALSE(limit.expired());
        Timeout late = timeout(10ms);
        thrown = co_await outcome_of(with(late, []() -> Coro<> {
            try {
                co_await sleep(1s);
            } catch (const CancelledError&) {
            }
            throw LookupError("clean-up");
        }));
        EXPECT_EQ(thrown, "LookupError('clean-up')");
        EXPECT_TRUE(late.expired());
        EXPECT_EQ(cancelling(), 0);
    });
}

// CPython: test_timeouts.py, TimeoutTests.test_foreign_cancel_doesnt_timeout_if_not_expired
TEST(Timeout, LetsAnOrdinaryCancelPass) {
    run_test([]() -> Coro<> {
        Timeout limit = timeout(10s);
        auto task = create_task(with(limit, []() -> Coro<> {
            current_task().cancel();
            co_await sleep(10s);
        }));
        auto waiting = [&]() -> Coro<> { co_await task; };
        auto thrown = co_await outcome_of(waiting());
        EXPECT_EQ(thrown, "CancelledError()");
        EXPECT_FALSE(limit.expired());
    });
}

TEST(Timeout, ThatExpiresWithACancelFromOutsideLetsThatPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto main = create_task([&]() -> Coro<> {
            auto thrown = co_await outcome_of(with(timeout(0), sleep_long));
            trace("main", thrown, cancelling());
        });
        co_await sleep(0);
        main.cancel("mine");
        co_await main;
    });
    EXPECT_EQ(text, "2:main CancelledError('mine') 1");
}

TEST(Timeout, TakesAnyCancelledErrorThatLeavesAnExpiringBlock) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto future = get_running_loop().create_future();
        auto thrown = co_await outcome_of(with(timeout(0), [&](Timeout&) -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
            }
            future.cancel("other");
            co_await future;
        }));
        trace("main", thrown, cancelling());
    });
    EXPECT_EQ(text, "2:main TimeoutError() 0");
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_after_cancellation
// CPython: test_timeouts.py, TimeoutTests.test_cancel_in_timeout_after_cancellation
TEST(Timeout, TellsItsOwnRequestFromAnOlderSwallowedOne) {
    run_test([]() -> Coro<> {
        auto swallow = []() -> Coro<> {
            current_task().cancel();
            try {
                co_await sleep(1s);
            } catch (const CancelledError&) {
            }
        };
        auto task = create_task([&]() -> Coro<> {
            co_await swallow();
            auto thrown = co_await outcome_of(with(timeout(0.0), sleep_long));
            EXPECT_EQ(thrown, "TimeoutError()");
            EXPECT_EQ(cancelling(), 1);
            thrown = co_await outcome_of(with(timeout(1.0), [](Timeout&) -> Coro<> {
                current_task().cancel();
                co_await sleep(2s);
            }));
            EXPECT_EQ(thrown, "CancelledError()");
            EXPECT_EQ(cancelling(), 2);
        });
        co_await task;
    });
}

}  // namespace
