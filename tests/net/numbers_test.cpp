#include <asyncio/errors/os_errors.h>
#include <asyncio/net/dns.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdint>
#include <limits>
#include <string>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::NetTest;
using support::outcome;
using support::run_net;
using support::send_now;

namespace {

using NumbersTest = NetTest;

constexpr std::size_t huge[] = {std::size_t{1} << 30, std::size_t{1} << 46, PTRDIFF_MAX, SIZE_MAX};

TEST_F(NumbersTest, AReceiveIsPaidForByWhatIsThereAndNotByWhatWasAskedFor) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair();
        auto [c, d] = socketpair(AddressFamily::UNIX, SocketKind::DGRAM);
        for (std::size_t size : huge) {
            EXPECT_EQ(send_now(a, "hello"), 5);
            std::string data = co_await sock_recv(b, size);
            EXPECT_EQ(data, "hello");
            EXPECT_LT(data.capacity(), 100u);
            EXPECT_EQ(send_now(c, "hello"), 5);
            ReceivedFrom received = co_await sock_recvfrom(d, size);
            EXPECT_EQ(received.data, "hello");
            EXPECT_LT(received.data.capacity(), 100u);
        }
    });
}

TEST_F(NumbersTest, AReceiveThatWaitsNeedsNoMemoryForWhatIsNotThereYet) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [a, b] = pair;
        for (std::size_t size : huge) {
            auto waiting = create_task(sock_recv(b, size));
            co_await sleep(0s);
            EXPECT_EQ(send_now(a, "hello"), 5);
            std::string data = co_await std::move(waiting);
            EXPECT_EQ(data, "hello");
            EXPECT_LT(data.capacity(), 100u);
        }
    });
}

TEST_F(NumbersTest, AReceiveGivesAllThatIsThereAtOnce) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, server.getsockname());
        Accepted accepted = co_await sock_accept(server);
        std::size_t sent = 0;
        for (std::string block(65536, 'x'); sent < 2'000'000;) {
            ssize_t size = send_now(client, block);
            if (size <= 0) break;
            sent += static_cast<std::size_t>(size);
        }
        int there = 0;
        for (int i = 0; i < 1000 && static_cast<std::size_t>(there) < sent; ++i) {
            co_await sleep(1ms);
            EXPECT_EQ(::ioctl(accepted.conn.fileno(), FIONREAD, &there), 0);
            if (i > 20 && there > 400'000) break;
        }
        std::string data = co_await sock_recv(accepted.conn, SIZE_MAX);
        EXPECT_GE(data.size(), static_cast<std::size_t>(there));
    });
}

TEST_F(NumbersTest, ADatagramIsReceivedWholeHoweverLargeItIs) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair(AddressFamily::UNIX, SocketKind::DGRAM);
        std::size_t size = 100'000;
        a.setsockopt(SOL_SOCKET, SO_SNDBUF, 1'000'000);  // as far as the system lets us
        for (std::size_t more : {400'000u, 300'000u, 200'000u}) {
            if (send_now(a, std::string(more, 'x')) < 0) continue;
            size = more;
            break;
        }
        if (size == 100'000) {
            EXPECT_EQ(send_now(a, std::string(size, 'x')), 100'000);
        }
        ReceivedFrom received = co_await sock_recvfrom(b, SIZE_MAX);
        EXPECT_EQ(received.data.size(), size);
    });
}

// CPython: int(…) has no largest number: read(2**64 - 1) gives what is there.
TEST_F(NumbersTest, ANumberThatFitsNoSizeIsALargeOneAndNotANegativeOne) {
    run_net([]() -> Coro<> {
        for (std::size_t size : huge) {
            StreamReader reader{StreamReaderOptions{}};
            reader.feed_data("hello");
            std::string data = co_await reader.read(size);
            EXPECT_EQ(data, "hello");
            reader.feed_data("hello");
            reader.feed_eof();
            try {
                co_await reader.readexactly(size);
                ADD_FAILURE();
            } catch (const IncompleteReadError& error) {
                EXPECT_EQ(error.partial(), "hello");
            }
        }
        StreamReader reader{StreamReaderOptions{}};
        std::int8_t three = 3;
        std::int64_t minus_five = -5;
        reader.feed_data("hello");
        std::string data = co_await reader.read(three);
        EXPECT_EQ(data, "hel");
        reader.feed_eof();
        data = co_await reader.read(minus_five);
        EXPECT_EQ(data, "lo");
    });
}

