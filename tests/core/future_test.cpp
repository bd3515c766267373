#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

constexpr const char* invalid_state = "InvalidStateError('invalid state')";

// States

// CPython: test_futures.py, BaseFutureTests.test_initial_state
TEST(Future, IsPendingAtFirst) {
    EventLoop loop;
    auto future = loop.create_future<int>();
    EXPECT_FALSE(future.done());
    EXPECT_FALSE(future.cancelled());
    EXPECT_TRUE(future.cancel());
    EXPECT_TRUE(future.cancelled());
    EXPECT_TRUE(future.done());
}

// CPython: test_futures.py, BaseFutureTests.test_constructor_without_loop
TEST(Future, NeedsALoop) {
    EXPECT_EQ(outcome([] { get_running_loop().create_future<int>(); }), "RuntimeError('no running event loop')");
}

// CPython: test_futures.py, BaseFutureTests.test_constructor_use_running_loop
TEST(Future, BelongsToTheLoopThatMadeIt) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        EXPECT_EQ(&future.get_loop(), &get_running_loop());
        co_return;
    });
}

// CPython: test_futures.py, BaseFutureTests.test_cancel
TEST(Future, CancelledRefusesEverythingElse) {
    EventLoop loop;
    auto future = loop.create_future<int>();
    EXPECT_TRUE(future.cancel());
    EXPECT_TRUE(future.done());
    EXPECT_EQ(outcome([&] { future.result(); }), "CancelledError()");
    EXPECT_EQ(outcome([&] { return future.exception(); }), "CancelledError()");
    EXPECT_EQ(outcome([&] { future.set_result(1); }), invalid_state);
    EXPECT_EQ(outcome([&] { future.set_exception(ValueError()); }), invalid_state);
    EXPECT_FALSE(future.cancel());
}

// CPython: test_futures.py, BaseFutureTests.test_result
TEST(Future, KeepsItsResult) {
    EventLoop loop;
    auto future = loop.create_future<int>();
    EXPECT_EQ(outcome([&] { future.result(); }), "InvalidStateError('Result is not set.')");
    future.set_result(42);
    EXPECT_TRUE(future.done());
    EXPECT_FALSE(future.cancelled());
    EXPECT_EQ(future.result(), 42);
    EXPECT_EQ(future.exception(), nullptr);
    EXPECT_EQ(outcome([&] { future.set_result(1); }), invalid_state);
    EXPECT_EQ(outcome([&] { future.set_exception(ValueError()); }), invalid_state);
    EXPECT_FALSE(future.cancel());
    EXPECT_EQ(future.result(), 42);
}

// CPython: test_futures.py, BaseFutureTests.test_exception
TEST(Future, KeepsItsException) {
    EventLoop loop;
    auto future = loop.create_future<int>();
    EXPECT_EQ(outcome([&] { return future.exception(); }), "InvalidStateError('Exception is not set.')");
    std::exception_ptr error = std::make_exception_ptr(RuntimeError("r"));
    future.set_exception(error);
    EXPECT_EQ(outcome([&] { future.result(); }), "RuntimeError('r')");
    EXPECT_EQ(future.exception(), error);
    EXPECT_EQ(outcome([&] { future.set_result(1); }), invalid_state);
    EXPECT_EQ(outcome([&] { future.set_exception(ValueError()); }), invalid_state);
    EXPECT_FALSE(future.cancel());
    EXPECT_FALSE(future.cancelled());
}

TEST(Future, RefusesANullException) {
    EventLoop loop;
    auto future = loop.create_future<int>();
    EXPECT_EQ(outcome([&] { future.set_exception(std::exception_ptr()); }).substr(0, 9), "TypeError");
    EXPECT_FALSE(future.done());
}

TEST(Future, ThrowsTheSameObjectEachTime) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        future.set_exception(ValueError("x"));
        const ValueError* first = nullptr;
        const ValueError* second = nullptr;
        const ValueError* third = nullptr;
        try {
            co_await future;
        } catch (const ValueError& error) {
            first = &error;
        }
        try {
            future.result();
        } catch (const ValueError& error) {
            second = &error;
        }
        try {
            std::rethrow_exception(future.exception());
        } catch (const ValueError& error) {
            third = &error;
        }
        EXPECT_NE(first, nullptr);
        EXPECT_EQ(first, second);
        EXPECT_EQ(first, third);
    });
}

TEST(Future, GivesTheCancelMessageOnEveryRetrieval) {
    std::string text;
    run_test([&]() -> Coro<> {
        Trace trace;
        auto future = get_running_loop().create_future<int>();
        future.cancel("m");
        for (int i = 0; i < 2; ++i) {
            try {
                co_await future;
            } catch (const CancelledError&) {
                trace(caught());
            }
            trace(outcome([&] { future.result(); }));
        }
        trace(future.cancel("n"));
        trace(outcome([&] { return future.exception(); }));
        text = trace.str();
    });
    EXPECT_EQ(text,
              "0:CancelledError('m'), 0:CancelledError('m'), 0:CancelledError('m'), 0:CancelledError('m'), 0:False, "
              "0:CancelledError('m')");
}

