#include <asyncio/net/stream_reader.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <string>

#include "net/stream_reader_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::new_reader;
using support::result_of;
using support::run_test;

namespace {

// CPython: test_streams.py, StreamTests.test_read_exception
// CPython: test_streams.py, StreamTests.test_readline_exception
// CPython: test_streams.py, StreamTests.test_readexactly_exception
// CPython: test_streams.py, StreamTests.test_exception
TEST(StreamReader, AnExceptionThatWasSetComesOutOfEveryRead) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("line\n");
        std::string text = co_await reader.read(2);
        EXPECT_EQ(text, "li");
        EXPECT_FALSE(reader.exception());
        std::exception_ptr error = std::make_exception_ptr(ValueError("x"));
        reader.set_exception(error);
        EXPECT_EQ(reader.exception(), error);
        text = co_await result_of(reader.read(2));
        EXPECT_EQ(text, "ValueError('x')");
        text = co_await result_of(reader.readline());
        EXPECT_EQ(text, "ValueError('x')");
        text = co_await result_of(reader.readexactly(2));
        EXPECT_EQ(text, "ValueError('x')");
        text = co_await result_of(reader.readuntil("x"));
        EXPECT_EQ(text, "ValueError('x')");
        text = co_await result_of(reader.read(0));
        EXPECT_EQ(text, "ValueError('x')");
    });
}

/// The error comes first, as in Python, and what had come is not lost by it.
TEST(StreamReader, OfALostConnectionGivesWhatHadComeWhenTheErrorIsTold) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("one\ntwo\n345");
        reader.state()->lose(std::make_exception_ptr(ConnectionResetError("x")));
        std::string text = co_await result_of(reader.readline());
        EXPECT_EQ(text, "ConnectionResetError('x')");
        text = co_await reader.readline();
        EXPECT_EQ(text, "one\n");
        text = co_await reader.readuntil("o");
        EXPECT_EQ(text, "two");
        text = co_await reader.read(1);
        EXPECT_EQ(text, "\n");
        text = co_await result_of(reader.readexactly(4));
        EXPECT_EQ(text, "IncompleteReadError('3 bytes read on a total of 4 expected bytes')");
        text = co_await result_of(reader.read(1));
        EXPECT_EQ(text, "ConnectionResetError('x')");
        EXPECT_FALSE(reader.at_eof());

        StreamReader waiting = new_reader();
        auto read = [&]() -> Coro<std::string> { co_return co_await waiting.read(); };
        auto reading = create_task(read);
        co_await sleep(0s);
        waiting.feed_data("all of it");
        waiting.state()->lose(std::make_exception_ptr(ConnectionResetError("y")));
        text = co_await result_of(reading);
        EXPECT_EQ(text, "ConnectionResetError('y')");
        text = co_await waiting.read();
        EXPECT_EQ(text, "all of it");
        text = co_await result_of(waiting.read());
        EXPECT_EQ(text, "ConnectionResetError('y')");
    });
}

// CPython: test_streams.py, StreamTests.test_exception_waiter
// CPython: test_streams.py, StreamTests.test_exception_cancel
TEST(StreamReader, AnExceptionWakesWhoWaitsUnlessThatIsCancelled) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        auto reading = create_task(reader.readline());
        co_await sleep(0s);
        reader.set_exception(ValueError("x"));
        std::string text = co_await result_of(std::move(reading));
        EXPECT_EQ(text, "ValueError('x')");

        StreamReader other = new_reader();
        auto cancelled = create_task(other.readline());
        co_await sleep(0s);
        cancelled.cancel();
        co_await sleep(0s);
        other.set_exception(RuntimeError("message"));
        co_await sleep(0s);
        EXPECT_TRUE(cancelled.cancelled());
    });
}

}  // namespace
