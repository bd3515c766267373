#include <asyncio/tasks/try_finally.h>

#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::caught;
using support::outcome;
using support::run_test;

std::string events;
void note(const std::string& event) { events += (events.empty() ? "" : ", ") + event; }

class TryFinally : public testing::Test {
protected:
    TryFinally() { events.clear(); }
};

Coro<> say(std::string text) {
    co_await sleep(1s);
    note(text);
}

Coro<int> value_after(int value) {
    co_await sleep(1s);
    note("body");
    co_return value;
}

Coro<std::string> text_after(std::string text) {
    co_await sleep(1s);
    co_return text;
}

Coro<std::unique_ptr<int>> unique_value() {
    co_await sleep(1s);
    co_return std::make_unique<int>(7);
}

template <class Error>
Coro<> fail(std::string text) {
    co_await sleep(1s);
    throw Error(text);
}

/// "ValueError('b') <- LookupError('a')": what is thrown, with its contexts.
template <class Function>
std::string thrown_chain(Function function) {
    try {
        run_test(function);
    } catch (...) {
        std::string text;
        for (auto error = std::current_exception(); error; error = context_of(error)) {
            text += (text.empty() ? "" : " <- ") + repr(error);
        }
        return text;
    }
    return "nothing";
}

TEST_F(TryFinally, AwaitsTheCleanUpAfterTheBodyAndGivesTheBodysValue) {
    int value = run_test([]() -> Coro<int> {
        int result = co_await try_finally([] { return value_after(42); }, [] { return say("clean-up"); });
        note("after");
        co_return result;
    });
    EXPECT_EQ(value, 42);
    EXPECT_EQ(events, "body, clean-up, after");
}

TEST_F(TryFinally, TakesPlainFunctionsCoroutinesAndAwaitables) {
    run_test([]() -> Coro<> {
        int plain = co_await try_finally([] { return 1; }, [] { note("plain"); });
        EXPECT_EQ(plain, 1);
        int awaited = co_await try_finally(value_after(2), say("awaitable"));
        EXPECT_EQ(awaited, 2);
        auto moved = co_await try_finally([] { return std::make_unique<int>(3); }, sleep(1s));
        EXPECT_EQ(*moved, 3);
        auto clean_up = [text = std::string("a name that is long enough to be allocated")]() -> Coro<> {
            co_await sleep(1s);
            note(text);
        };
        co_await try_finally(sleep(1s), clean_up);
        int kept = 4;
        int& reference = co_await try_finally([&]() -> Coro<int&> { co_return kept; }, [] {});
        EXPECT_EQ(&reference, &kept);
    });
    EXPECT_EQ(events, "plain, body, awaitable, a name that is long enough to be allocated");
}

TEST_F(TryFinally, ThrowsWhatTheBodyThrewAfterTheCleanUp) {
    EXPECT_EQ(thrown_chain([]() -> Coro<> { co_await try_finally(fail<ValueError>("body"), say("clean-up")); }),
              "ValueError('body')");
    EXPECT_EQ(events, "clean-up");
    EXPECT_EQ(thrown_chain([]() -> Coro<> { co_await try_finally([] { throw LookupError("plain"); }, [] {}); }),
              "LookupError('plain')");
}

TEST_F(TryFinally, ThrowsWhatTheCleanUpThrowsWithTheBodysErrorAsItsContext) {
    EXPECT_EQ(
        thrown_chain([]() -> Coro<> { co_await try_finally(fail<LookupError>("body"), fail<ValueError>("clean-up")); }),
        "ValueError('clean-up') <- LookupError('body')");
    EXPECT_EQ(thrown_chain([]() -> Coro<> {
                  co_await try_finally(fail<LookupError>("body"), [] { throw ValueError("plain"); });
              }),
              "ValueError('plain') <- LookupError('body')");
    EXPECT_EQ(thrown_chain([]() -> Coro<> { co_await try_finally(sleep(0s), fail<ValueError>("alone")); }),
              "ValueError('alone')");
    EXPECT_EQ(thrown_chain([]() -> Coro<> {
                  auto inner = [] { return try_finally(fail<LookupError>("1"), fail<ValueError>("2")); };
                  co_await try_finally(inner, fail<TypeError>("3"));
              }),
              "TypeError('3') <- ValueError('2') <- LookupError('1')");
}

