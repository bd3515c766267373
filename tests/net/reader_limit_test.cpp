#include <asyncio/net/stream_reader.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <string>

#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::run_test;

namespace {

constexpr const char* not_found = "Separator is not found, and chunk exceed the limit";
constexpr const char* too_long = "Separator is found, but chunk is longer than limit";

/// What a `readuntil()` that waits throws when more than the limit is fed to it; CPython's are beside each use.
Coro<std::string> overrun(StreamReader reader, std::string separator) {
    try {
        co_await reader.readuntil(separator);
    } catch (const LimitOverrunError& error) {
        co_return error.what() + (" " + std::to_string(error.consumed()));
    }
    co_return "a value";
}

Coro<std::string> line_of(StreamReader reader) {
    try {
        co_await reader.readline();
    } catch (const ValueError& error) {
        co_return error.what();
    }
    co_return "a value";
}

TEST(ReaderLimit, HoldsForATaskThatWaitsWhenTooMuchIsFed) {
    for (bool ends : {false, true}) {
        run_test([&]() -> Coro<> {
            StreamReader reader({.limit = 10});
            auto reading = create_task(line_of(reader));
            co_await sleep(0s);
            reader.feed_data(std::string(100, 'x'));
            if (ends) reader.feed_eof();
            std::string error = co_await std::move(reading);
            EXPECT_EQ(error, not_found);
            EXPECT_EQ(repr(reader), ends ? "<StreamReader eof limit=10>" : "<StreamReader limit=10>");
        });
        for (std::string separator : {"\n", "\r\n"}) {
            run_test([&]() -> Coro<> {
                StreamReader reader({.limit = 10});
                auto reading = create_task(overrun(reader, separator));
                co_await sleep(0s);
                reader.feed_data(std::string(100, 'x'));
                if (ends) reader.feed_eof();
                std::string error = co_await std::move(reading);
                EXPECT_EQ(error, not_found + (" " + std::to_string(101 - separator.size())));
                EXPECT_EQ(repr(reader),
                          ends ? "<StreamReader 100 bytes eof limit=10>" : "<StreamReader 100 bytes limit=10>");
            });
        }
    }
}

TEST(ReaderLimit, IsJudgedByWhatIsThereWhenTheTaskGoesOn) {
    run_test([]() -> Coro<> {
        StreamReader reader({.limit = 10});
        auto reading = create_task(overrun(reader, "\n"));
        co_await sleep(0s);
        reader.feed_data(std::string(100, 'x'));
        reader.feed_data("yyyyy\nz");
        std::string error = co_await std::move(reading);
        EXPECT_EQ(error, too_long + std::string(" 105"));  // CPython: the same
    });
    run_test([]() -> Coro<> {
        StreamReader reader({.limit = 10});
        auto reading = create_task(overrun(reader, "\n"));
        co_await sleep(0s);
        reader.feed_data(std::string(100, 'x'));
        reader.feed_data("yyyyy");
        std::string error = co_await std::move(reading);
        EXPECT_EQ(error, not_found + std::string(" 105"));  // CPython: the same
    });
}

TEST(ReaderLimit, IsCountedAnewWhenSomebodyHasTakenWhatWasTooMuch) {
    run_test([]() -> Coro<> {
        StreamReader reader({.limit = 10});
        auto reading = create_task(overrun(reader, "\n"));
        co_await sleep(0s);
        reader.feed_data(std::string(100, 'x'));
        std::string taken = co_await reader.read(98);  // before the other's turn
        EXPECT_EQ(taken.size(), 98u);
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_FALSE(reading.done());
        reader.feed_data("\n");
        std::string value = co_await std::move(reading);
        EXPECT_EQ(value, "a value");
    });
}

}  // namespace
