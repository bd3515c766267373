#include <asyncio/net/stream_reader.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::outcome;
using support::run_test;
using support::Trace;

namespace {

const std::string data = "line1\nline2\nline3\n";

std::string rest(const StreamReader& reader) { return std::string(reader.state()->available()); }

StreamReader new_reader(std::int64_t limit = 65536) { return StreamReader(StreamReaderOptions{.limit = limit}); }

/// Awaits it, and gives what it gives, or what it throws as Python would show it.
template <class Read>
Coro<std::string> result_of(Read read) {
    std::string result;
    try {
        result = co_await read;
    } catch (...) {
        result = caught();
    }
    co_return result;
}

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

// CPython: test_streams.py, StreamTests.test_readline
TEST(StreamReader, ReadlineWaitsUntilTheLineIsComplete) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("chunk1 ");
        auto reading = create_task(reader.readline());
        get_running_loop().call_soon([&] {
            reader.feed_data("chunk2 ");
            reader.feed_data("chunk3 ");
            reader.feed_data("\n chunk4");
        });
        std::string line = co_await std::move(reading);
        EXPECT_EQ(line, "chunk1 chunk2 chunk3 \n");
        EXPECT_EQ(rest(reader), " chunk4");
    });
}

// CPython: test_streams.py, StreamTests.test_readline_limit_with_existing_data
TEST(StreamReader, ALineAboveTheLimitIsDroppedAsFarAsItIsThere) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader(3);
        reader.feed_data("li");
        reader.feed_data("ne1\nline2\n");
        std::string text = co_await result_of(reader.readline());
        EXPECT_EQ(text, "ValueError('Separator is found, but chunk is longer than limit')");
        EXPECT_EQ(rest(reader), "line2\n");
        StreamReader other = new_reader(3);
        other.feed_data("li");
        other.feed_data("ne1");
        other.feed_data("li");
        text = co_await result_of(other.readline());
        EXPECT_EQ(text, "ValueError('Separator is not found, and chunk exceed the limit')");
        EXPECT_EQ(rest(other), "");
    });
}

// CPython: test_streams.py, StreamTests.test_readline_limit
TEST(StreamReader, TheLimitHoldsForALineThatComesLater) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader(7);
        get_running_loop().call_soon([&] {
            reader.feed_data("chunk1");
            reader.feed_data("chunk2");
            reader.feed_data("chunk3\n");
            reader.feed_eof();
        });
        std::string text = co_await result_of(reader.readline());
        EXPECT_EQ(text.substr(0, 11), "ValueError(");
        EXPECT_EQ(rest(reader), "");

        StreamReader second = new_reader(7);
        get_running_loop().call_soon([&] {
            second.feed_data("chunk1");
            second.feed_data("chunk2\n");
            second.feed_data("chunk3\n");
            second.feed_eof();
        });
        text = co_await result_of(second.readline());
        EXPECT_EQ(text.substr(0, 11), "ValueError(");
        EXPECT_EQ(rest(second), "chunk3\n");

        StreamReader strict = new_reader(7);
        strict.feed_data("1234567\n");
        text = co_await strict.readline();
        EXPECT_EQ(text, "1234567\n");
        strict.feed_data("12345678\n");
        text = co_await result_of(strict.readline());
        EXPECT_EQ(text.substr(0, 11), "ValueError(");
        EXPECT_EQ(rest(strict), "");
        strict.feed_data("12345678");
        text = co_await result_of(strict.readline());
        EXPECT_EQ(text.substr(0, 11), "ValueError(");
        EXPECT_EQ(rest(strict), "");
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

// CPython: test_streams.py, StreamTests.test_readline_nolimit_nowait
// CPython: test_streams.py, StreamTests.test_readline_read_byte_count
TEST(StreamReader, ReadlineLeavesWhatIsBehindTheLine) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data(data.substr(0, 6));
        reader.feed_data(data.substr(6));
        std::string line = co_await reader.readline();
        EXPECT_EQ(line, "line1\n");
        EXPECT_EQ(rest(reader), "line2\nline3\n");
        line = co_await reader.read(7);
        EXPECT_EQ(line, "line2\nl");
        EXPECT_EQ(rest(reader), "ine3\n");
    });
}

// CPython: test_streams.py, StreamTests.test_readline_eof
// CPython: test_streams.py, StreamTests.test_readline_empty_eof
TEST(StreamReader, TheLastLineNeedsNoNewline) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("some data");
        reader.feed_eof();
        std::string line = co_await reader.readline();
        EXPECT_EQ(line, "some data");
        line = co_await reader.readline();
        EXPECT_EQ(line, "");
    });
}

// CPython: test_pep492.py, StreamReaderTests.test_readline
TEST(StreamReader, NextGivesTheLinesAndThenNothing) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("line1\nline2\n\nline3");
        reader.feed_eof();
        std::vector<std::string> lines;
        while (auto line = co_await reader.next()) lines.push_back(*line);
        EXPECT_EQ(lines, (std::vector<std::string>{"line1\n", "line2\n", "\n", "line3"}));
    });
}