TEST_F(TryFinally, RunsTheCleanUpToItsEndWhenTheBodyIsCancelled) {
    run_test([]() -> Coro<> {
        Task<> task = create_task(try_finally(sleep(1h), say("clean-up")));
        co_await sleep(1s);
        task.cancel("why");
        try {
            co_await task;
        } catch (const CancelledError&) {
            note(caught());
        }
        EXPECT_TRUE(task.cancelled());
    });
    EXPECT_EQ(events, "clean-up, CancelledError('why')");
}

// What CPython 3.14 does with `try: await sleep(3600) finally: await sleep(10)`.
TEST_F(TryFinally, ACancellationDuringTheCleanUpEndsIt) {
    run_test([]() -> Coro<> {
        auto clean_up = []() -> Coro<> {
            note("begins");
            co_await sleep(10s);
            note("never");
        };
        auto block = [&]() -> Coro<> {
            try {
                co_await try_finally(fail<ValueError>("body"), clean_up);
            } catch (const CancelledError&) {
                note(caught() + " <- " + repr(context_of(std::current_exception())));
                throw;
            }
        };
        Task<> task = create_task(block());
        co_await sleep(2s);
        task.cancel("second");
        co_await wait(task);
        EXPECT_TRUE(task.cancelled());
    });
    EXPECT_EQ(events, "begins, CancelledError('second') <- ValueError('body')");
}

TEST_F(TryFinally, ATimeoutAroundItIsStillATimeout) {
    run_test([]() -> Coro<> {
        try {
            co_await with(timeout(2s), [] { return try_finally(sleep(1h), say("clean-up")); });
        } catch (const TimeoutError&) {
            note("timeout");
        }
    });
    EXPECT_EQ(events, "clean-up, timeout");
}

TEST_F(TryFinally, OnExitIsAManagerThatCleansUp) {
    EXPECT_EQ(thrown_chain([]() -> Coro<> {
                  co_await with(on_exit(say("clean-up")), [] { note("body"); });
                  co_await with(on_exit([] { throw ValueError("exit"); }), [] { throw LookupError("body"); });
              }),
              "ValueError('exit') <- LookupError('body')");
    EXPECT_EQ(events, "body, clean-up");
}

TEST_F(TryFinally, MayBeMadeATask) {
    run_test([]() -> Coro<> {
        auto value = create_task(try_finally(value_after(7), say("clean-up")));
        int result = co_await value;
        EXPECT_EQ(result, 7);
    });
    EXPECT_EQ(events, "body, clean-up");
}

TEST_F(TryFinally, AFutureThatIsTheBodyIsAwaited) {
    run_test([]() -> Coro<> {
        auto both = co_await try_finally(gather(value_after(1), value_after(2)), [] { note("clean-up"); });
        EXPECT_EQ(std::get<0>(both) + std::get<1>(both), 3);
        auto own = co_await try_finally(create_task(unique_value()), [] {});
        EXPECT_EQ(*own, 7);
        Task<std::string> named = create_task(text_after("what the task keeps, longer than is kept in place"));
        std::string copy = co_await try_finally(named, [] {});
        EXPECT_EQ(copy, named.result());
        Future<> nothing = create_task(say("said"));
        co_await try_finally(nothing, [] { note("after it"); });
        AnyTask any = create_task(say("any"));
        co_await try_finally(any, [] { note("after it"); });
    });
    EXPECT_EQ(events, "body, body, clean-up, said, after it, any, after it");
}

TEST_F(TryFinally, AFutureThatIsTheBodyOfAnExceptIsAwaited) {
    run_test([]() -> Coro<> {
        auto both =
            co_await try_except<ValueError>(gather(fail<ValueError>("no"), value_after(2)), [](const ValueError& e) {
                note(e.what());
                return std::tuple<None, int>(None(), 3);
            });
        EXPECT_EQ(std::get<1>(both), 3);
        Task<std::string> named = create_task(text_after("what the task keeps, longer than is kept in place"));
        std::string copy = co_await try_except<ValueError>(named, [] { return std::string(); });
        EXPECT_EQ(copy, named.result());
    });
    EXPECT_EQ(events, "body, no");
}

