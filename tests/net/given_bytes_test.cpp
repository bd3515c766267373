// What is written and given away, or shared, is kept as it is when it cannot be sent at once.
#include <asyncio/net/pipes.h>
#include <asyncio/net/shared_bytes.h>
#include <asyncio/net/sock.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "net/pipe_support.h"
#include "net/protocol_support.h"
#include "net/stream_support.h"
#include "net/write_buffer.h"

using namespace asyncio;
using detail::GivenBytes;
using detail::WriteBuffer;
using support::connect_ends;
using support::Ends;
using support::NetTest;
using support::run_net;

namespace {

/// A text of which each part is different.
std::string text_of(std::size_t size, char first = 'a') {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(static_cast<std::size_t>(first) + i * 7 % 23);
    return text;
}

std::vector<std::string_view> pieces_of(WriteBuffer& buffer) {
    IoBuffer parts[16];
    std::size_t count = buffer.front(parts);
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < count; ++i) pieces.emplace_back(static_cast<const char*>(parts[i].data), parts[i].size);
    return pieces;
}

TEST(WriteBufferOfGivenBytes, NamesThemWhereTheyAre) {
    WriteBuffer buffer;
    std::string text = text_of(10'000);
    SharedBytes shared(text_of(5'000));
    std::string_view at = text;
    buffer.append(GivenBytes(text), 1'000);
    buffer.append("between");
    buffer.append(GivenBytes(shared), 0);
    buffer.append(GivenBytes(shared), 0);
    buffer.append("behind");
    EXPECT_EQ(buffer.size(), 9'000u + 7 + 10'000 + 6);
    std::vector<std::string_view> pieces = pieces_of(buffer);
    ASSERT_EQ(pieces.size(), 5u);
    EXPECT_EQ(pieces[0].data(), at.data() + 1'000);
    EXPECT_EQ(pieces[0], text_of(10'000).substr(1'000));
    EXPECT_EQ(pieces[1], "between");
    EXPECT_EQ(pieces[2].data(), shared.data());
    EXPECT_EQ(pieces[3].data(), shared.data());
    EXPECT_EQ(pieces[4], "behind");

    buffer.drop(9'000 + 3);
    EXPECT_EQ(pieces_of(buffer)[0], "ween");
    buffer.drop(4 + 5'000 + 4'999);
    EXPECT_EQ(pieces_of(buffer)[0], shared.view().substr(4'999));
    buffer.drop(1 + 6);
    EXPECT_TRUE(buffer.empty());
    EXPECT_TRUE(pieces_of(buffer).empty());
    buffer.append("again");
    EXPECT_EQ(pieces_of(buffer), std::vector<std::string_view>{"again"});
}

TEST(WriteBufferOfGivenBytes, CopiesWhatIsLittleOrIsInMuchMemory) {
    WriteBuffer buffer;
    std::string little = "little";
    std::string rest = text_of(10'000);
    std::string in_much = text_of(5'000);
    in_much.reserve(1'000'000);
    buffer.append(GivenBytes(rest), 9'990);
    buffer.append(GivenBytes(little), 0);
    buffer.append(GivenBytes(in_much), 0);
    EXPECT_EQ(pieces_of(buffer),
              std::vector<std::string_view>{text_of(10'000).substr(9'990) + "little" + text_of(5'000)});
    EXPECT_EQ(little, "little");
    EXPECT_EQ(rest, text_of(10'000));
    EXPECT_EQ(in_much, text_of(5'000));
}

TEST(SharedBytes, CopiesHaveTheSameBytes) {
    SharedBytes none;
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.view(), "");
    SharedBytes bytes(std::string("abc"));
    SharedBytes copy = bytes;
    EXPECT_EQ(copy.data(), bytes.data());
    EXPECT_EQ(copy.size(), 3u);
    EXPECT_TRUE(copy == SharedBytes(std::string("abc")));
    EXPECT_FALSE(copy == none);
    EXPECT_FALSE((std::is_convertible_v<const char*, SharedBytes>));  // or write("text") could mean it
    EXPECT_FALSE((std::is_convertible_v<std::string, SharedBytes>));
}

using GivenBytesTest = NetTest;

TEST_F(GivenBytesTest, AStringIsTakenOnlyIfItHasToBeKept) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        std::string small = "all of it goes at once";
        writer.write(std::move(small));
        EXPECT_EQ(small, "all of it goes at once");
        EXPECT_EQ(writer.get_write_buffer_size(), 0u);

        std::string expected = small;
        while (writer.get_write_buffer_size() < 1'000'000) {
            std::string large = text_of(3'000'000);
            expected += large;
            writer.write(std::move(large));
            EXPECT_EQ(large.empty(), writer.get_write_buffer_size() >= 750'000);  // a quarter of it
        }
        SharedBytes shared(text_of(100'000, 'A'));
        std::string kept = "copied, since it is referred to";
        writer.write(shared);
        writer.write(kept);
        writer.write(std::string("little"));
        writer.write(shared);
        EXPECT_EQ(kept, "copied, since it is referred to");
        expected += text_of(100'000, 'A') + kept + "little" + text_of(100'000, 'A');
        writer.close();
        std::string all = co_await ends.server.reader.read();
        EXPECT_TRUE(all == expected);
        EXPECT_EQ(shared.view(), text_of(100'000, 'A'));
    });
}

TEST_F(GivenBytesTest, ManyTasksThatWriteAndDrainAreServedWholeAndInOrder) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        SharedBytes shared(text_of(70'000, 'A'));
        std::string order;
        auto send = [&](char name) -> Coro<> {
            for (int i = 0; i < 20; ++i) {
                order += name;
                std::string mine(100'000, name);
                writer.write(std::move(mine));
                writer.write(shared);
                co_await writer.drain();
            }
        };
        auto reading = create_task(ends.server.reader.read());
        co_await gather(send('a'), send('b'), send('c'));
        writer.close();
        std::string all = co_await reading;
        std::string expected;
        for (char name : order) expected.append(100'000, name).append(shared.view());
        EXPECT_EQ(order.size(), 60u);
        EXPECT_TRUE(all == expected);
    });
}

TEST_F(GivenBytesTest, ATransportOfAProtocolAndOfAPipeKeepItAsWell) {
    run_net([]() -> Coro<> {
        std::string expected = text_of(1'000'000) + text_of(50'000, 'A') + text_of(50'000, 'A') + "end";
        auto write_all = [](const WriteTransport& transport) {
            std::string text = text_of(1'000'000);
            SharedBytes shared(text_of(50'000, 'A'));
            transport.write(std::move(text));
            EXPECT_EQ(text, "");
            transport.write(shared);
            transport.write(shared);
            transport.write("end");
            EXPECT_GT(transport.get_write_buffer_size(), 0u);
            transport.close();
        };
        auto [one, other] = socketpair();
        std::string told;
        auto made = co_await create_connection([&] { return support::Recorder(&told); }, {.sock = &one});
        write_all(made.transport);
        std::string all;
        for (;;) {
            std::string part = co_await sock_recv(other, 1'000'000);
            if (part.empty()) break;
            all += part;
        }
        EXPECT_TRUE(all == expected);

        support::PipeEnds pipe;
        auto piped = co_await connect_write_pipe([&] { return support::Recorder(&told); }, pipe.give_writer());
        write_all(piped.transport);
        all.clear();
        for (;;) {
            std::string part = pipe.read();
            if (part.empty()) break;
            if (part.starts_with("error ")) {
                co_await asyncio::sleep(0);
            } else {
                all += part;
            }
        }
        EXPECT_TRUE(all == expected);
    });
}

TEST_F(GivenBytesTest, AfterTheEndNothingIsTaken) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        writer.write_eof();
        std::string text = text_of(10'000);
        EXPECT_EQ(support::outcome([&] { writer.write(std::move(text)); }),
                  "RuntimeError('Cannot call write() after write_eof()')");
        EXPECT_EQ(text.size(), 10'000u);
        ends.server.writer.abort();
        ends.server.writer.write(std::move(text));  // in vain
        EXPECT_EQ(text.size(), 10'000u);
    });
}

}  // namespace