TEST_F(NumbersTest, APortThatFitsNoPortIsNotCutToOneThatDoes) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        std::int64_t port = server.getsockname().port();
        auto failure_of = [](std::string host, Port wild) -> Coro<std::string> {
            try {
                co_await open_connection(host, wild);
            } catch (...) {
                co_return caught();
            }
            co_return "connected";
        };
        constexpr std::int64_t one = 1;
        for (std::int64_t step : {one << 16, one << 32, one << 62}) {
            std::string text = std::to_string(port + step);
            std::string spaced = " " + text;
            std::string signed_text = "+" + text;
            for (Port wild : {Port(port + step), Port(text), Port(spaced), Port(signed_text)}) {
                std::string failure = co_await failure_of("127.0.0.1", wild);
                EXPECT_TRUE(failure.starts_with("ValueError('port must be 0-65535")) << failure;
                failure = co_await failure_of("localhost", wild);
                EXPECT_TRUE(failure.starts_with("gaierror(-8, 'Servname not supported for ai_socktype: port "))
                    << failure;
            }
        }
        constexpr std::uint64_t unsigned_port = (std::uint64_t{1} << 63) + 1;
        std::string failure = co_await failure_of("127.0.0.1", unsigned_port);
        EXPECT_TRUE(failure.starts_with("ValueError('port must be 0-65535")) << failure;
        failure = co_await failure_of("127.0.0.1", "99999999999999999999999");
        EXPECT_TRUE(failure.starts_with("ValueError('port must be 0-65535")) << failure;
        failure = co_await failure_of("127.0.0.1", 99999);
        EXPECT_EQ(failure, "ValueError('port must be 0-65535, not 99999.')");
        failure = co_await failure_of("localhost", 99999);
        EXPECT_EQ(failure, "gaierror(-8, 'Servname not supported for ai_socktype: port 99999')");
        EXPECT_EQ(outcome([&] { return SocketAddress("127.0.0.1", (one << 32) + port); }),
                  "ValueError('port must be 0-65535.')");
        EXPECT_EQ(outcome([&] { return SocketAddress("::1", 1, 0x100000); }),
                  "ValueError('flowinfo must be 0-1048575.')");
    });
}

// In CPython a server with a negative backlog accepts nobody, and its loop spins.
TEST_F(NumbersTest, AServerWithANegativeBacklogAcceptsAsOneWithNone) {
    run_net([]() -> Coro<> {
        for (int backlog : {-1, -100, 0, std::numeric_limits<int>::min()}) {
            auto greet = [](StreamReader, StreamWriter writer) { writer.write("hello"); };
            StartServerOptions options{.backlog = backlog};
            Server server = co_await start_server(greet, "127.0.0.1", 0, options);
            int port = server.sockets()[0].getsockname().port();
            for (int i = 0; i < 3; ++i) {
                Streams streams = co_await open_connection("127.0.0.1", port);
                std::string greeting = co_await streams.reader.read();
                EXPECT_EQ(greeting, "hello");
            }
            server.close();
            co_await server.wait_closed();
        }
    });
}

TEST_F(NumbersTest, LimitsDoNotOverflow) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair();
        constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
        Streams streams = co_await open_unix_connection({.limit = most, .sock = &a});
        EXPECT_EQ(send_now(b, std::string(100'000, 'x') + "\n"), 100'001);
        std::string line = co_await streams.reader.readline();
        EXPECT_EQ(line.size(), 100'001u);
        std::size_t low = SIZE_MAX / 2;
        streams.writer.set_write_buffer_limits({.low = low});
        EXPECT_EQ(streams.writer.get_write_buffer_limits().low, low);
        EXPECT_GE(streams.writer.get_write_buffer_limits().high, low);
        streams.writer.set_write_buffer_limits({.high = SIZE_MAX});
        EXPECT_EQ(streams.writer.get_write_buffer_limits().low, std::size_t{PTRDIFF_MAX / 4});
        int minus_one = -1;
        EXPECT_EQ(outcome([&] {
                      streams.writer.set_write_buffer_limits({.high = minus_one});
                      return 0;
                  }),
                  "ValueError('high (-1) must be >= low (-1) must be >= 0')");  // CPython: the same
        EXPECT_EQ(outcome([&] {
                      streams.writer.set_write_buffer_limits({.low = minus_one});
                      return 0;
                  }),
                  "ValueError('high (-4) must be >= low (-1) must be >= 0')");  // CPython: the same
    });
}

}  // namespace
