// The states of a Timeout: rescheduling, misuse, repr. Traces with pass numbers were recorded from CPython 3.14.10.
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

// CPython: test_timeouts.py, TimeoutTests.test_reschedule
TEST(TimeoutStates, CanBeRescheduledFromAnotherTask) {
    run_test([]() -> Coro<> {
        auto entered = get_running_loop().create_future<Timeout*>();
        auto first = now() + 10s;
        auto second = first + 20s;
        auto task = create_task([&]() -> Coro<> {
            co_await with(timeout_at(first), [&](Timeout& limit) -> Coro<> {
                entered.set_result(&limit);
                co_await sleep(50s);
            });
        });
        Timeout* limit = co_await entered;
        EXPECT_EQ(limit->when(), first);
        limit->reschedule(second);
        EXPECT_EQ(limit->when(), second);
        co_await sleep(15s);
        EXPECT_FALSE(limit->expired());
        limit->reschedule(std::nullopt);
        EXPECT_EQ(limit->when(), std::nullopt);
        co_await sleep(20s);
        EXPECT_FALSE(limit->expired());
        task.cancel();
        auto waiting = [&]() -> Coro<> { co_await task; };
        auto thrown = co_await outcome_of(waiting());
        EXPECT_EQ(thrown, "CancelledError()");
    });
}

TEST(TimeoutStates, RescheduledIntoThePastExpiresInTheNextPass) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Timeout limit = timeout(std::nullopt);
        co_await with(limit, [&](Timeout&) -> Coro<> {
            trace(repr(limit));
            limit.reschedule(now() - 1s);
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                trace("cancelled");
            }
            trace(outcome([&] { limit.reschedule(std::nullopt); }));
        });
        trace(repr(limit), cancelling());
    });
    EXPECT_EQ(text,
              "0:<Timeout [active] when=None>, 2:cancelled, 2:RuntimeError('Cannot change state of expiring "
              "Timeout'), 2:<Timeout [expired]> 0");
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_already_entered
// CPython: test_timeouts.py, TimeoutTests.test_timeout_double_enter
// CPython: test_timeouts.py, TimeoutTests.test_timeout_finished
TEST(TimeoutStates, CanBeEnteredOnlyOnce) {
    run_test([]() -> Coro<> {
        Timeout limit = timeout(10ms);
        co_await with(limit, [&](Timeout&) -> Coro<> {
            auto again = co_await outcome_of(with(limit, [] {}));
            EXPECT_EQ(again, "RuntimeError('Timeout has already been entered')");
        });
        auto again = co_await outcome_of(with(limit, [] {}));
        EXPECT_EQ(again, "RuntimeError('Timeout has already been entered')");
        EXPECT_EQ(outcome([&] { limit.reschedule(now() + 20ms); }),
                  "RuntimeError('Cannot change state of finished Timeout')");
        EXPECT_EQ(outcome([&] { Timeout moved(std::move(limit)); }),
                  "RuntimeError('Timeout cannot be moved, since it has been entered')");
    });
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_expired
// CPython: test_timeouts.py, TimeoutTests.test_timeout_expiring
TEST(TimeoutStates, CannotBeRescheduledOnceItHasExpired) {
    run_test([]() -> Coro<> {
        Timeout expired = timeout(10ms);
        auto thrown = co_await outcome_of(with(expired, sleep_long));
        EXPECT_EQ(thrown, "TimeoutError()");
        EXPECT_EQ(outcome([&] { expired.reschedule(now()); }),
                  "RuntimeError('Cannot change state of expired Timeout')");

        co_await with(timeout(10ms), [](Timeout& expiring) -> Coro<> {
            try {
                co_await sleep(1s);
            } catch (const CancelledError&) {
            }
            EXPECT_EQ(outcome([&] { expiring.reschedule(now()); }),
                      "RuntimeError('Cannot change state of expiring Timeout')");
        });
    });
}

// CPython: test_timeouts.py, TimeoutTests.test_timeout_not_entered
// CPython: test_timeouts.py, TimeoutTests.test_timeout_without_task
TEST(TimeoutStates, NeedsATaskAndToBeEntered) {
    EXPECT_EQ(outcome([] { return timeout(1s); }), "RuntimeError('no running event loop')");
    EventLoop loop({.clock = VirtualClock{}});
    std::string entering;
    std::string rescheduling;
    loop.call_soon([&] {
        Timeout limit = timeout(10ms);
        entering = outcome([&] { limit.aenter(); });
        rescheduling = outcome([&] { limit.reschedule(now()); });
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(entering, "RuntimeError('Timeout should be used inside a task')");
    EXPECT_EQ(rescheduling, "RuntimeError('Timeout has not been entered')");
}

// CPython: test_timeouts.py, TimeoutTests.test_repr_active
// CPython: test_timeouts.py, TimeoutTests.test_repr_expired
// CPython: test_timeouts.py, TimeoutTests.test_repr_finished
// CPython: test_timeouts.py, TimeoutTests.test_repr_disabled
TEST(TimeoutStates, HasPythonsRepr) {
    run_test([]() -> Coro<> {
        Timeout limit = timeout_at(TimePoint() + 12.3456s);
        EXPECT_EQ(repr(limit), "<Timeout [created]>");
        co_await with(limit, [&] { EXPECT_EQ(repr(limit), "<Timeout [active] when=12.346>"); });
        EXPECT_EQ(repr(limit), "<Timeout [finished]>");
        Timeout expired = timeout(10ms);
        co_await outcome_of(with(expired, sleep_long));
        EXPECT_EQ(repr(expired), "<Timeout [expired]>");
        co_await with(timeout(std::nullopt),
                      [](Timeout& endless) { EXPECT_EQ(repr(endless), "<Timeout [active] when=None>"); });
    });
}

// Ties between two milliseconds, exact as floats. Found by random programs.
TEST(TimeoutStates, HasAReprRoundedToTheEvenMillisecondAsInPython) {
    run_test([]() -> Coro<> {
        Timeout down = timeout_at(TimePoint() + Seconds(195.3125));
        co_await with(down, [&] { EXPECT_EQ(repr(down), "<Timeout [active] when=195.312>"); });
        Timeout up = timeout_at(TimePoint() + Seconds(195.4375));
        co_await with(up, [&] { EXPECT_EQ(repr(up), "<Timeout [active] when=195.438>"); });
    });
}

TEST(TimeoutStates, DroppedWhileItIsActiveDoesNothingMore) {
    run_test([]() -> Coro<> {
        for (Seconds delay : {Seconds(1), Seconds(0)}) {
            Timeout limit = timeout(delay);
            limit.aenter();
        }
        co_await sleep(10s);
        EXPECT_EQ(cancelling(), 0);
        Timeout never_entered = timeout(1s);
        EXPECT_EQ(outcome([&] { never_entered.aexit(nullptr); }),
                  "RuntimeError('Timeout is not being run: nothing to leave')");
    });
}

}  // namespace