struct ThrowsWhenCopied {
    ThrowsWhenCopied() = default;
    ThrowsWhenCopied(const ThrowsWhenCopied&) { throw ValueError("copied"); }
    ThrowsWhenCopied(ThrowsWhenCopied&&) noexcept {}
};

TEST(Future, StaysPendingWhenItsResultCannotBeStored) {
    EventLoop loop;
    auto future = loop.create_future<ThrowsWhenCopied>();
    ThrowsWhenCopied value;
    EXPECT_EQ(outcome([&] { future.set_result(value); }), "ValueError('copied')");
    EXPECT_FALSE(future.done());
    future.set_result(std::move(value));
    EXPECT_TRUE(future.done());
}

TEST(Future, ConvertsItsResultImplicitlyOnly) {
    EventLoop loop;
    auto future = loop.create_future<std::string>();
    future.set_result("text");
    EXPECT_EQ(future.result(), "text");
    auto can_set = []<class T, class V>(Future<T>*, V*) {
        return requires(Future<T> f, V v) { f.set_result(v); };
    };
    EXPECT_TRUE(can_set(static_cast<Future<double>*>(nullptr), static_cast<int*>(nullptr)));
    EXPECT_FALSE(can_set(static_cast<Future<std::unique_ptr<int>>*>(nullptr), static_cast<int**>(nullptr)));
    EXPECT_FALSE(can_set(static_cast<Future<>*>(nullptr), static_cast<int*>(nullptr)));
}

// Handles

TEST(Future, EmptyHandleSaysSo) {
    Future<int> empty;
    Task<> no_task;
    AnyFuture any;
    EXPECT_FALSE(empty);
    EXPECT_FALSE(no_task);
    std::string sentence =
        "RuntimeError('this handle is empty: it was default-constructed or moved from, and names no future')";
    EXPECT_EQ(outcome([&] { return empty.done(); }), sentence);
    EXPECT_EQ(outcome([&] { return empty.cancel(); }), sentence);
    EXPECT_EQ(outcome([&] { empty.result(); }), sentence);
    EXPECT_EQ(outcome([&] { empty.set_result(1); }), sentence);
    EXPECT_EQ(outcome([&] { empty.add_done_callback([](Future<int>) {}); }), sentence);
    EXPECT_EQ(outcome([&] { empty.get_loop(); }), sentence);
    EXPECT_EQ(outcome([&] { return no_task.get_name(); }), sentence);
    EXPECT_EQ(outcome([&] { return no_task.cancelling(); }), sentence);
    EXPECT_EQ(outcome([&] { return any.as<int>(); }), sentence);
    EXPECT_EQ(outcome([&] { return AnyTask().as<int>(); }), sentence);
    run_test([&]() -> Coro<> {
        std::string end;
        try {
            co_await empty;
        } catch (const RuntimeError&) {
            end = caught();
        }
        EXPECT_EQ(end, sentence);
        try {
            co_await std::move(no_task);
        } catch (const RuntimeError&) {
            end += "again";
        }
        EXPECT_EQ(end, sentence + "again");
    });
    EventLoop loop;
    EXPECT_EQ(outcome([&] { loop.run_until_complete(empty); }), sentence);
}

TEST(Future, CopiesNameTheSameFuture) {
    EventLoop loop;
    auto future = loop.create_future<int>();
    auto copy = future;
    AnyFuture any = future;
    EXPECT_EQ(copy, future);
    EXPECT_EQ(any, future);
    EXPECT_EQ(any.as<int>(), future);
    EXPECT_NE(copy, loop.create_future<int>());
    copy.set_result(3);
    EXPECT_EQ(future.result(), 3);
    EXPECT_TRUE(isfuture(future));
    EXPECT_TRUE(isfuture(any));
}

TEST(Future, OfAWrongTypeThrowsTypeError) {
    EventLoop loop;
    AnyFuture any = loop.create_future<int>();
    EXPECT_EQ(outcome([&] { return any.as<double>(); }),
              "TypeError(\"the future's result is of type int, not double\")");
    EXPECT_EQ(outcome([&] { return any.as<void>(); }), "TypeError(\"the future's result is of type int, not void\")");
}

// Awaiting

TEST(Future, AwaitedAsLvalueStaysAndAsRvalueIsMovedOut) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<std::unique_ptr<int>>();
        get_running_loop().call_soon([&] { future.set_result(std::make_unique<int>(5)); });
        const std::unique_ptr<int>& looked_at = co_await future;
        EXPECT_EQ(*looked_at, 5);
        EXPECT_EQ(&looked_at, &future.result());
        std::unique_ptr<int> taken = co_await std::move(future);
        EXPECT_EQ(*taken, 5);
        EXPECT_EQ(looked_at, nullptr);
    });
}

