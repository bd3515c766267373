// The memory that a stream's bytes lie in.
#include <asyncio/net/stream_reader.h>

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "loop/loop_core.h"
#include "loop/receive_buffer.h"
#include "net/stream_reader_support.h"

using namespace asyncio;
using detail::ReceiveBuffer;
using support::new_reader;
using support::run_test;

namespace {

std::string with_room(std::size_t size) {
    std::string text;
    text.reserve(size);
    return text;
}

TEST(SpareMemory, GoesToWhoNeedsAQuarterOfItOrMore) {
    ReceiveBuffer buffer;
    EXPECT_LT(buffer.take_spare(100'000).capacity(), 100U) << "there is none yet";
    buffer.keep_spare(with_room(256 * 1024));
    EXPECT_LT(buffer.take_spare(60'000).capacity(), 100U) << "too little for that much";
    EXPECT_LT(buffer.take_spare(300'000).capacity(), 100U) << "too small";
    EXPECT_GE(buffer.take_spare(70'000).capacity(), 256U * 1024);
    EXPECT_LT(buffer.take_spare(70'000).capacity(), 100U) << "it was given away";
}

TEST(SpareMemory, IsTheLargerOfTwoAndNeverMuch) {
    ReceiveBuffer buffer;
    buffer.keep_spare(with_room(100'000));
    buffer.keep_spare(with_room(50'000));
    buffer.keep_spare(with_room(10'000'000));
    std::string spare = buffer.take_spare(60'000);
    EXPECT_GE(spare.capacity(), 100'000U);
    EXPECT_LT(spare.capacity(), 200'000U);
}

/// Where the bytes lie while they are not read.
const char* place_of(StreamReader& reader) { return reader.state()->available().data(); }

TEST(SpareMemory, IsUsedAgainByTheNextThatMuchComesFor) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        StreamReader other = new_reader();
        const std::string much(200'000, 'x');
        reader.feed_data(much);
        const char* place = place_of(reader);
        std::string first = co_await reader.read(150'000);
        co_await reader.read(50'000);
        EXPECT_NE(first.data(), place);
        other.feed_data(much);
        EXPECT_EQ(place_of(other), place);
        std::string some = co_await other.read(100'000);
        EXPECT_EQ(some, much.substr(0, 100'000));
        other.feed_data(much);  // there is no room for that behind the rest
        std::string all = co_await other.readexactly(300'000);
        EXPECT_EQ(all, std::string(300'000, 'x'));
    });
}

TEST(SpareMemory, IsNotHandedOutWithLittleInIt) {
    run_test([]() -> Coro<> {
        StreamReader reader = new_reader();
        reader.feed_data(std::string(400'000, 'x'));
        co_await reader.read(300'000);
        co_await reader.read(100'000);
        reader.feed_data(std::string(120'000, 'y'));
        std::string read = co_await reader.read(200'000);
        EXPECT_EQ(read, std::string(120'000, 'y'));
        EXPECT_LT(read.capacity(), 200'000U);
    });
}

TEST(SpareMemory, LosesAndMixesNothing) {
    run_test([]() -> Coro<> {
        std::mt19937 random(20261129);
        auto number = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        StreamReader readers[] = {new_reader(), new_reader(), new_reader()};
        std::string expected[3];
        for (int round = 0; round < 3000; ++round) {
            unsigned which = number(3);
            unsigned most = number(3) == 0 ? 200'000 : 30'000;
            if (number(2) == 0) {
                std::string fed(1 + number(most), static_cast<char>('a' + number(26)));
                readers[which].feed_data(fed);
                expected[which] += fed;
            } else if (!expected[which].empty()) {
                std::string read = co_await readers[which].read(static_cast<int>(1 + number(2 * most)));
                EXPECT_TRUE(expected[which].starts_with(read)) << round;
                expected[which].erase(0, read.size());
            }
        }
    });
}

}  // namespace