// CPython: test_streams.py, StreamTests.test_readuntil_separator
TEST(StreamReader, SeparatorsMustNotBeEmpty) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        std::string text = co_await result_of(reader.readuntil(""));
        EXPECT_EQ(text, "ValueError('Separator should be at least one-byte string')");
        text = co_await result_of(reader.readuntil("x", ""));
        EXPECT_EQ(text, "ValueError('Separator should be at least one-byte string')");
        text = co_await result_of(reader.readuntil(std::vector<std::string>()));
        EXPECT_EQ(text, "ValueError('Separator should contain at least one element')");
    });
}

// CPython: test_streams.py, StreamTests.test_readuntil_multi_chunks
// CPython: test_streams.py, StreamTests.test_readuntil_multi_chunks_1
// CPython: test_streams.py, StreamTests.test_readuntil_bytearray
TEST(StreamReader, ReaduntilFindsASeparatorThatComesInPieces) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        std::string text;
        for (int i = 0; i < 2; ++i) {
            reader.feed_data("lineAAA");
            text = co_await reader.readuntil("AAA");
            EXPECT_EQ(text, "lineAAA");
        }
        reader.feed_data("lineAAAxxx");
        text = co_await reader.readuntil(std::string("AAA"));
        EXPECT_EQ(text, "lineAAA");
        EXPECT_EQ(rest(reader), "xxx");
        co_await reader.read(3);

        std::vector<std::vector<std::string>> pieces = {
            {"QWEaa", "XYaa", "a"}, {"QWEaa", "XYa", "aa"}, {"aaa"}, {"Xaaa"}, {"XXX", "a", "a", "a"}};
        for (bool waits : {false, true}) {
            for (const auto& line : pieces) {
                std::string whole;
                auto reading = waits ? create_task(reader.readuntil("aaa")) : Task<std::string>();
                if (waits) {
                    co_await sleep(0s);
                }
                for (const std::string& piece : line) {
                    reader.feed_data(piece);
                    whole += piece;
                }
                if (!waits) reading = create_task(reader.readuntil("aaa"));
                text = co_await std::move(reading);
                EXPECT_EQ(text, whole);
                EXPECT_EQ(rest(reader), "");
            }
        }
    });
}

// CPython: test_streams.py, StreamTests.test_readuntil_eof
TEST(StreamReader, AnEndBeforeTheSeparatorGivesWhatWasThere) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("some dataAA");
        reader.feed_eof();
        try {
            co_await reader.readuntil("AAA");
            ADD_FAILURE();
        } catch (const IncompleteReadError& error) {
            EXPECT_STREQ(error.what(), "11 bytes read on a total of undefined expected bytes");
            EXPECT_EQ(error.partial(), "some dataAA");
            EXPECT_FALSE(error.expected());
        }
        EXPECT_EQ(rest(reader), "");
    });
}

// CPython: test_streams.py, StreamTests.test_readuntil_limit_found_sep
TEST(StreamReader, ASeparatorBeyondTheLimitKeepsTheData) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader(3);
        reader.feed_data("some dataAA");
        try {
            co_await reader.readuntil("AAA");
            ADD_FAILURE();
        } catch (const LimitOverrunError& error) {
            EXPECT_STREQ(error.what(), "Separator is not found, and chunk exceed the limit");
            EXPECT_EQ(error.consumed(), 9u);
        }
        EXPECT_EQ(rest(reader), "some dataAA");
        reader.feed_data("A");
        try {
            co_await reader.readuntil("AAA");
            ADD_FAILURE();
        } catch (const LimitOverrunError& error) {
            EXPECT_STREQ(error.what(), "Separator is found, but chunk is longer than limit");
            EXPECT_EQ(error.consumed(), 9u);
        }
        EXPECT_EQ(rest(reader), "some dataAAA");
    });
}

// CPython: test_streams.py, StreamTests.test_readuntil_multi_separator
// CPython: test_streams.py, StreamTests.test_readuntil_multi_separator_limit
TEST(StreamReader, OfSeveralSeparatorsTheOneThatEndsFirstCounts) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("line 1\nline 2\r");
        std::string text = co_await reader.readuntil("\r", "\n");
        EXPECT_EQ(text, "line 1\n");
        text = co_await reader.readuntil(std::array<std::string_view, 2>{"\r", "\n"});  // lint: allow-co-await trivial
        EXPECT_EQ(text, "line 2\r");
        reader.feed_data("ABCDEFG");
        text = co_await reader.readuntil("DEF", "BCDE");
        EXPECT_EQ(text, "ABCDE");
        EXPECT_EQ(rest(reader), "FG");
        StreamReader limited = new_reader(3);
        limited.feed_data("some dataA");
        text = co_await result_of(limited.readuntil("A", "ome dataA"));
        EXPECT_EQ(text, "LimitOverrunError('Separator is found, but chunk is longer than limit')");
        EXPECT_EQ(rest(limited), "some dataA");
    });
}

// CPython: test_streams.py, StreamTests.test_readuntil_multi_separator_negative_offset
TEST(StreamReader, SeparatorsOfDifferentLengthsDoNotConfuseTheSearch) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data("data");
        auto reading = create_task(reader.readuntil("A", "long sep"));
        EventLoop& loop = get_running_loop();
        loop.call_soon([&] { reader.feed_data("Z"); });
        loop.call_soon([&] { reader.feed_data("Aaaa"); });
        std::string text = co_await std::move(reading);
        EXPECT_EQ(text, "dataZA");
        EXPECT_EQ(rest(reader), "aaa");
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
