#include <asyncio/errors/exceptions.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tls/engine_support.h"

// What is called in the middle of a handshake, and does what it should not.

using namespace asyncio;
using support::client_context;
using support::server_context;
using support::TlsEnds;

namespace {

using Refusal = std::optional<AlertDescription>;

TEST(SniCallback, MayDropTheConnection) {
    SSLContext server = server_context();
    auto ends = std::make_unique<TlsEnds>(client_context(), server);
    server.set_sni_callback([&](SSLObject&, std::optional<std::string_view>, const SSLContext&) -> Refusal {
        ends->server.tls = SSLObject();  // whoever looks after connections has had enough of this one
        return {};
    });
    ends->client.step();
    ends->carry();
    EXPECT_THROW(ends->server.tls.do_handshake(), SSLWantReadError);
    EXPECT_FALSE(ends->server.tls);
    EXPECT_GT(ends->server.out.pending(), 0U);
}

TEST(SniCallback, CannotUseTheConnectionThatCalledIt) {
    SSLContext server = server_context();
    std::string told;
    auto attempt = [&](auto&& use) {
        try {
            use();
            told += "done;";
        } catch (const RuntimeError& error) {
            told += std::string(error.what()) + ";";
        }
    };
    server.set_sni_callback([&](SSLObject& connection, std::optional<std::string_view>, const SSLContext&) -> Refusal {
        attempt([&] { connection.do_handshake(); });
        attempt([&] { connection.read(); });
        attempt([&] { connection.write("x"); });
        attempt([&] { connection.unwrap(); });
        attempt([&] { connection.verify_client_post_handshake(); });
        attempt([&] { connection.set_context(server); });
        return {};
    });
    TlsEnds ends(client_context(), server);
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    std::string refused = "an SSLObject cannot be used within a callback of its own;";
    EXPECT_EQ(told, refused + refused + refused + refused + refused + "done;");
    ends.server.tls.write("hello");
    ends.carry();
    EXPECT_EQ(ends.client.read_all(), "hello");
}

TEST(SniCallback, MayLeaveErrorsOfItsOwn) {
    SSLContext server = server_context();
    server.set_sni_callback([](SSLObject&, std::optional<std::string_view>, const SSLContext&) -> Refusal {
        ERR_raise(ERR_LIB_USER, 7);  // such as of a PEM file read to its end
        return {};
    });
    TlsEnds ends(client_context(), server);
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(KeyLog, ThatCannotBeWrittenIsLeftOut) {
    SSLContext client = client_context(), server = server_context();
    server.set_keylog_filename("/dev/full");
    TlsEnds ends(client, server);
    EXPECT_TRUE(ends.shake_hands()) << ends.server_error();
    client.set_keylog_filename("/dev/full");
    TlsEnds others(client, server_context());
    EXPECT_TRUE(others.shake_hands()) << others.client_error();
}

}  // namespace
