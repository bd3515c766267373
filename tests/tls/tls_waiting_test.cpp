#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "net/stream_support.h"
#include "tls/tls_ends.h"
#include "tls/waiting_records.h"

// What the transport below has no room for.

namespace asyncio {
namespace {

using detail::keep_room;
using detail::room_for_records;
using detail::WaitingRecords;
using support::connect_by_tls;
using support::Ends;
using support::run_net;

class TlsWaitingTest : public support::NetTest {};

/// Both speak TLS once more, through the TLS that they have.
Coro<> start_tls_within(Ends& ends) {
    StartTlsOptions of_client = {.server_hostname = "localhost"};
    StartTlsOptions of_server = {.server_side = true};
    co_await gather(ends.client.writer.start_tls(support::for_clients(), of_client),
                    ends.server.writer.start_tls(support::for_servers(), of_server));
}

/// Nobody reads yet, and the kernel takes little. Gives what was written.
std::string write_much(const StreamWriter& writer) {
    writer.get_extra_info("socket").socket().setsockopt(SOL_SOCKET, SO_SNDBUF, 16 * 1024);
    std::string all;
    unsigned number = 1;
    for (int i = 0; i < 150; ++i) {
        number = number * 1'103'515'245 + 12'345;
        std::string piece(1 + number / 65536 % (i % 3 == 0 ? 150'000 : 500), static_cast<char>('a' + i % 26));
        writer.write(piece);
        all += piece;
    }
    return all;
}

TEST_F(TlsWaitingTest, GoesOutInTheOrderOfTheWrites) {
    for (bool is_in_tls : {false, true}) {
        run_net([is_in_tls]() -> Coro<> {
            Ends ends = co_await connect_by_tls();
            if (is_in_tls) co_await start_tls_within(ends);
            std::string all = write_much(ends.client.writer);
            EXPECT_GT(ends.client.writer.get_write_buffer_size(), 200'000U);  // else nothing has waited
            auto write_more = [&]() -> Coro<> {
                co_await ends.client.writer.drain();
                ends.client.writer.write("and the end");
                co_await ends.client.writer.drain();
            };
            auto writing = create_task(write_more);
            std::string got = co_await ends.server.reader.readexactly(all.size() + 11);
            EXPECT_TRUE(got == all + "and the end") << got.size();
            co_await writing;
            EXPECT_EQ(ends.client.writer.get_write_buffer_size(), 0U);
            ends.client.writer.close();
            ends.server.writer.close();
            co_await ends.client.writer.wait_closed();
        });
    }
}

TEST_F(TlsWaitingTest, GoesOutAlsoIfTheConnectionIsClosedMeanwhile) {
    for (bool is_in_tls : {false, true}) {
        run_net([is_in_tls]() -> Coro<> {
            Ends ends = co_await connect_by_tls();
            if (is_in_tls) co_await start_tls_within(ends);
            std::string all = write_much(ends.client.writer);
            ends.client.writer.close();
            std::string got = co_await ends.server.reader.read();
            EXPECT_TRUE(got == all) << got.size();
            ends.server.writer.close();
            co_await ends.client.writer.wait_closed();
        });
    }
}

TEST_F(TlsWaitingTest, IsDroppedByAnAbort) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        write_much(ends.client.writer);
        ends.client.writer.abort();
        co_await sleep(0.001);
        EXPECT_EQ(ends.client.writer.get_write_buffer_size(), 0U);
        ends.server.writer.abort();
    });
}

TEST(WaitingRecordsTest, AreTakenInTheirOrderAndCounted) {
    WaitingRecords records;
    EXPECT_TRUE(records.empty());
    records.append("first");
    records.append("the second");
    EXPECT_EQ(records.size(), 15U);
    EXPECT_EQ(records.take_first(), "first");
    EXPECT_EQ(records.size(), 10U);
    EXPECT_EQ(records.take_first(), "the second");
    EXPECT_TRUE(records.empty());
    records.append("a third");
    records.clear();
    EXPECT_TRUE(records.empty());
    EXPECT_EQ(records.size(), 0U);
}

/// What this thread has kept so far goes.
std::vector<std::size_t> kept_rooms() {
    std::vector<std::size_t> sizes;
    for (;;) {
        std::string room = room_for_records();  // one of its own: a string that is assigned to keeps its memory
        if (room.capacity() <= std::string().capacity()) return sizes;
        sizes.push_back(room.capacity());
    }
}

std::string room_of(std::size_t size) {
    std::string room;
    room.reserve(size);
    return room;
}

TEST(RoomForRecordsTest, IsTheLargestThatWasKept) {
    kept_rooms();
    for (std::size_t size : {20'000U, 60'000U, 40'000U}) keep_room(room_of(size));
    EXPECT_EQ(kept_rooms(), (std::vector<std::size_t>{60'000, 40'000, 20'000}));
    EXPECT_EQ(room_for_records().capacity(), std::string().capacity());
}

TEST(RoomForRecordsTest, IsBounded) {
    kept_rooms();
    for (std::size_t size = 20'000; size < 40'000; size += 1'000) keep_room(room_of(size));
    keep_room(room_of(100'000));  // too large
    std::vector<std::size_t> kept = kept_rooms();
    EXPECT_EQ(kept.size(), 8U);
    EXPECT_EQ(kept.front(), 39'000U);
    EXPECT_EQ(kept.back(), 32'000U);
}

TEST(RoomForRecordsTest, IsOfOneSmallMessageAtMost) {
    kept_rooms();
    keep_room(room_of(500));
    keep_room(room_of(500));
    EXPECT_EQ(kept_rooms().size(), 1U);
    std::string used = room_of(20'000);
    used = "text";
    keep_room(std::move(used));
    EXPECT_EQ(room_for_records(), "");
}

}  // namespace
}  // namespace asyncio
