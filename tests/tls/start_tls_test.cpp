#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "net/protocol_support.h"
#include "net/stream_support.h"
#include "support/said_of.h"
#include "tls/engine_support.h"
#include "tls/tls_ends.h"

// Connections that go on by TLS: STARTTLS of mail and databases, the PROXY protocol, TLS within TLS.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::client_context;
using support::close_both;
using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::port_of;
using support::Recorder;
using support::run_net;
using support::server_context;

class StartTlsTest : public support::NetTest {};

Coro<> upgrade_both(Ends& ends) {
    StartTlsOptions options = {.server_hostname = "localhost"};
    co_await gather(ends.server.writer.start_tls(support::for_servers()),
                    ends.client.writer.start_tls(support::for_clients(), options));
}

TEST_F(StartTlsTest, ATaskSaysThatItWaitsForAHandshake) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [silent, plain] = pair;
        OpenConnectionOptions options = {.sock = &plain, .ssl = support::for_clients(), .server_hostname = "localhost"};
        std::string number = std::to_string(plain.fileno());
        std::string said = co_await support::said_without_line([&]() -> Coro<> { co_await open_connection(options); });
        EXPECT_EQ(said, "<file descriptor " + number + " in a TLS handshake>");
        Ends ends = co_await connect_ends();
        auto upgrading = create_task(ends.server.writer.start_tls(support::for_servers()));
        co_await sleep(1ms);
        std::string text = repr(upgrading);
        EXPECT_NE(text.find(" coro=<asyncio::StreamWriter::start_tls() running at "), text.npos) << text;
        EXPECT_NE(text.find(" in a TLS handshake, peer ('127.0.0.1', "), text.npos) << text;
        ends.client.writer.abort();
        co_await wait(upgrading);
        EXPECT_TRUE(upgrading.exception());
        ends.server.writer.abort();
    });
}

