#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/stream_support.h"
#include "tls/tls_by_hand.h"

// Other ends that stop in the middle, are too slow, too old, or are not who they have to be; each by its own error.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::authority;
using support::certify;
using support::client_context;
using support::outcome_of;
using support::port_of;
using support::Recorder;
using support::run_net;
using support::serve_by_hand;
using support::server_context;
using support::TlsByHand;
using support::TlsEnds;

class TlsBadPeerTest : public support::NetTest {};

/// What a server answers to this.
std::string flight_for(const std::string& hello) {
    MemoryBIO incoming, outgoing;
    SSLObject tls = support::for_servers().wrap_bio(incoming, outgoing, {.server_side = true});
    incoming.write(hello);
    EXPECT_THROW(tls.do_handshake(), SSLWantReadError);
    return outgoing.read();
}

enum class Then { ends, is_reset, stops };

/// What a client of ours says of a server that sends so much of its flight, as a part of it.
Coro<std::string> outcome_of_a_flight(TLSVersion version, double part, Then then) {
    Socket listening = support::listener();
    SSLContext context = client_context();
    context.set_maximum_version(version);
    auto open = [&]() -> Coro<> {
        Seconds timeout = then == Then::stops ? 20ms : 10s;
        OpenConnectionOptions options = {
            .ssl = context, .server_hostname = "localhost", .ssl_handshake_timeout = timeout};
        Streams streams = co_await open_connection("127.0.0.1", listening.getsockname().port(), options);
        streams.writer.abort();
    };
    auto opening = create_task(open);
    auto [server, peer] = co_await sock_accept(listening);
    std::string hello = co_await sock_recv(server, 65536);
    std::string flight = flight_for(hello);
    flight.resize(static_cast<std::size_t>(static_cast<double>(flight.size()) * part));
    co_await sock_sendall(server, flight);
    if (then == Then::ends) ::shutdown(server.fileno(), SHUT_WR);
    if (then == Then::is_reset) {
        server.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 0});
        server.close();
    }
    co_return co_await outcome_of(opening);
}

TEST_F(TlsBadPeerTest, AServerThatStopsWithinItsFlightIsToldToAClientByWhatItDid) {
    run_net([]() -> Coro<> {
        for (TLSVersion version : {TLSVersion::TLSv1_2, TLSVersion::TLSv1_3}) {
            for (double part : {0.0, 0.01, 0.1, 0.5, 0.9}) {
                std::string outcome = co_await outcome_of_a_flight(version, part, Then::ends);
                EXPECT_EQ(support::without_port(outcome),
                          "ConnectionResetError('the connection was closed by the other end in the SSL handshake (with "
                          "localhost, 127.0.0.1:PORT)')")
                    << part;
                outcome = co_await outcome_of_a_flight(version, part, Then::is_reset);
                EXPECT_EQ(outcome, "ConnectionResetError(104, 'Connection reset by peer')") << part;
                outcome = co_await outcome_of_a_flight(version, part, Then::stops);
                EXPECT_EQ(support::without_port(outcome),
                          "ConnectionAbortedError('SSL handshake is taking longer than 0.02 seconds: aborting the "
                          "connection (with localhost, 127.0.0.1:PORT)')")
                    << part;
            }
        }
    });
}

/// What the client and the server say.
std::string errors_of(const SSLContext& client, const SSLContext& server) {
    TlsEnds ends(client, server);
    EXPECT_FALSE(ends.shake_hands());
    return ends.client_error() + " / " + ends.server_error();
}

TEST_F(TlsBadPeerTest, AServerWithNothingInCommonIsRefusedByTheAlertThatItSends) {
    SSLContext old = server_context();
    old.set_security_level(0);
    old.set_ciphers("ALL:@SECLEVEL=0");
    old.set_minimum_version(TLSVersion::TLSv1);
    for (TLSVersion version : {TLSVersion::TLSv1, TLSVersion::TLSv1_1}) {
        old.set_maximum_version(version);
        EXPECT_EQ(errors_of(client_context(), old),
                  "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version / "
                  "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol");
    }
    SSLContext client = client_context();
    client.set_minimum_version(TLSVersion::TLSv1_3);
    client.set_ciphersuites("TLS_AES_128_GCM_SHA256");
    SSLContext server = server_context();
    server.set_ciphersuites("TLS_CHACHA20_POLY1305_SHA256");
    EXPECT_EQ(errors_of(client, server),
              "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure / "
              "[SSL: NO_SHARED_CIPHER] no shared cipher");
    client = client_context();
    client.set_ecdh_curve("X25519");
    server = server_context();
    server.set_ecdh_curve("secp384r1");
    EXPECT_EQ(errors_of(client, server),
              "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure / "
              "[SSL: NO_SUITABLE_KEY_SHARE] no suitable key share");
}

