// A transport and what its protocol is told.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "net/protocol_support.h"
#include "support/run_test.h"

namespace asyncio {
namespace {

using support::BufferedRecorder;
using support::Recorder;
using support::run_test;

TEST(SocketTransportTest, TellsItsProtocolInOrder) {
    run_test([]() -> Coro<> {
        auto [one, other] = socketpair();
        std::string told;
        auto made = co_await create_connection([&] { return Recorder(&told); }, {.sock = &one});
        EXPECT_EQ(told, "made;");
        co_await sock_sendall(other, "abc");
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;data abc;");
        made.transport.write("hello");
        made.transport.close();
        EXPECT_EQ(told, "made;data abc;");  // the end is told in a pass of its own
        co_await sleep(0);
        co_await sleep(0);
        EXPECT_EQ(told, "made;data abc;lost;");
        made.protocol.reset();
        EXPECT_EQ(told, "made;data abc;lost;destroyed;");
        std::string received = co_await sock_recv(other, 10);
        EXPECT_EQ(received, "hello");
    });
}

TEST(SocketTransportTest, ReceivesIntoTheBufferOfItsProtocol) {
    run_test([]() -> Coro<> {
        auto [one, other] = socketpair();
        std::string told;
        auto made = co_await create_connection([&] { return BufferedRecorder(&told); }, {.sock = &one});
        co_await sock_sendall(other, "abcdef");
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;buffer abcd;buffer ef;");
        made.transport.abort();
        co_await sleep(0.01);
        EXPECT_TRUE(made.transport.is_closing());
        EXPECT_EQ(told, "made;buffer abcd;buffer ef;lost;");
    });
}

TEST(SocketTransportTest, AsksItsProtocolWhetherItStaysOpenAfterAnEnd) {
    run_test([]() -> Coro<> {
        for (bool stays_open : {true, false}) {
            auto [one, other] = socketpair();
            std::string told;
            auto factory = [&] { return Recorder(&told, stays_open); };
            auto made = co_await create_connection(factory, {.sock = &one});
            other.shutdown(Shut::WR);
            co_await sleep(0.01);
            EXPECT_EQ(told, stays_open ? "made;eof;" : "made;eof;lost;");
            made.transport.abort();
            co_await sleep(0.01);
            EXPECT_EQ(told, "made;eof;lost;");
        }
    });
}

TEST(SocketTransportTest, PausesTheWritingOfItsProtocolAtTheWaterMarks) {
    run_test([]() -> Coro<> {
        auto [one, other] = socketpair();
        std::string told;
        auto made = co_await create_connection([&] { return Recorder(&told); }, {.sock = &one});
        std::size_t left = 4'000'000;
        made.transport.write(std::string(left, 'x'));
        EXPECT_EQ(told, "made;pause;");
        while (left > 0) {
            std::string data = co_await sock_recv(other, 1'000'000);
            left -= data.size();
        }
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;pause;resume;");
        made.transport.abort();
        co_await sleep(0.01);
    });
}

}  // namespace
}  // namespace asyncio
