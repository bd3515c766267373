#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "net/stream_support.h"
#include "tls/tls_by_hand.h"

// Many connections by TLS at once, and how each ends.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::port_of;
using support::Recorder;
using support::run_net;
using support::serve_by_hand;
using support::TlsByHand;

class TlsCrowdTest : public support::NetTest {};

constexpr int count = 25;
const std::string first(200'000, 'A');
const std::string second(200'000, 'B');

/// What a server's task does in it, and how many have come to its end.
struct Service {
    int served = 0;
    bool ends_first = false;
    Coro<> operator()(StreamReader reader, StreamWriter writer) {
        std::string data = co_await reader.readexactly(first.size());
        EXPECT_TRUE(data == first);
        writer.write("OK");
        if (!ends_first) {
            data = co_await reader.readexactly(second.size());
            EXPECT_TRUE(data == second);
            std::string middle = "A";
            std::vector<BytesLike> parts = {"SP", middle, "M"};
            writer.writelines(parts);
            co_await writer.drain();
        }
        writer.close();
        co_await writer.wait_closed();
        ++served;
    }
};

template <class Ask>
Coro<> all_at_once(const Ask& ask, Server& server) {
    std::vector<Coro<>> clients;
    for (int i = 0; i < count; ++i) clients.push_back(ask());
    co_await gather(std::move(clients));
    server.close();
    co_await server.wait_closed();
}

// CPython: test_ssl.py, TestSSL.test_create_server_ssl_1
// CPython: test_ssl.py, TestSSL.test_create_connection_ssl_1
TEST_F(TlsCrowdTest, IsServedAllAtOnce) {
    run_net([]() -> Coro<> {
        for (bool by_socket : {false, true}) {
            Service service;
            auto serve = [&](StreamReader reader, StreamWriter writer) { return service(reader, writer); };
            StartServerOptions of_server = {.ssl = support::for_servers(), .ssl_handshake_timeout = 40s};
            Server server = co_await start_server(serve, "127.0.0.1", 0, of_server);
            SocketAddress address = server.sockets()[0].getsockname();
            int content = 0;
            auto ask = [&]() -> Coro<> {
                OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
                options.ssl_handshake_timeout = 40s;
                Streams streams;
                Socket socket(AddressFamily::INET);
                if (by_socket) {
                    co_await sock_connect(socket, address);
                    options.sock = &socket;
                    streams = co_await open_connection(options);
                } else {
                    streams = co_await open_connection("127.0.0.1", address.port(), options);
                }
                streams.writer.write(first);
                std::string got = co_await streams.reader.readexactly(2);
                EXPECT_EQ(got, "OK");
                streams.writer.write(second);
                got = co_await streams.reader.readexactly(4);
                EXPECT_EQ(got, "SPAM");
                streams.writer.close();
                co_await streams.writer.wait_closed();
                ++content;
            };
            co_await all_at_once(ask, server);
            EXPECT_EQ(content, count);
            EXPECT_EQ(service.served, count);
        }
    });
}

// CPython: test_ssl.py, TestSSL.test_shutdown_cleanly
TEST_F(TlsCrowdTest, IsEndedInGoodOrderByTheServer) {
    run_net([]() -> Coro<> {
        Service service;
        service.ends_first = true;
        auto serve = [&](StreamReader reader, StreamWriter writer) { return service(reader, writer); };
        Server server = co_await start_server(serve, "127.0.0.1", 0, {.ssl = support::for_servers()});
        int content = 0;
        auto ask = [&]() -> Coro<> {
            OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
            Streams streams = co_await open_connection("127.0.0.1", port_of(server), options);
            streams.writer.write(first);
            std::string got = co_await streams.reader.readexactly(2);
            EXPECT_EQ(got, "OK");
            got = co_await streams.reader.read();
            EXPECT_EQ(got, "");
            streams.writer.close();
            co_await streams.writer.wait_closed();
            ++content;
        };
        co_await all_at_once(ask, server);
        EXPECT_EQ(content, count);
        EXPECT_EQ(service.served, count);
    });
}

/// Waits for the word, but not for ever.
Coro<> until_told(const std::string& told, std::string_view word) {
    for (int i = 0; i < 3000 && told.find(word) == told.npos; ++i) co_await sleep(0.001);
    EXPECT_NE(told.find(word), told.npos) << told;
}

/// Python's contexts take an end without a goodbye for one.
SSLContext tolerant_context() {
    SSLContext context = support::server_context();
    context.set_options(context.options() | OP_IGNORE_UNEXPECTED_EOF);
    return context;
}

/// The other end has ended its half, with a goodbye or without, and gets all that was written before.
// CPython: test_ssl.py, TestSSL.test_remote_shutdown_receives_trailing_data
// CPython: test_ssl.py, TestSSL.test_remote_shutdown_receives_trailing_data_on_slow_socket
TEST_F(TlsCrowdTest, WhatWasWrittenIsSentToOneWhoHasEnded) {
    run_net([]() -> Coro<> {
        constexpr std::size_t size = 32 * 128 * 1024;
        for (bool is_slow : {false, true}) {
            for (bool says_goodbye : {true, false}) {
                TlsByHand client;
                if (is_slow) client.have_small_buffers();
                std::string told;
                auto protocol = make_protocol<Recorder>(&told);
                SSLContext tolerant = tolerant_context();
                ConnectAcceptedSocketOptions options = {.ssl = tolerant};
                co_await serve_by_hand(client, protocol, options);
                client.write("ping");
                co_await until_told(told, "made;data ping;");
                for (int i = 0; i < 32; ++i) protocol->transport.write(std::string(size / 32, 'x'));
                co_await sleep(0.01);
                if (says_goodbye) client.say_goodbye();
                if (!says_goodbye) client.end();
                std::size_t received = 0;
                for (int i = 0; i < 5000 && !client.has_ended() && received < size; ++i) {
                    if (client.receive() <= 0) co_await sleep(0.001);
                    received += client.read().size();
                }
                EXPECT_EQ(received, size) << is_slow << says_goodbye;
                for (int i = 0; i < 1000 && !client.has_ended() && says_goodbye; ++i) {
                    client.receive();
                    client.read();
                    co_await sleep(0.001);
                }
                EXPECT_EQ(client.has_ended(), says_goodbye) << is_slow;
                co_await until_told(told, "lost;");
                EXPECT_NE(told.find("eof;"), told.npos) << told;
                protocol->transport = Transport();
                protocol = {};
                co_await until_told(told, "destroyed;");
            }
        }
    });
}

/// It was not waited for while the reader paused, and the timer of the end does not outlive the connection.
// CPython: test_ssl.py, TestSSL.test_shutdown_timeout_handler_not_set
TEST_F(TlsCrowdTest, WhatCameBeforeAnEndIsReadLater) {
    run_net([]() -> Coro<> {
        TlsByHand client;
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        SSLContext tolerant = tolerant_context();
        ConnectAcceptedSocketOptions options = {.ssl = tolerant};
        co_await serve_by_hand(client, protocol, options);
        protocol->transport.pause_reading();
        client.write("extra bytes");
        client.end();
        co_await sleep(0.02);
        EXPECT_EQ(told, "made;");
        protocol->transport.resume_reading();
        co_await until_told(told, "lost;");
        EXPECT_EQ(told, "made;data extra bytes;eof;lost;");
        protocol->transport.close();
        protocol->transport = Transport();
        protocol = {};
        co_await until_told(told, "destroyed;");
    });
}

// CPython: test_ssl.py, TestSSL.test_shutdown_timeout_after_eof_from_not_reading_peer
TEST_F(TlsCrowdTest, WhoDoesNotReadIsGivenUpThoughHeHasEnded) {
    run_net([]() -> Coro<> {
        for (bool closes : {true, false}) {
            TlsByHand client;
            client.have_small_buffers();
            std::string told;
            auto protocol = make_protocol<Recorder>(&told);
            SSLContext tolerant = tolerant_context();
            ConnectAcceptedSocketOptions options = {.ssl = tolerant, .ssl_shutdown_timeout = 50ms};
            co_await serve_by_hand(client, protocol, options);
            for (int i = 0; i < 100 && told.find("pause") == told.npos; ++i) {
                protocol->transport.write(std::string(100'000, 'x'));
                co_await sleep(0);
            }
            EXPECT_EQ(told, "made;pause;");
            if (closes) protocol->transport.close();
            client.end();
            co_await until_told(told, "lost by TimeoutError(");
            protocol->transport = Transport();
            protocol = {};
            co_await until_told(told, "destroyed;");
        }
    });
}

// CPython: test_ssl.py, TestSSL.test_connect_timeout_warning
TEST_F(TlsCrowdTest, AConnectThatTakesTooLongLeavesNothing) {
    static std::string warned;
    LogHandler before = set_log_handler([](LogLevel, std::string_view text) { warned += text; });
    run(
        []() -> Coro<> {
            Socket silent = support::listener();
            auto open = [&]() -> Coro<> {
                OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
                co_await open_connection("127.0.0.1", silent.getsockname().port(), options);
            };
            std::string outcome = co_await outcome_of(wait_for(open(), 30ms));
            EXPECT_EQ(outcome, "TimeoutError()");
            co_await sleep(0.001);
        }(),
        {.debug = true});
    set_log_handler(before);
    EXPECT_EQ(warned, "");
}

// CPython: test_sslproto.py, SslProtoHandshakeTests.test_close_during_handshake
TEST_F(TlsCrowdTest, OneWhoGivesUpInTheHandshakeClosesItsSocket) {
    run_net([]() -> Coro<> {
        Socket silent = support::listener();
        auto open = [&]() -> Coro<> {
            OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
            co_await open_connection("127.0.0.1", silent.getsockname().port(), options);
        };
        auto opening = create_task(open);
        auto [accepted, peer] = co_await sock_accept(silent);
        std::string hello = co_await sock_recv(accepted, 65536);
        EXPECT_GT(hello.size(), 100U);
        opening.cancel();
        std::string rest = co_await sock_recv(accepted, 1);
        EXPECT_EQ(rest, "");
        std::string outcome = co_await outcome_of(opening);
        EXPECT_EQ(outcome, "CancelledError()");
    });
}

// CPython: test_sslproto.py, SslProtoHandshakeTests.test_connection_lost
TEST_F(TlsCrowdTest, OneWhoIsLostInTheHandshakeIsToldSo) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        Transport below = ends.client.writer.transport();
        auto start = [&]() -> Coro<> {
            StartTlsOptions options = {.server_hostname = "localhost"};
            co_await ends.client.writer.start_tls(support::for_clients(), options);
        };
        auto starting = create_task(start);
        co_await sleep(0.005);
        below.abort();
        std::string outcome = co_await outcome_of(starting);
        EXPECT_EQ(support::without_port(outcome),
                  "ConnectionAbortedError('the connection was closed in the SSL handshake (with localhost, "
                  "127.0.0.1:PORT)')");
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

// CPython: test_sslproto.py, SslProtoHandshakeTests.test_connection_lost_when_busy
TEST_F(TlsCrowdTest, OneWhoseSocketFailsIsToldSoByTheNextDrain) {
    run_net([]() -> Coro<> {
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        StartServerOptions of_server = {.ssl = support::for_servers()};
        Ends ends = co_await connect_ends(of_server, options);
        ::shutdown(ends.client.writer.get_extra_info("socket").socket().fileno(), SHUT_WR);  // EPIPE from now on
        auto write = [&]() -> Coro<> {
            ends.client.writer.write("An interesting message");
            co_await ends.client.writer.drain();
        };
        std::string outcome = co_await outcome_of(write());
        EXPECT_EQ(outcome, "nothing");
        co_await sleep(0.005);
        outcome = co_await outcome_of(write());
        EXPECT_EQ(outcome.substr(0, 15), "BrokenPipeError") << outcome;
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

// CPython: test_sslproto.py, SslProtoHandshakeTests.test_check_hostname_accepts_server_hostname
// CPython: test_sslproto.py, SslProtoHandshakeTests.test_check_hostname_requires_server_hostname
TEST_F(TlsCrowdTest, OneWhoChecksNamesNeedsOne) {
    run_net([]() -> Coro<> {
        SSLContext checking = support::client_context();
        SSLContext careless = support::client_context();
        careless.set_check_hostname(false);
        for (bool checks : {true, false}) {
            for (std::optional<std::string_view> name : {std::optional<std::string_view>(), {""}, {"localhost"}}) {
                Ends ends = co_await connect_ends();
                StartTlsOptions options = {.server_hostname = name};
                SSLContext& context = checks ? checking : careless;
                auto serving = create_task(ends.server.writer.start_tls(support::for_servers()));
                std::string outcome = co_await outcome_of(ends.client.writer.start_tls(context, options));
                bool is_refused = checks && name != "localhost";
                EXPECT_EQ(outcome, is_refused ? "ValueError('check_hostname requires server_hostname')" : "nothing");
                outcome = co_await outcome_of(serving);
                EXPECT_EQ(outcome == "nothing", !is_refused) << outcome;
                ends.client.writer.abort();
                ends.server.writer.abort();
                co_await sleep(0.001);
            }
        }
    });
}

}  // namespace
}  // namespace asyncio
