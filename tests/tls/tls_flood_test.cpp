#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "net/stream_support.h"
#include "tls/engine_support.h"

// Crowds of clients that never come to an end of their handshakes, and one that is served meanwhile.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::port_of;
using support::run_net;
using support::TlsEnd;

class TlsFloodTest : public support::NetTest {};

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (std::string line = "\n"; !line.empty();) {
        line = co_await reader.readline();
        writer.write(line);
    }
    writer.close();
}

/// How far one goes before it breaks off, and how.
struct Plan {
    int flights = 0;  // of its own that it sends whole
    unsigned chance = 0;
    bool resets = false;
};

Coro<> break_off(int port, Plan plan) {
    Streams streams = co_await open_connection("127.0.0.1", port);
    TlsEnd end;
    end.begin(support::for_clients(), {.server_hostname = "localhost"});
    end.step();
    try {
        for (int flight = 0; flight < plan.flights; ++flight) {
            streams.writer.write(end.out.read());
            std::string answer = co_await streams.reader.read(65536);
            if (answer.empty()) break;
            end.in.write(answer);
            end.step();
        }
        std::string last = end.out.read();
        streams.writer.write(last.substr(0, last.empty() ? 0 : plan.chance % last.size()));
        co_await sleep(0.001 * (plan.chance % 3));
    } catch (const OSError&) {
    }
    plan.resets ? support::reset(streams.writer) : streams.writer.abort();
}

TEST_F(TlsFloodTest, OfAThousandWhoBreakOffDisturbsNobody) {
    run_net([]() -> Coro<> {
        std::string told;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& context) { told += context.message + "; "; });
        Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = support::for_servers()});
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        Streams good = co_await open_connection("127.0.0.1", port_of(server), options);
        std::mt19937 chance(15);
        for (int batch = 0; batch < 20; ++batch) {
            std::vector<Coro<>> bad;
            for (int i = 0; i < 50; ++i) {
                Plan plan = {static_cast<int>(chance() % 2), static_cast<unsigned>(chance()), chance() % 2 == 0};
                bad.push_back(break_off(port_of(server), plan));
            }
            auto flood = gather(std::move(bad));
            while (!flood.done()) {
                good.writer.write("still here\n");
                std::string line = co_await good.reader.readline();
                EXPECT_EQ(line, "still here\n");
                co_await sleep(0.002);
            }
            co_await flood;
        }
        good.writer.close();
        co_await good.writer.wait_closed();
        server.close();
        co_await server.wait_closed();  // for each of them
        EXPECT_EQ(told.substr(0, 200), "");
    });
}

/// Each has its time, and no more.
TEST_F(TlsFloodTest, OfSilentClientsIsOverWhenTheirTimeIs) {
    run_net([]() -> Coro<> {
        StartServerOptions of_server = {.ssl = support::for_servers(), .ssl_handshake_timeout = 300ms};
        Server server = co_await start_server(echo, "127.0.0.1", 0, of_server);
        std::vector<Streams> silent;
        for (int i = 0; i < 200; ++i) {
            Streams one = co_await open_connection("127.0.0.1", port_of(server));
            silent.push_back(std::move(one));
        }
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        Streams good = co_await open_connection("127.0.0.1", port_of(server), options);
        good.writer.write("hello\n");
        std::string line = co_await good.reader.readline();
        EXPECT_EQ(line, "hello\n");
        for (Streams& one : silent) {
            try {
                std::string nothing = co_await one.reader.read();
                EXPECT_EQ(nothing, "");
            } catch (const ConnectionResetError&) {
            }
            one.writer.abort();
        }
        good.writer.close();
        co_await good.writer.wait_closed();
        server.close();
        co_await server.wait_closed();
    });
}

/// A handshake of which each byte comes alone, in both directions, is one all the same.
TEST_F(TlsFloodTest, OfSingleBytesIsAHandshake) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = support::for_servers()});
        auto trickle = [&](StreamReader from, StreamWriter to) -> Coro<> {
            for (;;) {
                std::string byte = co_await from.read(1);
                if (byte.empty()) break;
                to.write(byte);
                co_await sleep(0);
            }
            to.close();
        };
        auto between = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            Streams beyond = co_await open_connection("127.0.0.1", port_of(server));
            co_await gather(trickle(reader, beyond.writer), trickle(beyond.reader, writer));
        };
        Server slow = co_await start_server(between, "127.0.0.1", 0);
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        Streams streams = co_await open_connection("127.0.0.1", port_of(slow), options);
        streams.writer.write("hello\n");
        std::string line = co_await streams.reader.readline();
        EXPECT_EQ(line, "hello\n");
        streams.writer.close();
        co_await streams.writer.wait_closed();
        slow.close();
        server.close();
        co_await slow.wait_closed();
        co_await server.wait_closed();
    });
}

}  // namespace
}  // namespace asyncio
