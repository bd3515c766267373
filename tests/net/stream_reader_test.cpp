#include <asyncio/net/stream_reader.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "net/stream_reader_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::data;
using support::new_reader;
using support::outcome;
using support::rest;
using support::result_of;
using support::run_test;
using support::Trace;

namespace {

// CPython: test_streams.py, StreamTests.test_feed_empty_data
// CPython: test_streams.py, StreamTests.test_feed_nonempty_data
TEST(StreamReader, KeepsWhatItIsFed) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("");
        EXPECT_EQ(rest(reader), "");
        reader.feed_data(data);
        EXPECT_EQ(rest(reader), data);
        co_return;
    });
}

// CPython: test_streams.py, StreamTests.test_read_zero
// CPython: test_streams.py, StreamTests.test_read_line_breaks
TEST(StreamReader, ReadGivesWhatIsThereUpToASize) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("line1");
        reader.feed_data("line2");
        Trace trace;
        std::string text = co_await reader.read(0);
        EXPECT_EQ(text, "");
        EXPECT_EQ(rest(reader), "line1line2");
        text = co_await reader.read(5);
        EXPECT_EQ(text, "line1");
        EXPECT_EQ(rest(reader), "line2");
        text = co_await reader.read(100);
        EXPECT_EQ(text, "line2");
        trace("end");
        EXPECT_EQ(trace.str(), "0:end");  // nothing of it has suspended
    });
}

// CPython: test_streams.py, StreamTests.test_read
// CPython: test_streams.py, StreamTests.test_read_eof
TEST(StreamReader, ReadWaitsForSomethingOrTheEnd) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        auto reading = create_task(reader.read(30));
        get_running_loop().call_soon([&] { reader.feed_data(data); });
        std::string text = co_await std::move(reading);
        EXPECT_EQ(text, data);
        EXPECT_EQ(rest(reader), "");
        reading = create_task(reader.read(1024));
        get_running_loop().call_soon([&] { reader.feed_eof(); });
        text = co_await std::move(reading);
        EXPECT_EQ(text, "");
    });
}

// CPython: test_streams.py, StreamTests.test_read_until_eof
TEST(StreamReader, ReadWithoutASizeGivesAllUntilTheEnd) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        auto reading = create_task(reader.read());
        get_running_loop().call_soon([&] {
            reader.feed_data("chunk1\n");
            reader.feed_data("chunk2");
            reader.feed_eof();
        });
        std::string text = co_await std::move(reading);
        EXPECT_EQ(text, "chunk1\nchunk2");
        EXPECT_EQ(rest(reader), "");
        EXPECT_TRUE(reader.at_eof());
    });
}

// CPython: test_streams.py, StreamTests.test_invalid_limit
TEST(StreamReader, ALimitIsPositive) {
    run_test([]() -> Coro<> {
        EXPECT_EQ(outcome([] { return new_reader(0); }), "ValueError('Limit cannot be <= 0')");
        EXPECT_EQ(outcome([] { return new_reader(-1); }), "ValueError('Limit cannot be <= 0')");
        co_return;
    });
}

// CPython: test_streams.py, StreamTests.test_read_limit
// CPython: test_streams.py, StreamTests.test_readexactly_limit
TEST(StreamReader, ReadAndReadexactlyAreNotBoundByTheLimit) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader(3);
        reader.feed_data("chunk");
        std::string text = co_await reader.read(5);
        EXPECT_EQ(text, "chunk");
        reader.feed_data("chunk");
        text = co_await reader.readexactly(5);
        EXPECT_EQ(text, "chunk");
    });
}

// CPython: test_streams.py, StreamTests.test_at_eof
TEST(StreamReader, IsAtItsEndWhenThatHasComeAndAllIsRead) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        EXPECT_FALSE(reader.at_eof());
        reader.feed_data("some data\n");
        EXPECT_FALSE(reader.at_eof());
        co_await reader.readline();
        EXPECT_FALSE(reader.at_eof());
        reader.feed_data("some data\n");
        reader.feed_eof();
        EXPECT_FALSE(reader.at_eof());
        co_await reader.readline();
        EXPECT_TRUE(reader.at_eof());
    });
}

// CPython: test_streams.py, StreamTests.test_readexactly_zero_or_less
// CPython: test_streams.py, StreamTests.test_readexactly
TEST(StreamReader, ReadexactlyWaitsForExactlySoMany) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data(data);
        std::string text = co_await reader.readexactly(0);
        EXPECT_EQ(text, "");
        text = co_await result_of(reader.readexactly(-1));
        EXPECT_EQ(text, "ValueError('readexactly size can not be less than zero')");
        EXPECT_EQ(rest(reader), data);
        auto reading = create_task(reader.readexactly(static_cast<std::ptrdiff_t>(2 * data.size())));
        get_running_loop().call_soon([&] {
            reader.feed_data(data);
            reader.feed_data(data);
        });
        text = co_await std::move(reading);
        EXPECT_EQ(text, data + data);
        EXPECT_EQ(rest(reader), data);
    });
}

// CPython: test_streams.py, StreamTests.test_readexactly_eof
TEST(StreamReader, ReadexactlyThatMeetsTheEndGivesWhatWasThere) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        auto reading = create_task(reader.readexactly(36));
        get_running_loop().call_soon([&] {
            reader.feed_data(data);
            reader.feed_eof();
        });
        try {
            co_await reading;
            ADD_FAILURE();
        } catch (const IncompleteReadError& error) {
            EXPECT_EQ(error.partial(), data);
            EXPECT_EQ(error.expected(), 36u);
            EXPECT_STREQ(error.what(), "18 bytes read on a total of 36 expected bytes");
            EXPECT_EQ(caught(), "IncompleteReadError('18 bytes read on a total of 36 expected bytes')");
        }
        EXPECT_EQ(rest(reader), "");
    });
}

