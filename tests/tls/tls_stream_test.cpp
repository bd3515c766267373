#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <string>
#include <utility>

#include "net/stream_support.h"
#include "tls/engine_support.h"
#include "tls/tls_ends.h"

// Streams by TLS, on both ends.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::authority;
using support::certify;
using support::client_context;
using support::close_both;
using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::port_of;
using support::run_net;
using support::server_context;

class TlsStreamTest : public support::NetTest {};

Coro<Ends> connect_by_tls(SSLContext client = client_context(), SSLContext server = server_context()) {
    Ends ends = co_await connect_ends({.ssl = server}, {.ssl = client, .server_hostname = "localhost"});
    co_return ends;
}

// CPython: test_streams.py, StreamTests.test_open_connection_no_loop_ssl
TEST_F(TlsStreamTest, CarriesLinesBothWays) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        ends.client.writer.write("question\n");
        {
            std::string got = co_await ends.server.reader.readline();
            EXPECT_EQ(got, "question\n");
        }
        ends.server.writer.writelines(std::vector<std::string>{"ans", "wer\n"});
        co_await ends.server.writer.drain();
        {
            std::string got = co_await ends.client.reader.readline();
            EXPECT_EQ(got, "answer\n");
        }
        EXPECT_FALSE(ends.client.writer.can_write_eof());
        EXPECT_THROW(ends.client.writer.write_eof(), NotImplementedError);
        ends.client.writer.write("last words");
        ends.client.writer.close();
        EXPECT_TRUE(ends.client.writer.is_closing());
        {
            std::string got = co_await ends.server.reader.read();
            EXPECT_EQ(got, "last words");
        }
        EXPECT_TRUE(ends.server.reader.at_eof());
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
    });
}

TEST_F(TlsStreamTest, TellsWhatItIs) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        SSLObject tls = ends.client.writer.get_extra_info("ssl_object");
        EXPECT_TRUE(tls);
        EXPECT_EQ(tls.version(), "TLSv1.3");
        EXPECT_EQ(tls.server_hostname(), "localhost");
        EXPECT_EQ(tls.getpeercert()->subjectAltName[0].second, "localhost");
        EXPECT_TRUE(ends.client.writer.get_extra_info("sslcontext"));
        EXPECT_TRUE(ends.client.writer.get_extra_info("cipher"));
        EXPECT_TRUE(ends.client.writer.get_extra_info("peercert"));
        EXPECT_FALSE(ends.client.writer.get_extra_info("compression"));
        EXPECT_EQ(repr(ends.client.writer.get_extra_info("ssl_object")), "<asyncio.SSLObject>");
        EXPECT_EQ(ends.client.writer.get_extra_info("peername").address(),
                  ends.server.writer.get_extra_info("sockname").address());
        EXPECT_TRUE(ends.client.writer.get_extra_info("socket").socket());
        SSLObject server_tls = ends.server.writer.get_extra_info("ssl_object");
        EXPECT_TRUE(server_tls.server_side());
        EXPECT_FALSE(SSLObject(ends.client.writer.get_extra_info("peername")));
        EXPECT_NE(repr(ends.client.writer.transport()).find("_SSLProtocolTransport"), std::string::npos)
            << repr(ends.client.writer.transport());
        co_await close_both(ends);
    });
}

TEST_F(TlsStreamTest, CarriesMuchBothWaysAtOnce) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        std::string all(3'000'000, ' ');
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i * 7 + i / 1000);
        auto send = [&](StreamWriter writer) -> Coro<> {
            for (std::size_t at = 0; at < all.size(); at += 50'000) {
                writer.write(std::string_view(all).substr(at, 50'000));
                co_await writer.drain();
                EXPECT_LE(writer.get_write_buffer_size(), 700'000U);
            }
        };
        auto receive = [&](StreamReader reader) -> Coro<> {
            std::string received = co_await reader.readexactly(all.size());
            EXPECT_TRUE(received == all);
        };
        co_await gather(send(ends.client.writer), send(ends.server.writer), receive(ends.client.reader),
                        receive(ends.server.reader));
        co_await close_both(ends);
    });
}

