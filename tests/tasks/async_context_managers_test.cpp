#include <asyncio/tasks/async_context_managers.h>

#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::outcome;
using support::run_test;

class Closes {
public:
    Closes() {}
    Coro<> aclose() {
        co_await sleep(1s);
        ++closed;
    }
    int closed = 0;
};

// CPython: test_contextlib_async.py, AclosingTestCase.test_aclosing
// CPython: test_contextlib_async.py, AclosingTestCase.test_aclosing_error
TEST(Aclosing, AwaitsAcloseAtTheEnd) {
    Closes thing;
    run_test([&]() -> Coro<> { co_await with(aclosing(thing), [&](Closes& same) { EXPECT_EQ(&same, &thing); }); });
    EXPECT_EQ(thing.closed, 1);
    EXPECT_EQ(outcome([&] {
                  run_test([&]() -> Coro<> { co_await with(aclosing(thing), [] { throw ValueError("x"); }); });
                  return 0;
              }),
              "ValueError('x')");
    EXPECT_EQ(thing.closed, 2);
}

AsyncGenerator<int> numbers(int& cleaned) {
    struct Resource {
        explicit Resource(int& count) : count_(count) {}
        ~Resource() { ++count_; }
        int& count_;
    };
    Resource resource(cleaned);
    co_yield -1;
    co_yield -2;
}

// CPython: test_contextlib_async.py, AclosingTestCase.test_aclosing_bpo41229
TEST(Aclosing, ClosesAGeneratorThatIsLeftEarly) {
    int cleaned = 0;
    EXPECT_EQ(outcome([&] {
                  run_test([&]() -> Coro<> {
                      co_await with(aclosing(numbers(cleaned)), [&](AsyncGenerator<int>& generator) -> Coro<> {
                          auto number = co_await generator.next();
                          EXPECT_EQ(number, -1);
                          EXPECT_EQ(cleaned, 0);
                          throw ValueError("x");
                      });
                  });
                  return 0;
              }),
              "ValueError('x')");
    EXPECT_EQ(cleaned, 1);
}

// CPython: test_contextlib_async.py, TestAsyncNullcontext.test_async_nullcontext
TEST(Nullcontext, DoesNothingAndGivesItsValue) {
    run_test([]() -> Coro<> {
        int value = co_await with(nullcontext(5), [](int& five) { return five + 1; });
        EXPECT_EQ(value, 6);
        int without = co_await with(nullcontext(), [] { return 7; });
        EXPECT_EQ(without, 7);
    });
}

std::string state;

AsyncGenerator<std::string> woohoo() {
    state += "1 ";
    co_await sleep(1s);
    std::exception_ptr error;
    try {
        co_yield std::string("42");
    } catch (...) {
        error = std::current_exception();
    }
    co_await sleep(1s);
    state += "999 ";
    if (error) std::rethrow_exception(error);
}

template <class Generator, class Body>
std::string left_by(Generator generator, Body body) {
    return outcome([&] {
        run_test([&] { return with(asynccontextmanager(generator()), body); });
        return 0;
    });
}

// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_contextmanager_plain
// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_contextmanager_finally
TEST(AsyncContextManagerOfAGenerator, EntersBeforeTheYieldAndLeavesBehindIt) {
    state.clear();
    EXPECT_EQ(left_by(woohoo, [](std::string& value) { state += value + " "; }), "nothing");
    EXPECT_EQ(state, "1 42 999 ");
    state.clear();
    EXPECT_EQ(left_by(
                  woohoo,
                  [](std::string& value) {
        state += value + " ";
        throw ValueError("x");
                  }),
              "ValueError('x')");
    EXPECT_EQ(state, "1 42 999 ");
}

AsyncGenerator<int> yields(int times) {
    for (int i = 0; i < times; ++i) co_yield i;
}
AsyncGenerator<int> ignores_what_is_thrown(int times) {
    for (int i = 0; i < times; ++i) {
        try {
            co_yield i;
        } catch (const ValueError&) {
        }
    }
}
AsyncGenerator<int> throws_another() {
    try {
        co_yield 1;
    } catch (const ValueError&) {
        throw LookupError("another");
    }
}

// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_contextmanager_trap_no_yield
// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_contextmanager_trap_second_yield
// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_contextmanager_trap_yield_after_throw
TEST(AsyncContextManagerOfAGenerator, WantsExactlyOneYield) {
    EXPECT_EQ(left_by([] { return yields(0); }, [] {}), "RuntimeError(\"generator didn't yield\")");
    EXPECT_EQ(left_by([] { return yields(2); }, [] {}), "RuntimeError(\"generator didn't stop\")");
    EXPECT_EQ(left_by([] { return ignores_what_is_thrown(2); }, [] { throw ValueError("x"); }),
              "RuntimeError(\"generator didn't stop after athrow()\")");
}

// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_contextmanager_no_reraise
// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_contextmanager_except
TEST(AsyncContextManagerOfAGenerator, MayDropTheErrorOrThrowAnother) {
    EXPECT_EQ(left_by([] { return ignores_what_is_thrown(1); }, [] { throw ValueError("x"); }), "nothing");
    EXPECT_EQ(left_by(throws_another, [] { throw ValueError("x"); }), "LookupError('another')");
    EXPECT_EQ(left_by(throws_another, [] { throw TypeError("x"); }), "TypeError('x')");
}

// CPython: test_contextlib_async.py, AsyncContextManagerTestCase.test_recursive
TEST(AsyncContextManagerOfAGenerator, MayBeNested) {
    int depth = 0;
    auto deeper = [&]() -> AsyncGenerator<int> {
        ++depth;
        co_yield depth;
        --depth;
    };
    run_test([&]() -> Coro<> {
        co_await with(asynccontextmanager(deeper()), [&](int& one) -> Coro<> {
            EXPECT_EQ(one, 1);
            co_await with(asynccontextmanager(deeper()), [](int& two) { EXPECT_EQ(two, 2); });
            EXPECT_EQ(depth, 1);
        });
    });
    EXPECT_EQ(depth, 0);
}

}  // namespace
