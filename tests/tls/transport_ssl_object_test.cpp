#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tls/tls_ends.h"

// The SSLObject of a transport is for looking only, as long as there is a handle of it.

namespace asyncio {
namespace {

using support::outcome;
using support::run_net;

class TransportSslObjectTest : public support::NetTest {};

std::string refusal_of(const std::string& function) {
    return "RuntimeError(\"cannot call " + function +
           "(): this SSLObject is a transport's, and only to be looked at; read, write and close by the transport or "
           "its streams\")";
}

void expect_refusals(const SSLObject& tls) {
    std::string room(10, '\0');
    EXPECT_EQ(outcome([&] { tls.do_handshake(); }), refusal_of("do_handshake"));
    EXPECT_EQ(outcome([&] { tls.read(); }), refusal_of("read"));
    EXPECT_EQ(outcome([&] { tls.read(WritableBytes(room)); }), refusal_of("read"));
    EXPECT_EQ(outcome([&] { tls.write("x"); }), refusal_of("write"));
    EXPECT_EQ(outcome([&] { tls.write(""); }), refusal_of("write"));
    EXPECT_EQ(outcome([&] { tls.unwrap(); }), refusal_of("unwrap"));
}

void expect_to_be_seen(const SSLObject& tls) {
    EXPECT_EQ(tls.version(), "TLSv1.3");
    EXPECT_TRUE(tls.cipher());
    EXPECT_EQ(tls.server_hostname(), "localhost");
    EXPECT_EQ(tls.getpeercert()->subjectAltName.at(0).second, "localhost");
    EXPECT_EQ(tls.get_verified_chain().size(), 2U);
    EXPECT_EQ(tls.context(), support::for_clients());
    EXPECT_EQ(tls.pending(), 0U);
    tls.session();
}

TEST_F(TransportSslObjectTest, TakesNothingAwayFromTheConnectionAndOutlivesIt) {
    ExtraInfo kept;
    run_net([&]() -> Coro<> {
        support::Ends ends = co_await support::connect_by_tls();
        kept = ends.client.writer.get_extra_info("ssl_object");
        expect_refusals(kept);
        expect_refusals(ends.server.writer.get_extra_info("ssl_object"));
        expect_to_be_seen(kept);
        ends.client.writer.write("to the server\n");
        ends.server.writer.write("to the client\n");
        std::string line = co_await ends.server.reader.readline();
        EXPECT_EQ(line, "to the server\n");
        line = co_await ends.client.reader.readline();
        EXPECT_EQ(line, "to the client\n");
        ends.client.writer.close();
        ends.server.writer.close();
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
        ends = {};
        expect_refusals(kept);
        expect_to_be_seen(kept);
    });
    expect_refusals(kept);  // and the loop
    expect_to_be_seen(kept);
}

TEST_F(TransportSslObjectTest, IsThatWhichItsSniCallbackWasGiven) {
    run_net([]() -> Coro<> {
        SSLContext context = support::server_context();
        SSLObject kept;
        context.set_sni_callback([&](SSLObject& connection, std::optional<std::string_view>,
                                     const SSLContext&) -> std::optional<AlertDescription> {
            kept = connection;
            expect_refusals(kept);
            return {};
        });
        support::Ends ends = co_await support::connect_ends();
        auto serving = create_task(ends.server.writer.start_tls(context));
        co_await sleep(0.001);
        StartTlsOptions options = {.server_hostname = "localhost"};
        auto asking = create_task(ends.client.writer.start_tls(support::for_clients(), options));
        while (!kept) co_await sleep(0);
        expect_refusals(kept);  // in the handshake
        co_await serving;
        co_await asking;
        expect_refusals(kept);
        ends.client.writer.write("hello\n");
        std::string line = co_await ends.server.reader.readline();
        EXPECT_EQ(line, "hello\n");
        ends.client.writer.abort();
        ends.server.writer.abort();
    });
}

/// As in Python the request goes with what is written next.
TEST_F(TransportSslObjectTest, AsksForACertificateWhenTheHandshakeIsOver) {
    run_net([]() -> Coro<> {
        SSLContext server = support::server_context(), client = support::client_context();
        server.load_verify_locations({.cadata = support::authority().certificate});
        server.set_verify_mode(CERT_REQUIRED);
        server.set_post_handshake_auth(true);
        support::Certified me = support::certify({.name = "me", .alt_names = ""}, &support::authority());
        client.load_cert_chain_data({.certdata = me.certificate, .keydata = me.key});
        client.set_post_handshake_auth(true);
        StartServerOptions of_server = {.ssl = server};
        OpenConnectionOptions of_client = {.ssl = client, .server_hostname = "localhost"};
        support::Ends ends = co_await support::connect_ends(of_server, of_client);
        SSLObject tls = ends.server.writer.get_extra_info("ssl_object");
        EXPECT_FALSE(tls.getpeercert());
        tls.verify_client_post_handshake();
        ends.server.writer.write("who is there?\n");
        std::string line = co_await ends.client.reader.readline();
        EXPECT_EQ(line, "who is there?\n");
        ends.client.writer.write("me\n");
        line = co_await ends.server.reader.readline();
        EXPECT_EQ(line, "me\n");
        EXPECT_EQ(tls.getpeercert()->subject.at(0).at(0).second, "me");
        ends.client.writer.abort();
        ends.server.writer.abort();
    });
}

}  // namespace
}  // namespace asyncio
