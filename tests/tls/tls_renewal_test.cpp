#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>

#include "net/stream_support.h"
#include "tls/tls_by_hand.h"
#include "tls/tls_engine.h"

// What is renewed while connections live: a server's certificate, and the keys of one.

namespace asyncio {
namespace {

using support::port_of;
using support::Recorder;
using support::run_net;
using support::serve_by_hand;
using support::TlsByHand;

class TlsRenewalTest : public support::NetTest {};

TEST_F(TlsRenewalTest, OfACertificateNeedsNoOtherServer) {
    run_net([]() -> Coro<> {
        SSLContext context = support::server_context();
        auto echo = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            for (std::string line = "\n"; !line.empty();) {
                line = co_await reader.readline();
                writer.write(line);
            }
        };
        Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = context});
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        auto serial_of = [](const Streams& streams) {
            return SSLObject(streams.writer.get_extra_info("ssl_object")).getpeercert()->serialNumber;
        };
        Streams before = co_await open_connection("127.0.0.1", port_of(server), options);
        support::Certified renewed = support::certify({}, &support::authority());
        context.load_cert_chain_data({.certdata = renewed.certificate, .keydata = renewed.key});
        Streams after = co_await open_connection("127.0.0.1", port_of(server), options);
        EXPECT_NE(serial_of(before), serial_of(after));
        for (Streams* streams : {&before, &after}) {
            streams->writer.write("hello\n");
            std::string line = co_await streams->reader.readline();
            EXPECT_EQ(line, "hello\n");
        }
        // One that cannot be read leaves the one that there is.
        EXPECT_THROW(
            context.load_cert_chain_data({.certdata = renewed.certificate, .keydata = support::localhost().key}),
            SSLError);
        Streams last = co_await open_connection("127.0.0.1", port_of(server), options);
        EXPECT_EQ(serial_of(last), serial_of(after));
        for (Streams* streams : {&before, &after, &last}) {
            streams->writer.close();
            co_await streams->writer.wait_closed();
        }
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(TlsRenewalTest, OfKeysIsSeenByNobody) {
    std::string told;
    run_net([&]() -> Coro<> {
        TlsByHand client;
        auto protocol = make_protocol<Recorder>(&told);
        co_await serve_by_hand(client, protocol);
        SSL* ssl = client.tls().engine().native();
        std::string expected = "made;", received;
        for (int i = 0; i < 10; ++i) {
            SSL_key_update(ssl, i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
            client.write("question");
            expected += "data question;";
            for (int wait = 0; wait < 2000 && told != expected; ++wait) co_await sleep(0.001);
            EXPECT_EQ(told, expected);
            protocol->transport.write("answer");
            received.clear();
            for (int wait = 0; wait < 2000 && received != "answer"; ++wait) {
                co_await sleep(0.001);
                client.receive();
                received += client.read();
            }
            EXPECT_EQ(received, "answer");
        }
        protocol->transport.abort();
        protocol->transport = Transport();
        co_await sleep(0.01);
    });
}

}  // namespace
}  // namespace asyncio