TEST_F(TlsStreamTest, HoldsUpASenderWhomNobodyReads) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        std::string part(100'000, 'x');
        std::size_t sent = 0;
        auto send_for_ever = [&]() -> Coro<> {
            for (;;) {
                ends.client.writer.write(part);
                sent += part.size();
                co_await ends.client.writer.drain();
            }
        };
        auto sending = create_task(send_for_ever);
        std::size_t stopped_at = 0;
        while (stopped_at != sent) {
            stopped_at = sent;
            for (int i = 0; i < 100; ++i) co_await sleep(0.001);
        }
        EXPECT_LT(sent, 20'000'000U);
        sending.cancel();
        std::vector sending_alone{sending};
        co_await wait(sending_alone);
        std::string received = co_await ends.server.reader.readexactly(sent);
        EXPECT_EQ(received.size(), sent);
        co_await close_both(ends);
    });
}

TEST_F(TlsStreamTest, TellsACutConnectionFromAnEnd) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        ends.client.writer.write("part of it");
        co_await ends.client.writer.drain();
        {
            std::string got = co_await ends.server.reader.readexactly(4);
            EXPECT_EQ(got, "part");
        }
        std::string cut_off = "SSLEOFError('EOF occurred in violation of protocol (connection with 127.0.0.1:PORT)')";
        // The other end vanishes: its socket ends without a word of TLS.
        ends.client.writer.get_extra_info("socket").socket().setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
        ::shutdown(ends.client.writer.get_extra_info("socket").socket().fileno(), SHUT_WR);
        auto read = [&]() -> Coro<std::string> { co_return co_await ends.server.reader.read(); };
        {
            std::string got = co_await outcome_of(read());
            EXPECT_EQ(support::without_port(got), cut_off);
        }
        auto closed = [&]() -> Coro<> { co_await ends.server.writer.wait_closed(); };
        {
            std::string got = co_await outcome_of(closed());
            EXPECT_EQ(support::without_port(got), cut_off);
        }
        ends.client.writer.abort();
    });
}