TEST(Future, DoneAlreadyGivesUpNoTurn) {
    std::string text;
    run_test([&]() -> Coro<> {
        Trace trace;
        auto future = get_running_loop().create_future<int>();
        future.set_result(1);
        get_running_loop().call_soon([&] { trace("soon"); });
        int value = co_await future;
        trace(value);
        co_await sleep(0);
        text = trace.str();
    });
    EXPECT_EQ(text, "0:1, 1:soon");
}

// Recorded from CPython 3.14.10.
TEST(Future, WakesItsAwaitersInOrderWithItsCallbacks) {
    std::string text;
    run_test([&]() -> Coro<> {
        Trace trace;
        EventLoop& loop = get_running_loop();
        auto future = loop.create_future<int>();
        auto wait = [&](const char* name) -> Coro<> {
            co_await future;
            trace(name);
        };
        future.add_done_callback([&](Future<int>) { trace("cb1"); });
        auto a = create_task(wait("a"));
        co_await sleep(0);
        future.add_done_callback([&](Future<int>) { trace("cb2"); });
        auto b = create_task(wait("b"));
        co_await sleep(0);
        future.add_done_callback([&](Future<int> done) {
            trace("cb3");
            done.add_done_callback([&](Future<int>) { trace("cb4"); });
        });
        future.set_result(1);
        trace("set");
        future.add_done_callback([&](Future<int>) { trace("late"); });
        loop.call_soon([&] { trace("soon"); });
        co_await future;
        trace("main goes on at once");
        co_await a;
        trace("main after a");
        co_await b;
        co_await sleep(0);
        trace("end");
        text = trace.str();
    });
    EXPECT_EQ(text,
              "2:set, 2:main goes on at once, 3:cb1, 3:a, 3:cb2, 3:b, 3:cb3, 3:late, 3:soon, 4:main after a, 4:cb4, "
              "5:end");
}

TEST(Future, IsKeptByThoseWhoAwaitIt) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto future = loop.create_future<std::string>();
        auto finish = [](Future<std::string> mine) { mine.set_result("a text that is too long for the small buffer"); };
        loop.call_soon(finish, future);
        // The handle names another future while the task waits for the first.
        loop.call_soon([&] { future = loop.create_future<std::string>(); });
        std::string value = co_await future;
        EXPECT_EQ(value, "a text that is too long for the small buffer");
        EXPECT_FALSE(future.done());
        loop.call_soon(finish, future);
        loop.call_soon([&] { future = {}; });
        value = co_await future;
        EXPECT_EQ(value, "a text that is too long for the small buffer");
        EXPECT_FALSE(future);
    });
}

TEST(Future, OfAnyTypeCanBeAwaitedForItsEnd) {
    run_test([]() -> Coro<> {
        auto good = get_running_loop().create_future<int>();
        auto bad = get_running_loop().create_future<int>();
        AnyFuture any = good;
        get_running_loop().call_soon([&] {
            good.set_result(1);
            bad.set_exception(ValueError("b"));
        });
        co_await any;
        EXPECT_TRUE(good.done());
        any = bad;
        std::string end;
        try {
            co_await any;
        } catch (const ValueError&) {
            end = caught();
        }
        EXPECT_EQ(end, "ValueError('b')");
    });
}

// The loop's end

TEST(Future, OutlivesItsLoop) {
    Future<std::string> finished;
    Future<int> pending;
    Future<int> failed;
    Task<> task;
    {
        EventLoop loop;
        finished = loop.create_future<std::string>();
        finished.set_result("a text that is too long for the small buffer");
        pending = loop.create_future<int>();
        pending.add_done_callback([kept = std::make_shared<int>(1)](Future<int>) { ADD_FAILURE(); });
        failed = loop.create_future<int>();
        failed.set_exception(ValueError("x"));
        task = loop.create_task([]() -> Coro<> { co_return; });
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    }
    EXPECT_EQ(finished.result(), "a text that is too long for the small buffer");
    EXPECT_EQ(outcome([&] { finished.get_loop(); }), "RuntimeError('the event loop was destroyed')");
    EXPECT_EQ(outcome([&] { failed.result(); }), "ValueError('x')");
    pending.set_result(3);
    EXPECT_EQ(pending.result(), 3);
    EXPECT_EQ(outcome([&] { pending.add_done_callback([](Future<int>) {}); }), "RuntimeError('Event loop is closed')");
    EXPECT_FALSE(task.done());
    EXPECT_TRUE(task.get_stack().empty());
    EXPECT_FALSE(task.get_coro());
    task.cancel();
    EXPECT_FALSE(repr(task).empty());
}

// CPython: test_tasks.py, GenericTaskTests.test_future_subclass
static_assert(std::is_base_of_v<Future<int>, Task<int>> && std::is_base_of_v<AnyFuture, AnyTask>);

}  // namespace