TEST(StreamReader, OnlyOneTaskMayWait) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        auto first = create_task(reader.readexactly(5));
        co_await sleep(0s);
        std::string text = co_await result_of(reader.read(1));
        EXPECT_EQ(text, "RuntimeError('read() called while another coroutine is already waiting for incoming data')");
        text = co_await result_of(reader.readline());
        EXPECT_EQ(text,
                  "RuntimeError('readuntil() called while another coroutine is already waiting for incoming data')");
        reader.feed_data("12345");
        text = co_await std::move(first);
        EXPECT_EQ(text, "12345");
    });
}

TEST(StreamReader, WhatSomebodyElseTookInBetweenIsWaitedForAgain) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        auto line = create_task(reader.readline());
        co_await sleep(0s);
        reader.feed_data("a\n");  // wakes it
        std::string taken = co_await reader.read(10);
        EXPECT_EQ(taken, "a\n");
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_FALSE(line.done());
        reader.feed_data("bcd");
        reader.feed_data("e\n");
        taken = co_await std::move(line);
        EXPECT_EQ(taken, "bcde\n");
    });
}

TEST(StreamReader, ReadIntoFillsWhatItIsGiven) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        std::array<char, 4> buffer = {};
        auto reading = create_task(reader.read_into(buffer));
        co_await sleep(0s);
        reader.feed_data("abcdef");
        std::size_t size = co_await reading;
        EXPECT_EQ(std::string(buffer.data(), size), "abcd");
        size = co_await reader.read_into(buffer);
        EXPECT_EQ(std::string(buffer.data(), size), "ef");
        reader.feed_eof();
        size = co_await reader.read_into(buffer);
        EXPECT_EQ(size, 0u);
        size = co_await reader.read_into(WritableBytes());
        EXPECT_EQ(size, 0u);
    });
}

TEST(StreamReader, CancellingAReadAtAnyPassLosesNothing) {
    enum class Kind { some, all, line, exactly, into, next };
    for (Kind kind : {Kind::some, Kind::all, Kind::line, Kind::exactly, Kind::into, Kind::next}) {
        for (int after = 0; after < 5; ++after) {
            run_test([&]() -> Coro<> {
                StreamReader reader = new_reader();
                std::string got;
                std::array<char, 100> buffer = {};
                auto read = [&]() -> Coro<> {
                    if (kind == Kind::some) {
                        got = co_await reader.read(100);
                    } else if (kind == Kind::all) {
                        got = co_await reader.read();
                    } else if (kind == Kind::line) {
                        got = co_await reader.readline();
                    } else if (kind == Kind::exactly) {
                        got = co_await reader.readexactly(9);
                    } else if (kind == Kind::into) {
                        std::size_t size = co_await reader.read_into(buffer);
                        got = std::string(buffer.data(), size);
                    } else {
                        auto line = co_await reader.next();
                        got = line.value_or("");
                    }
                };
                auto reading = create_task(read());
                co_await sleep(0s);
                reader.feed_data("not lost");
                reader.feed_data("\n");
                for (int i = 0; i < after; ++i) {
                    co_await sleep(0s);
                }
                reading.cancel();
                co_await sleep(0s);
                co_await sleep(0s);
                EXPECT_TRUE(reading.done());
                got += rest(reader);
                EXPECT_EQ(got, "not lost\n");
            });
        }
    }
}

TEST(StreamReader, ATaskGoesOnOnePassAfterTheBytesCame) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        Trace trace;
        auto read = [&]() -> Coro<> {
            std::string text = co_await reader.readexactly(2);
            trace(text);
        };
        auto reading = create_task(read());
        co_await sleep(0s);
        reader.feed_data("a");
        co_await sleep(0s);
        co_await sleep(0s);
        reader.feed_data("b");
        trace("fed");
        co_await reading;
        EXPECT_EQ(trace.str(), "3:fed, 4:ab");
    });
}

// CPython: test_streams.py, StreamTests.test_streamreader_constructor_without_loop
// CPython: test_streams.py, StreamTests.test_streamreader_constructor_use_running_loop
TEST(StreamReader, IsOfTheRunningLoop) {
    EXPECT_EQ(outcome([] { return new_reader(); }), "RuntimeError('no running event loop')");
    StreamReader none;
    EXPECT_FALSE(none);
    EXPECT_EQ(repr(none), "None");
    EXPECT_THROW(none.at_eof(), RuntimeError);
    StreamReader kept;
    run_test([&]() -> Coro<> {
        kept = new_reader();
        EXPECT_EQ(&kept.state()->loop(), &get_running_loop().core());
        co_return;
    });
    EXPECT_FALSE(kept.at_eof());  // it may outlive its loop
}

TEST(StreamReader, IsPrintedAsPythonPrintsIt) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        EXPECT_EQ(repr(reader), "<StreamReader>");
        reader.feed_data("data");
        EXPECT_EQ(repr(reader), "<StreamReader 4 bytes>");
        StreamReader other = new_reader(123);
        other.feed_eof();
        EXPECT_EQ(repr(other), "<StreamReader eof limit=123>");
        other.set_exception(RuntimeError());
        EXPECT_EQ(repr(other), "<StreamReader eof limit=123 exception=RuntimeError()>");
        co_return;
    });
}

}  // namespace