TEST_F(TlsStreamTest, RefusesWhomItDoesNotTrust) {
    run_net([]() -> Coro<> {
        support::Certified stranger = certify({});
        SSLContext server_side = server_context(stranger);
        std::string told;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& context) { told += context.message; });
        auto never = [](StreamReader, StreamWriter) { ADD_FAILURE(); };
        Server server = co_await start_server(never, "127.0.0.1", 0, {.ssl = server_side});
        auto connect = [&](std::string_view name) -> Coro<Streams> {
            return open_connection("127.0.0.1", port_of(server),
                                   {.ssl = support::for_clients(), .server_hostname = name});
        };
        std::string outcome = co_await outcome_of(connect("localhost"));
        EXPECT_EQ(outcome,
                  "SSLCertVerificationError(\"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
                  "certificate (certificate of 'localhost')\")");
        co_await sleep(0.01);
        EXPECT_EQ(told, "") << "an OSError in a handshake is told to nobody, as in CPython";
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_streams.py, StreamTests.test_open_unix_connection_no_loop_ssl
TEST_F(TlsStreamTest, GoesOverUnixSockets) {
    run_net([]() -> Coro<> {
        support::Folder folder;
        auto echo = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            std::string line = co_await reader.readline();
            writer.write(line);
            writer.close();
            co_await writer.wait_closed();
        };
        Server server = co_await start_unix_server(echo, folder.path("sock"), {.ssl = support::for_servers()});
        std::string path = folder.path("sock");
        Streams streams =
            co_await open_unix_connection(path, {.ssl = support::for_clients(), .server_hostname = "localhost"});
        streams.writer.write("hello\n");
        {
            std::string got = co_await streams.reader.read();
            EXPECT_EQ(got, "hello\n");
        }
        streams.writer.close();
        co_await streams.writer.wait_closed();
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_ssl.py, TestSSL.test_create_connection_ssl_slow_handshake
// CPython: test_ssl.py, TestSSL.test_ssl_handshake_timeout
// CPython: test_sslproto.py, BaseStartTLS.test_create_connection_ssl_slow_handshake
// CPython: test_sslproto.py, BaseStartTLS.test_handshake_timeout
TEST_F(TlsStreamTest, IsGivenUpWhenItsHandshakeTakesTooLong) {
    run_net([]() -> Coro<> {
        Socket silent = support::listener();
        int port = silent.getsockname().port();
        SSLContext client = client_context();
        auto open = open_connection("127.0.0.1", port,
                                    {.ssl = client, .server_hostname = "localhost", .ssl_handshake_timeout = 20ms});
        std::string outcome = co_await outcome_of(std::move(open));
        EXPECT_EQ(support::without_port(outcome),
                  "ConnectionAbortedError('SSL handshake is taking longer than 0.02 seconds: aborting the connection "
                  "(with localhost, 127.0.0.1:PORT)')");

        // The same of a server: it drops who does not speak.
        auto never = [](StreamReader, StreamWriter) { ADD_FAILURE(); };
        Server server = co_await start_server(never, "127.0.0.1", 0,
                                              {.ssl = support::for_servers(), .ssl_handshake_timeout = 20ms});
        Streams silent_client = co_await open_connection("127.0.0.1", port_of(server));
        auto read = [&]() -> Coro<std::string> { co_return co_await silent_client.reader.read(); };
        outcome = co_await outcome_of(read());
        EXPECT_TRUE(outcome == "nothing" || outcome.starts_with("ConnectionResetError")) << outcome;
        silent_client.writer.close();
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(TlsStreamTest, CanBeCancelledInTheHandshake) {
    run_net([]() -> Coro<> {
        Socket silent = support::listener();
        int port = silent.getsockname().port();
        for (int passes = 0; passes < 12; ++passes) {
            auto open = [&]() -> Coro<> {
                Streams streams = co_await open_connection(
                    "127.0.0.1", port, {.ssl = support::for_clients(), .server_hostname = "localhost"});
            };
            auto opening = create_task(open);
            for (int i = 0; i < passes; ++i) co_await sleep(0);
            opening.cancel();
            std::vector opening_alone{opening};
            co_await wait(opening_alone);
            EXPECT_TRUE(opening.cancelled());
        }
        co_await sleep(0.01);
    });
}

TEST_F(TlsStreamTest, WaitsForTheOtherEndsGoodbyeAndNotForEver) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends({.ssl = support::for_servers(), .ssl_shutdown_timeout = 30ms},
                                          {.ssl = support::for_clients(), .server_hostname = "localhost"});
        ends.client.writer.transport().pause_reading();
        ends.server.writer.close();
        auto closed = [&]() -> Coro<> { co_await ends.server.writer.wait_closed(); };
        {
            std::string got = co_await outcome_of(closed());
            EXPECT_EQ(got, "TimeoutError('SSL shutdown timed out')");
        }
        ends.client.writer.abort();
        co_await sleep(0.01);
    });
}

TEST_F(TlsStreamTest, IsAbortedAtOnce) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        ends.client.writer.abort();
        co_await ends.client.writer.wait_closed();
        auto read = [&]() -> Coro<std::string> { co_return co_await ends.server.reader.read(); };
        std::string outcome = co_await outcome_of(read());
        EXPECT_TRUE(outcome.starts_with("SSLEOFError") || outcome.starts_with("ConnectionResetError")) << outcome;
        ends.client.writer.write("nothing happens");
    });
}

TEST_F(TlsStreamTest, OfALoopThatIsClosedLeavesNothing) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_by_tls();
        ends.client.writer.write("unread");
        static StreamWriter kept;
        kept = ends.client.writer;
        create_task([](StreamReader reader) -> Coro<> { co_await reader.read(); }, ends.server.reader);
        co_await sleep(0);
    });
}

}  // namespace
}  // namespace asyncio
