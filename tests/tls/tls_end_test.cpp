#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <string>
#include <utility>

#include "net/stream_support.h"
#include "tls/tls_by_hand.h"
#include "tls/tls_ends.h"

// How connections by TLS end, and that nothing is lost by it.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::connect_by_tls;
using support::Ends;
using support::outcome_of;
using support::port_of;
using support::Recorder;
using support::run_net;
using support::serve_by_hand;
using support::TlsByHand;

class TlsEndTest : public support::NetTest {};

/// Ends this half of the connection without a word of TLS.
void cut(const StreamWriter& writer) { ::shutdown(writer.get_extra_info("socket").socket().fileno(), SHUT_WR); }

/// The error first, as in Python, and then what had come.
TEST_F(TlsEndTest, ByACutLeavesWhatHadComeToWhoReadsOn) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        ends.client.writer.write("all of a line\nand a part");
        cut(ends.client.writer);
        StreamReader reader = ends.server.reader;
        std::string cut_off = "SSLEOFError('EOF occurred in violation of protocol (connection with 127.0.0.1:PORT)')";
        auto read = [&]() -> Coro<std::string> { co_return co_await reader.read(); };
        std::string got = co_await outcome_of(read());
        EXPECT_EQ(support::without_port(got), cut_off);
        got = co_await reader.readline();
        EXPECT_EQ(got, "all of a line\n");
        got = co_await reader.read();
        EXPECT_EQ(got, "and a part");
        EXPECT_FALSE(reader.at_eof());
        got = co_await outcome_of(read());
        EXPECT_EQ(support::without_port(got), cut_off);
        ends.client.writer.abort();
        ends.server.writer.abort();
    });
}

TEST_F(TlsEndTest, IsInGoodOrderForAServersClientsWhenItClosesThem) {
    run_net([]() -> Coro<> {
        Queue<int> served;
        auto hold = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            writer.write("welcome");
            served.put_nowait(1);
            co_await reader.read();
        };
        for (int layers : {0, 1, 2}) {
            StartServerOptions of_server = {.ssl = support::for_servers()};
            if (layers == 0) of_server = {};
            auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
                if (layers == 2) co_await writer.start_tls(support::for_servers());
                co_await hold(reader, writer);
            };
            Server server = co_await start_server(serve, "127.0.0.1", 0, of_server);
            OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
            if (layers == 0) options = {};
            Streams client = co_await open_connection("127.0.0.1", port_of(server), options);
            StartTlsOptions inner = {.server_hostname = "localhost"};
            if (layers == 2) co_await client.writer.start_tls(support::for_clients(), inner);
            co_await served.get();
            server.close();
            server.close_clients();
            std::string got = co_await client.reader.read();
            EXPECT_EQ(got, "welcome");
            client.writer.close();
            co_await client.writer.wait_closed();
            co_await server.wait_closed();
        }
    });
}

/// He sends all the time, and reads late.
TEST_F(TlsEndTest, LosesNothingThatWasWrittenIfTheOtherEndStillSends) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        std::string much(3'000'000, 'm');
        auto send = [&]() -> Coro<> {
            try {
                for (int i = 0; i < 2000; ++i) {
                    ends.client.writer.write(std::string(20'000, 'c'));
                    co_await ends.client.writer.drain();
                    co_await sleep(0);
                }
            } catch (const ConnectionResetError&) {  // when the goodbye has come
            }
        };
        ends.client.writer.transport().pause_reading();
        auto sending = create_task(send);
        co_await sleep(0.005);
        ends.server.writer.write(much);
        ends.server.writer.close();
        co_await sleep(0.02);
        ends.client.writer.transport().resume_reading();
        std::string got = co_await ends.client.reader.read();
        EXPECT_TRUE(got == much) << got.size();
        co_await sending;
        co_await ends.server.writer.wait_closed();
        ends.client.writer.close();
        co_await ends.client.writer.wait_closed();
    });
}

