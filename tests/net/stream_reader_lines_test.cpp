#include <asyncio/net/stream_reader.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "net/stream_reader_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::data;
using support::new_reader;
using support::rest;
using support::result_of;
using support::run_test;

namespace {

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

}  // namespace