TEST_F(TryFinally, AFutureThatAHandlerReturnsIsAwaited) {
    run_test([]() -> Coro<> {
        co_await try_except<ValueError>(fail<ValueError>("no"), [] { return gather(say("a"), say("b")); });
        note("after them");
        auto body = []() -> Coro<int> {
            co_await fail<ValueError>("no");
            co_return 1;
        };
        int value = co_await try_except<ValueError>(body, [] { return create_task(value_after(2)); });
        EXPECT_EQ(value, 2);
    });
    EXPECT_EQ(events, "a, b, after them, body");
}

TEST_F(TryFinally, AFutureThatABodyReturnsIsHandedOn) {
    run_test([]() -> Coro<> {
        Task<int> task = co_await try_finally([] { return create_task(value_after(1)); }, [] { note("clean-up"); });
        EXPECT_FALSE(task.done());
        co_await task;
    });
    EXPECT_EQ(events, "clean-up, body");
}

TEST_F(TryFinally, AnUnrunOneCleansNothingUp) {
    run_test([]() -> Coro<> {
        auto unrun = try_finally(value_after(7), [] { note("clean-up"); });
        unrun.close();
        co_return;
    });
    EXPECT_EQ(events, "");
}

TEST_F(TryFinally, AnExceptHandlerMayAwait) {
    run_test([]() -> Coro<> {
        int value = co_await try_except<OSError>(
            []() -> Coro<int> {
                co_await sleep(1s);
                throw ConnectionRefusedError("nobody");
            },
            [](const OSError& error) -> Coro<int> {
                co_await sleep(1s);
                note(error.what());
                co_return 5;
            });
        EXPECT_EQ(value, 5);
        int unharmed = co_await try_except<OSError>(value_after(6), [](const OSError&) { return 0; });
        EXPECT_EQ(unharmed, 6);
    });
    EXPECT_EQ(events, "nobody, body");
}

TEST_F(TryFinally, AnExceptHandlerGetsTheErrorInTheFormThatItAsksFor) {
    run_test([]() -> Coro<> {
        auto body = [] { return fail<LookupError>("x"); };
        co_await try_except<LookupError>(body, [](const LookupError& error, const std::exception_ptr& pointer) {
            note(error.what() + repr(pointer));
        });
        co_await try_except<ValueError, LookupError>(body, [](const std::exception_ptr& error) { note(repr(error)); });
        co_await try_except<std::exception>(body, [](const std::exception& error) { return say(error.what()); });
        co_await try_except<BaseException>(body, [] { note("nothing"); });
    });
    EXPECT_EQ(events, "xLookupError('x'), LookupError('x'), x, nothing");
}

TEST_F(TryFinally, AnExceptHandlerLetsOtherErrorsPass) {
    auto handler = [] { note("handler"); };
    EXPECT_EQ(thrown_chain([&]() -> Coro<> { co_await try_except<OSError>(fail<ValueError>("x"), handler); }),
              "ValueError('x')");
    EXPECT_EQ(outcome([&] {
                  run_test([&]() -> Coro<> {
                      auto task = create_task([&] { return try_except<std::exception>(sleep(1h), handler); });
                      co_await sleep(1s);
                      task.cancel();
                      co_await task;
                  });
              }),
              "CancelledError()");
    EXPECT_EQ(events, "");
}

TEST_F(TryFinally, WhatAnExceptHandlerThrowsHasTheErrorAsItsContext) {
    EXPECT_EQ(thrown_chain([]() -> Coro<> {
                  co_await try_except<LookupError>(fail<LookupError>("body"), [] { return fail<ValueError>("other"); });
              }),
              "ValueError('other') <- LookupError('body')");
    EXPECT_EQ(thrown_chain([]() -> Coro<> {
                  co_await try_except<LookupError>(fail<LookupError>("body"), [](const std::exception_ptr& error) {
                      std::rethrow_exception(error);
                  });
              }),
              "LookupError('body')");
}

}  // namespace