/// Nobody has read what has come, which closing must not take for a fault.
TEST_F(TlsEndTest, IsInGoodOrderThoughSomethingIsUnread) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        ends.server.writer.transport().pause_reading();
        ends.client.writer.write("unread");
        co_await sleep(0.01);
        ends.server.writer.write(std::string(2'000'000, 'x'));
        ends.server.writer.close();
        std::string got = co_await ends.client.reader.read();
        EXPECT_EQ(got.size(), 2'000'000U);
        co_await ends.server.writer.wait_closed();
        ends.client.writer.close();
        co_await ends.client.writer.wait_closed();
    });
}

TEST_F(TlsEndTest, DoesNotWaitForEverForOneWhoSendsAndNeverEnds) {
    run_net([]() -> Coro<> {
        TlsByHand client;
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        ConnectAcceptedSocketOptions options = {.ssl = support::for_servers(), .ssl_shutdown_timeout = 50ms};
        co_await serve_by_hand(client, protocol, options);
        protocol->transport.close();
        for (int i = 0; i < 1000 && told.find("lost") == told.npos; ++i) {
            client.write("more and more");
            co_await sleep(0.001);
        }
        EXPECT_EQ(told, "made;lost by TimeoutError('SSL shutdown timed out');");
        protocol->transport = Transport();
    });
}

/// The server's tickets, which it has not read, must not make the kernel drop what it has sent.
TEST_F(TlsEndTest, LosesNothingOfAClientThatOnlyWrites) {
    run_net([]() -> Coro<> {
        for (int i = 0; i < 10; ++i) {
            std::string got;
            Event over;
            auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
                co_await sleep(0.005);
                got = co_await reader.read();
                writer.close();
                over.set();
            };
            Server server = co_await start_server(serve, "127.0.0.1", 0, {.ssl = support::for_servers()});
            OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
            Streams client = co_await open_connection("127.0.0.1", port_of(server), options);
            client.writer.write(std::string(1'000'000, 'w'));
            client.writer.close();
            co_await client.writer.wait_closed();
            co_await over.wait();
            EXPECT_EQ(got.size(), 1'000'000U);
            server.close();
            co_await server.wait_closed();
        }
    });
}

/// Reading is paused, so that it cannot be told yet that the client has gone; nothing that is written gets anywhere.
TEST_F(TlsEndTest, LetsOthersRunWhileSomebodyWritesToWhoHasGone) {
    run_net([]() -> Coro<> {
        StartServerOptions of_server = {.limit = 1000};
        Ends ends = co_await connect_by_tls(of_server);
        std::string all(3'000, 'x');
        ends.client.writer.write(all);
        co_await ends.client.writer.drain();
        co_await sleep(0.1);
        ends.client.writer.abort();
        co_await sleep(0.1);
        int turns = 0;
        auto count = [&]() -> Coro<> {
            for (;; ++turns) co_await sleep(0);
        };
        auto counting = create_task(count);
        for (int i = 0; i < 100; ++i) {
            ends.server.writer.write("x");
            co_await ends.server.writer.drain();
        }
        EXPECT_GT(turns, 50);
        std::string read = co_await ends.server.reader.readexactly(all.size());
        EXPECT_EQ(read, all);
        counting.cancel();
    });
}

/// And when nobody reads what had come the connection goes with its last handle.
TEST_F(TlsEndTest, LeavesNothingOpenOfWhoHasGoneAndWasWrittenTo) {
    run_net([]() -> Coro<> {
        StartServerOptions of_server = {.limit = 1000};
        Ends ends = co_await connect_by_tls(of_server);
        ends.client.writer.write(std::string(3'000, 'x'));
        co_await ends.client.writer.drain();
        co_await sleep(0.1);
        ends.client.writer.abort();
        co_await sleep(0.1);
        ends.server.writer.write("x");
        int open = support::count_open_fds();
        ends.server = {};
        for (int i = 0; i < 1000 && support::count_open_fds() == open; ++i) co_await sleep(0.01);
        EXPECT_EQ(support::count_open_fds(), open - 1);
    });
}

}  // namespace
}  // namespace asyncio