// CPython: test_streams.py, StreamTests.test_start_tls
TEST_F(StartTlsTest, UpgradesARunningStream) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.writer.write("EHLO\n");
        {
            std::string got = co_await ends.server.reader.readline();
            EXPECT_EQ(got, "EHLO\n");
        }
        ends.server.writer.write("250 STARTTLS\n");
        {
            std::string got = co_await ends.client.reader.readline();
            EXPECT_EQ(got, "250 STARTTLS\n");
        }
        Transport before = ends.client.writer.transport();
        co_await upgrade_both(ends);
        EXPECT_FALSE(ends.client.writer.transport() == before);
        EXPECT_TRUE(SSLObject(ends.client.writer.get_extra_info("ssl_object")).cipher());
        EXPECT_TRUE(SSLObject(ends.server.writer.get_extra_info("ssl_object")).server_side());
        ends.client.writer.write("secret\n");
        {
            std::string got = co_await ends.server.reader.readline();
            EXPECT_EQ(got, "secret\n");
        }
        ends.server.writer.write(std::string(300'000, 'x'));
        std::string much = co_await ends.client.reader.readexactly(300'000);
        EXPECT_EQ(much.size(), 300'000U);
        // The reader belongs to the new transport: it is that which is paused.
        ends.server.writer.write(std::string(400'000, 'y'));
        for (int i = 0; i < 20'000 && ends.client.writer.is_reading(); ++i) co_await sleep(0.0005);
        EXPECT_FALSE(ends.client.writer.is_reading());
        much = co_await ends.client.reader.readexactly(400'000);
        EXPECT_TRUE(ends.client.writer.is_reading());
        co_await close_both(ends);
    });
}

/// As PostgreSQL's clients: a request of eight bytes, an answer of one, then TLS.
// CPython: test_ssl.py, TestSSL.test_start_tls_server_1
// CPython: test_sslproto.py, BaseStartTLS.test_start_tls_server_1
TEST_F(StartTlsTest, SpeaksAsDatabasesDo) {
    run_net([]() -> Coro<> {
        auto serve = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            std::string request = co_await reader.readexactly(8);
            EXPECT_EQ(request, std::string("\0\0\0\x8\x4\xd2\x16\x2f", 8));
            writer.write("S");
            co_await writer.start_tls(support::for_servers());
            std::string line = co_await reader.readline();
            writer.write("you said " + line);
            writer.close();
            co_await writer.wait_closed();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        Streams streams = co_await open_connection("127.0.0.1", port_of(server));
        streams.writer.write(std::string_view("\0\0\0\x8\x4\xd2\x16\x2f", 8));
        {
            std::string got = co_await streams.reader.readexactly(1);
            EXPECT_EQ(got, "S");
        }
        StartTlsOptions options = {.server_hostname = "localhost"};
        co_await streams.writer.start_tls(support::for_clients(), options);
        streams.writer.write("hello\n");
        std::string answer = co_await streams.reader.read();
        EXPECT_EQ(answer, "you said hello\n");
        streams.writer.close();
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_ssl.py, TestSSL.test_start_tls_client_corrupted_ssl
// CPython: test_sslproto.py, BaseStartTLS.test_start_tls_client_corrupted_ssl
TEST_F(StartTlsTest, TellsAStreamWhoseHandshakeFails) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.server.writer.write("this is no TLS, as you can see\n");
        std::string failure =
            "SSLError('[SSL: WRONG_VERSION_NUMBER] wrong version number (handshake with localhost, 127.0.0.1:PORT)')";
        StartTlsOptions options = {.server_hostname = "localhost"};
        std::string outcome = co_await outcome_of(ends.client.writer.start_tls(support::for_clients(), options));
        EXPECT_EQ(support::without_port(outcome), failure);
        auto closed = [&]() -> Coro<> { co_await ends.client.writer.wait_closed(); };
        outcome = co_await outcome_of(closed());
        EXPECT_EQ(support::without_port(outcome), failure);
        ends.server.writer.abort();
        co_await sleep(0.01);

        Ends others = co_await connect_ends();
        auto start = [&]() -> Coro<> {
            StartTlsOptions quick = {.server_hostname = "localhost", .ssl_handshake_timeout = 20ms};
            co_await others.client.writer.start_tls(support::for_clients(), quick);
        };
        outcome = co_await outcome_of(start());
        EXPECT_EQ(support::without_port(outcome),
                  "ConnectionAbortedError('SSL handshake is taking longer than 0.02 seconds: aborting the connection "
                  "(with localhost, 127.0.0.1:PORT)')");
        others.server.writer.abort();
        co_await sleep(0.01);
    });
}

// CPython: test_sslproto.py, BaseStartTLS.test_start_tls_slow_client_cancel
// CPython: test_ssl.py, TestSSL.test_start_tls_slow_client_cancel
TEST_F(StartTlsTest, CanBeCancelledAtEveryPass) {
    run_net([]() -> Coro<> {
        for (int passes = 0; passes < 8; ++passes) {
            Ends ends = co_await connect_ends();
            auto start = [&]() -> Coro<> {
                StartTlsOptions options = {.server_hostname = "localhost"};
                co_await ends.client.writer.start_tls(support::for_clients(), options);
            };
            auto starting = create_task(start);
            for (int i = 0; i < passes; ++i) co_await sleep(0);
            starting.cancel();
            std::string outcome = co_await outcome_of(starting);
            EXPECT_EQ(outcome, "CancelledError()");
            ends.client.writer.close();
            std::string rest = co_await ends.server.reader.read();
            ends.server.writer.close();
            co_await ends.server.writer.wait_closed();
        }
    });
}

// CPython: test_sslproto.py, BaseStartTLS.test_start_tls_wrong_args
TEST_F(StartTlsTest, WantsAConnectionAProtocolAndAContext) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::string outcome = co_await outcome_of(ends.client.writer.start_tls(TlsOption()));
        EXPECT_EQ(outcome, "TypeError('start_tls() was given no SSLContext')");
        SSLContext client = client_context();
        outcome = co_await outcome_of(start_tls(ends.client.writer.transport(), nullptr, client));
        EXPECT_EQ(outcome, "TypeError('start_tls() was given no protocol')");
        co_await close_both(ends);
    });
}

// CPython: test_ssl.py, TestSSL.test_create_server_ssl_over_ssl
TEST_F(StartTlsTest, PutsTlsIntoTls) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        co_await upgrade_both(ends);
        co_await upgrade_both(ends);
        ends.client.writer.write("deep\n");
        {
            std::string got = co_await ends.server.reader.readline();
            EXPECT_EQ(got, "deep\n");
        }
        std::string much(1'000'000, 'z');
        ends.server.writer.write(much);
        std::string received = co_await ends.client.reader.readexactly(much.size());
        EXPECT_TRUE(received == much);
        ends.client.writer.write("bye");
        ends.client.writer.close();
        {
            std::string got = co_await ends.server.reader.read();
            EXPECT_EQ(got, "bye");
        }
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
    });
}