/// With 1.3 a client learns it when it reads, and not before.
TEST_F(TlsBadPeerTest, AClientLearnsByItsStreamThatItsCertificateIsMissingOrWrong) {
    run_net([]() -> Coro<> {
        SSLContext of_server = server_context();
        of_server.set_verify_mode(CERT_REQUIRED);
        of_server.load_verify_locations({.cadata = authority().certificate});
        int served = 0;
        auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            ++served;
            std::string line = co_await reader.readline();
            writer.write(line);
            writer.close();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0, {.ssl = of_server});
        support::Certified wrong = certify({.name = "me", .alt_names = ""});
        support::Certified right = certify({.name = "me", .alt_names = ""}, &authority());
        auto ask = [&](TLSVersion version, const support::Certified* shown) -> Coro<std::string> {
            SSLContext context = client_context();
            context.set_maximum_version(version);
            if (shown != nullptr) context.load_cert_chain_data({.certdata = shown->certificate, .keydata = shown->key});
            OpenConnectionOptions options = {.ssl = context, .server_hostname = "localhost"};
            bool is_open = false;
            std::string got;
            auto talk = [&]() -> Coro<> {
                Streams streams = co_await open_connection("127.0.0.1", port_of(server), options);
                is_open = true;
                streams.writer.write("hello\n");
                got = co_await streams.reader.read();
                streams.writer.close();
            };
            std::string outcome = co_await outcome_of(talk());
            co_return (is_open ? "open, " : "") + (outcome == "nothing" ? got : support::without_port(outcome));
        };
        std::string got = co_await ask(TLSVersion::TLSv1_2, nullptr);
        EXPECT_EQ(got,
                  "SSLError('[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure (handshake with "
                  "localhost, 127.0.0.1:PORT)')");
        got = co_await ask(TLSVersion::TLSv1_3, nullptr);
        EXPECT_EQ(got,
                  "open, SSLError('[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required "
                  "(connection with localhost, 127.0.0.1:PORT)')");
        got = co_await ask(TLSVersion::TLSv1_2, &wrong);
        EXPECT_EQ(got,
                  "SSLError('[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (handshake with localhost, "
                  "127.0.0.1:PORT)')");
        got = co_await ask(TLSVersion::TLSv1_3, &wrong);
        EXPECT_EQ(got,
                  "open, SSLError('[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (connection with localhost, "
                  "127.0.0.1:PORT)')");
        EXPECT_EQ(served, 0);
        for (TLSVersion version : {TLSVersion::TLSv1_2, TLSVersion::TLSv1_3}) {
            got = co_await ask(version, &right);
            EXPECT_EQ(got, "open, hello\n");
        }
        EXPECT_EQ(served, 2);
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(TlsBadPeerTest, NoiseAfterTheHandshakeEndsTheConnectionByAnErrorThatSaysWhich) {
    run_net([]() -> Coro<> {
        std::string noise(16384, '\x77');
        std::string oversized = std::string("\x17\x03\x03\x50\x00", 5) + std::string(16384, 'x');
        std::string forged = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'z');
        std::pair<std::string_view, const char*> cases[] = {
            {noise, "[SSL: WRONG_VERSION_NUMBER] wrong version number"},
            {oversized, "[SSL: PACKET_LENGTH_TOO_LONG] packet length too long"},
            {forged, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac"}};
        for (bool closes : {false, true}) {
            for (auto [bytes, error] : cases) {
                TlsByHand client;
                std::string told;
                auto protocol = make_protocol<Recorder>(&told);
                co_await serve_by_hand(client, protocol);
                if (closes) protocol->transport.close();
                client.put(bytes);
                for (int i = 0; i < 1000 && told.find("lost") == told.npos; ++i) co_await sleep(1ms);
                EXPECT_EQ(told, "made;lost by SSLError('" + std::string(error) + "');") << closes;
                protocol->transport = Transport();
            }
        }
    });
}

}  // namespace
}  // namespace asyncio
