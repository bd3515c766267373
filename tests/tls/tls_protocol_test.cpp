#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "net/protocol_support.h"
#include "net/stream_support.h"
#include "tls/engine_support.h"

// Protocols whose transport is TLS: what they are told, and when.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::certify;
using support::client_context;
using support::outcome_of;
using support::port_of;
using support::Recorder;
using support::run_net;
using support::server_context;

class TlsProtocolTest : public support::NetTest {};

/// Long enough for all that goes to and fro: by turns of the loop, since a machine may have no time for any of them.
Coro<> settle() {
    for (int i = 0; i < 60; ++i) co_await sleep(0.0005);
}

/// A context that takes what the server shows, whatever it is.
SSLContext careless_context() {
    SSLContext context(PROTOCOL_TLS_CLIENT);
    context.set_check_hostname(false);
    context.set_verify_mode(CERT_NONE);
    return context;
}

/// A client and a server of Recorders, and what both were told, when the server is reached in the given way.
struct Told {
    std::string client, server;
};

// CPython: test_events.py, EventLoopTestsMixin.test_create_ssl_connection
// CPython: test_events.py, EventLoopTestsMixin.test_create_server_ssl
// CPython: test_events.py, EventLoopTestsMixin.test_create_server_ssl_verified
TEST_F(TlsProtocolTest, IsToldOfItsConnectionWhenTheHandshakeIsOver) {
    run_net([]() -> Coro<> {
        Told told;
        auto of_server = [&] { return Recorder(&told.server); };
        auto of_client = [&] { return Recorder(&told.client); };
        Server server = co_await create_server(of_server, "127.0.0.1", 0, {.ssl = support::for_servers()});
        SSLContext client = client_context();
        CreateConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
        auto connection = co_await create_connection(of_client, "127.0.0.1", port_of(server), options);
        EXPECT_EQ(told.client, "made;");
        EXPECT_TRUE(connection.protocol->transport == connection.transport);
        for (const char* name : {"ssl_object", "sslcontext", "cipher", "peercert", "peername", "sockname", "socket"}) {
            EXPECT_TRUE(connection.transport.get_extra_info(name)) << name;
        }
        EXPECT_TRUE(SSLObject(connection.transport.get_extra_info("sslcontext")).context() == client);
        connection.transport.write("hello");
        co_await settle();
        EXPECT_EQ(told.server, "made;data hello;");
        connection.transport.close();
        connection.transport.close();
        co_await settle();
        EXPECT_EQ(told.server, "made;data hello;eof;lost;destroyed;");
        EXPECT_EQ(told.client, "made;eof;lost;");
        connection.transport.write("in vain");
        EXPECT_EQ(connection.transport.get_write_buffer_size(), 0U);
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_ssl_unix_connection
// CPython: test_events.py, EventLoopTestsMixin.test_create_unix_server_ssl
// CPython: test_events.py, EventLoopTestsMixin.test_create_unix_server_ssl_verified
TEST_F(TlsProtocolTest, StandsOnUnixSocketsToo) {
    run_net([]() -> Coro<> {
        support::Folder folder;
        std::string path = folder.path("sock");
        Told told;
        auto of_server = [&] { return Recorder(&told.server); };
        auto of_client = [&] { return Recorder(&told.client); };
        Server server = co_await create_unix_server(of_server, path, {.ssl = support::for_servers()});
        SSLContext client = client_context();
        CreateUnixConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
        auto connection = co_await create_unix_connection(of_client, path, options);
        connection.transport.write("hello");
        connection.transport.close();
        co_await settle();
        EXPECT_EQ(told.server, "made;data hello;eof;lost;destroyed;");
        EXPECT_EQ(told.client, "made;eof;lost;");
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_server_ssl_verify_failed
// CPython: test_events.py, EventLoopTestsMixin.test_create_server_ssl_match_failed
// CPython: test_ssl.py, TestSSL.test_create_connection_ssl_failed_certificate
// CPython: test_sslproto.py, BaseStartTLS.test_create_connection_ssl_failed_certificate
TEST_F(TlsProtocolTest, IsNotToldOfAConnectionThatIsRefused) {
    run_net([]() -> Coro<> {
        Told told;
        auto of_server = [&] { return Recorder(&told.server); };
        auto of_client = [&] { return Recorder(&told.client); };
        Server server = co_await create_server(of_server, "127.0.0.1", 0, {.ssl = support::for_servers()});
        SSLContext distrustful(PROTOCOL_TLS_CLIENT);
        CreateConnectionOptions options = {.ssl = distrustful, .server_hostname = "localhost"};
        std::string outcome = co_await outcome_of(create_connection(of_client, "127.0.0.1", port_of(server), options));
        EXPECT_NE(outcome.find("unable to get local issuer certificate"), outcome.npos) << outcome;
        SSLContext client = client_context();
        options = {.ssl = client, .server_hostname = "example.org"};
        outcome = co_await outcome_of(create_connection(of_client, "127.0.0.1", port_of(server), options));
        EXPECT_NE(outcome.find("Hostname mismatch, certificate is not valid for 'example.org'"), outcome.npos)
            << outcome;
        co_await settle();
        EXPECT_EQ(told.client, "destroyed;destroyed;");
        EXPECT_EQ(told.server, "destroyed;destroyed;");
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_unix_server_ssl_verify_failed
TEST_F(TlsProtocolTest, OverAUnixSocketIsNotToldOfAConnectionThatIsRefused) {
    run_net([]() -> Coro<> {
        support::Folder folder;
        std::string path = folder.path("sock");
        Told told;
        auto of_server = [&] { return Recorder(&told.server); };
        auto of_client = [&] { return Recorder(&told.client); };
        Server server = co_await create_unix_server(of_server, path, {.ssl = support::for_servers()});
        SSLContext distrustful(PROTOCOL_TLS_CLIENT);
        CreateUnixConnectionOptions options = {.ssl = distrustful, .server_hostname = "localhost"};
        std::string outcome = co_await outcome_of(create_unix_connection(of_client, path, options));
        EXPECT_NE(outcome.find("unable to get local issuer certificate"), outcome.npos) << outcome;
        co_await settle();
        EXPECT_EQ(told.client + told.server, "destroyed;destroyed;");
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_ssl_connect_accepted_socket
// CPython: test_ssl.py, TestSSL.test_connect_accepted_socket
TEST_F(TlsProtocolTest, StandsOnASocketThatSomebodyElseHasAccepted) {
    run_net([]() -> Coro<> {
        Socket listening = support::listener();
        int port = listening.getsockname().port();
        SSLContext client = client_context();
        SSLContext server = server_context();
        OpenConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
        auto opening = create_task(open_connection("127.0.0.1", port, options));
        auto accepted = co_await sock_accept(listening);
        std::string told;
        auto factory = [&] { return Recorder(&told); };
        ConnectAcceptedSocketOptions of_server = {.ssl = server};
        auto connection = co_await connect_accepted_socket(factory, std::move(accepted.conn), of_server);
        Streams streams = co_await opening;
        connection.transport.write("hello\n");
        std::string line = co_await streams.reader.readline();
        EXPECT_EQ(line, "hello\n");
        streams.writer.close();
        co_await streams.writer.wait_closed();
        EXPECT_EQ(told, "made;eof;lost;");
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_connect_accepted_socket_ssl_timeout_for_plain_socket
TEST_F(TlsProtocolTest, OfAnAcceptedSocketHasNoTimesWithoutTls) {
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        std::string told;
        auto factory = [&] { return Recorder(&told); };
        ConnectAcceptedSocketOptions options = {.ssl_handshake_timeout = 1s};
        std::string outcome = co_await outcome_of(connect_accepted_socket(factory, std::move(one), options));
        EXPECT_EQ(outcome, "ValueError('ssl_handshake_timeout is only meaningful with ssl')");
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_ssl_server_hostname_default
TEST_F(TlsProtocolTest, WantsACertificateForTheHostIfNoOtherNameIsGiven) {
    run_net([]() -> Coro<> {
        Told told;
        auto of_server = [&] { return Recorder(&told.server); };
        auto of_client = [&] { return Recorder(&told.client); };
        Server server = co_await create_server(of_server, "127.0.0.1", 0, {.ssl = support::for_servers()});
        SSLContext client = client_context();
        CreateConnectionOptions options = {.ssl = client};
        auto connection = co_await create_connection(of_client, "127.0.0.1", port_of(server), options);
        SSLObject tls = connection.transport.get_extra_info("ssl_object");
        EXPECT_EQ(tls.server_hostname(), "127.0.0.1");
        connection.transport.abort();
        // An empty one: none is checked.
        client = careless_context();
        options = {.ssl = client, .server_hostname = ""};
        connection = co_await create_connection(of_client, "127.0.0.1", port_of(server), options);
        tls = connection.transport.get_extra_info("ssl_object");
        EXPECT_FALSE(tls.server_hostname());
        connection.transport.abort();
        client = client_context();
        options = {.ssl = client, .server_hostname = ""};
        std::string outcome = co_await outcome_of(create_connection(of_client, "127.0.0.1", port_of(server), options));
        EXPECT_EQ(outcome, "ValueError('check_hostname requires server_hostname')");
        server.close();
        server.abort_clients();
        co_await server.wait_closed();
    });
}

// CPython: test_ssl.py, TestSSL.test_ssl_handshake_connection_lost
// CPython: test_sslproto.py, SslProtoHandshakeTests.test_eof_received_waiter
TEST_F(TlsProtocolTest, IsToldNothingIfTheConnectionIsLostInTheHandshake) {
    run_net([]() -> Coro<> {
        for (bool by_reset : {false, true}) {
            Socket listening = support::listener();
            int port = listening.getsockname().port();
            std::string told;
            auto factory = [&] { return Recorder(&told); };
            SSLContext client = client_context();
            CreateConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
            auto opening = create_task(create_connection(factory, "127.0.0.1", port, options));
            auto accepted = co_await sock_accept(listening);
            if (!by_reset) {
                char hello[2000];
                co_await sock_recv_into(accepted.conn, hello);
            }
            accepted.conn.close();
            std::string outcome = co_await outcome_of(opening);
            EXPECT_TRUE(outcome.starts_with("ConnectionResetError(")) << outcome;
            co_await settle();
            EXPECT_EQ(told, "destroyed;");
        }
    });
}

// CPython: test_sslproto.py, SslProtoHandshakeTests.test_write_after_closing
// CPython: test_ssl.py, TestSSL.test_flush_before_shutdown
TEST_F(TlsProtocolTest, SendsAllThatWasWrittenBeforeItClosesAndNothingAfter) {
    run_net([]() -> Coro<> {
        Told told;
        auto of_client = [&] { return Recorder(&told.client); };
        Queue<std::string> received;
        auto collect = [&](StreamReader reader, StreamWriter) -> Coro<> {
            co_await sleep(0.02);
            std::string all = co_await reader.read();
            received.put_nowait(std::move(all));
        };
        Server server = co_await start_server(collect, "127.0.0.1", 0, {.ssl = support::for_servers()});
        SSLContext client = client_context();
        CreateConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
        auto connection = co_await create_connection(of_client, "127.0.0.1", port_of(server), options);
        std::string much(5'000'000, 'x');
        connection.transport.write(much);
        connection.transport.write(much);  // what the transport below has no room for is counted
        EXPECT_GT(connection.transport.get_write_buffer_size(), 0U);
        connection.transport.close();
        connection.transport.write("after the end");
        std::string all = co_await received.get();
        EXPECT_EQ(all.size(), 2 * much.size());
        co_await settle();
        EXPECT_EQ(told.client, "made;pause;resume;eof;lost;");
        server.close();
        co_await server.wait_closed();
    });
}

/// A protocol that does something when it is told of its connection, or that data came.
template <class F>
class Acts : public Recorder {
public:
    Acts(std::string* told, F act) : Recorder(told), act_(std::move(act)) {}
    void data_received(std::string_view data) override {
        Recorder::data_received(data);
        act_(transport, data);
    }

private:
    F act_;
};

TEST_F(TlsProtocolTest, MayDoAllThingsToItsTransport) {
    run_net([]() -> Coro<> {
        std::vector<std::pair<std::string, std::string>> outcomes;
        auto act = [](Transport& transport, std::string_view data) {
            if (data == "close") transport.close();
            if (data == "abort") transport.abort();
            if (data == "pause") transport.pause_reading();
            if (data == "throw") throw ValueError("no");
            if (data == "disk") throw OSError(ENOSPC);
        };
        std::string handled;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& context) { handled += context.message + ";"; });
        for (const char* order : {"close", "abort", "pause", "throw", "disk"}) {
            std::string told;
            auto factory = [&] { return Acts(&told, act); };
            Server server = co_await create_server(factory, "127.0.0.1", 0, {.ssl = support::for_servers()});
            SSLContext client = client_context();
            OpenConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
            Streams streams = co_await open_connection("127.0.0.1", port_of(server), options);
            streams.writer.write(order);
            co_await settle();
            streams.writer.write("more");
            co_await settle();
            outcomes.emplace_back(order, told);
            streams.writer.abort();
            co_await settle();
            server.close();
            server.abort_clients();
            co_await server.wait_closed();
        }
        EXPECT_EQ(outcomes[0].second, "made;data close;eof;lost;destroyed;");
        EXPECT_EQ(outcomes[1].second, "made;data abort;lost;destroyed;");
        EXPECT_EQ(outcomes[2].second, "made;data pause;");
        EXPECT_EQ(outcomes[3].second, "made;data throw;lost by ValueError('no');destroyed;");
        EXPECT_EQ(outcomes[4].second, "made;data disk;lost by OSError(28, 'No space left on device');destroyed;");
        EXPECT_EQ(handled, "Fatal error on SSL protocol;");
    });
}

/// A BufferedProtocol whose room is small.
TEST_F(TlsProtocolTest, ReceivesIntoItsOwnBuffer) {
    run_net([]() -> Coro<> {
        class Small : public BufferedProtocol {
        public:
            explicit Small(std::string* all) : all_(all) {}
            WritableBytes get_buffer(std::ptrdiff_t) override { return room_; }
            void buffer_updated(std::size_t size) override { all_->append(room_, size); }
            bool eof_received() override {
                *all_ += "|";
                return false;
            }

        private:
            std::string* all_;
            char room_[7];
        };
        std::string all;
        auto factory = [&] { return Small(&all); };
        Server server = co_await create_server(factory, "127.0.0.1", 0, {.ssl = support::for_servers()});
        SSLContext client = client_context();
        OpenConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
        Streams streams = co_await open_connection("127.0.0.1", port_of(server), options);
        std::string much(100'000, 'z');
        streams.writer.write(much);
        streams.writer.close();
        co_await streams.writer.wait_closed();
        EXPECT_EQ(all.size(), much.size() + 1);
        EXPECT_EQ(all.back(), '|');
        server.close();
        co_await server.wait_closed();
    });
}

}  // namespace
}  // namespace asyncio