/// A protocol keeps its connection, and is not told of a second one.
// CPython: test_ssl.py, TestSSL.test_start_tls_client_reg_proto_1
// CPython: test_sslproto.py, BaseStartTLS.test_start_tls_client_reg_proto_1
TEST_F(StartTlsTest, UpgradesAnOrdinaryProtocol) {
    run_net([]() -> Coro<> {
        std::string told;
        auto echo = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            co_await writer.start_tls(support::for_servers());
            std::string line = co_await reader.readline();
            writer.write("echo " + line);
            writer.close();
            co_await writer.wait_closed();
        };
        Server server = co_await start_server(echo, "127.0.0.1", 0);
        auto factory = [&] { return Recorder(&told); };
        auto connection = co_await create_connection(factory, "127.0.0.1", port_of(server));
        StartTlsOptions options = {.server_hostname = "localhost"};
        Transport by_tls =
            co_await start_tls(connection.transport, connection.protocol, support::for_clients(), options);
        EXPECT_TRUE(by_tls.get_protocol() == connection.protocol);
        by_tls.write("hello\n");
        server.close();
        co_await server.wait_closed();
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;data echo hello\n;eof;lost;");
    });
}

/// One that gives a byte at a time, and then hands over to another.
class ByteByByte : public BufferedProtocol {
public:
    ByteByByte(Future<std::string> first, int* made) : first_(std::move(first)), made_(made) {}
    void connection_made(Transport) override { ++*made_; }
    WritableBytes get_buffer(std::ptrdiff_t) override { return room_; }
    void buffer_updated(std::size_t size) override {
        EXPECT_EQ(size, 1U);
        first_.set_result(std::string(room_, size));
    }

private:
    Future<std::string> first_;
    int* made_;
    char room_[1] = {};
};

class Second : public Protocol {
public:
    Second(Future<std::string> data, Future<> end, int* made)
        : data_(std::move(data)), end_(std::move(end)), made_(made) {}
    void connection_made(Transport) override { ++*made_; }
    void data_received(std::string_view data) override { data_.set_result(std::string(data)); }
    bool eof_received() override {
        end_.set_result();
        return false;
    }

private:
    Future<std::string> data_;
    Future<> end_;
    int* made_;
};

// CPython: test_ssl.py, TestSSL.test_start_tls_client_buf_proto_1
// CPython: test_sslproto.py, BaseStartTLS.test_start_tls_client_buf_proto_1
TEST_F(StartTlsTest, UpgradesABufferedProtocolWhichHandsOverToAnother) {
    run_net([]() -> Coro<> {
        std::string hello(100'000, '1');
        auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            std::string got = co_await reader.readexactly(hello.size());
            co_await writer.start_tls(support::for_servers());
            writer.write("O");
            got = co_await reader.readexactly(hello.size());
            EXPECT_TRUE(got == hello);
            writer.write("2");
            got = co_await reader.readexactly(hello.size());
            EXPECT_TRUE(got == hello);
            writer.close();
            co_await writer.wait_closed();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        int made = 0;
        Future<std::string> first = get_running_loop().create_future<std::string>();
        Future<std::string> second = get_running_loop().create_future<std::string>();
        Future<> end = get_running_loop().create_future<void>();
        auto factory = [&] { return ByteByByte(first, &made); };
        auto connection = co_await create_connection(factory, "127.0.0.1", port_of(server));
        connection.transport.write(hello);
        StartTlsOptions options = {.server_hostname = "localhost"};
        Transport by_tls =
            co_await start_tls(connection.transport, connection.protocol, support::for_clients(), options);
        std::string got = co_await first;
        EXPECT_EQ(got, "O");
        by_tls.write(hello);
        by_tls.set_protocol(make_protocol<Second>(second, end, &made));
        got = co_await second;
        EXPECT_EQ(got, "2");
        by_tls.write(hello);
        co_await end;
        by_tls.close();
        EXPECT_EQ(made, 1);
        server.close();
        co_await server.wait_closed();
    });
}

}  // namespace
}  // namespace asyncio
