#include <asyncio/errors/exceptions.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "tls/engine_support.h"

// A session that is resumed is not checked again: what one has not checked must not serve another.

using namespace asyncio;
using support::client_context;
using support::server_context;
using support::TlsEnds;

namespace {

SSLSession session_of(const SSLContext& client, const SSLContext& server) {
    TlsEnds ends(client, server);
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    EXPECT_EQ(ends.client.read_all(), "");  // the tickets
    return ends.client.tls.session();
}

/// What is said to this session for a connection to that host; nothing if it is resumed.
std::string resumed(const SSLContext& client, const SSLContext& server, const SSLSession& session,
                    std::string_view host = "localhost") {
    try {
        TlsEnds ends(client, server, host, session);
        if (!ends.shake_hands()) return ends.client_error();
        return ends.client.tls.session_reused() ? "" : "begun anew";
    } catch (const ValueError& error) {
        return error.what();
    }
}

class SslSessionTest : public testing::TestWithParam<TLSVersion> {
protected:
    SslSessionTest() {
        server.set_maximum_version(GetParam());
        rogue.set_maximum_version(GetParam());
    }
    SSLContext server = server_context();
    SSLContext rogue = server_context(support::certify({.name = "rogue", .alt_names = "DNS:evil.example"}));
};
INSTANTIATE_TEST_SUITE_P(Versions, SslSessionTest, testing::Values(TLSVersion::TLSv1_2, TLSVersion::TLSv1_3),
                         [](const auto& version) { return version.param == TLSVersion::TLSv1_2 ? "Tls12" : "Tls13"; });

TEST_P(SslSessionTest, IsOfOneContext) {
    SSLContext careless(PROTOCOL_TLS_CLIENT);
    careless.set_check_hostname(false);
    careless.set_verify_mode(CERT_NONE);
    SSLSession session = session_of(careless, rogue);
    EXPECT_EQ(resumed(careless, rogue, session), "");
    EXPECT_EQ(resumed(client_context(), rogue, session), "Session refers to a different SSLContext.");
    SSLSession good = session_of(client_context(), server);
    EXPECT_EQ(resumed(client_context(), server, good), "Session refers to a different SSLContext.");
    SSLSession copy = good;
    SSLSession moved = std::move(copy);
    EXPECT_EQ(resumed(client_context(), server, moved), "Session refers to a different SSLContext.");
}

TEST_P(SslSessionTest, IsOfWhatWasCheckedWhenItBegan) {
    SSLContext client(PROTOCOL_TLS_CLIENT);
    client.set_check_hostname(false);
    client.set_verify_mode(CERT_NONE);
    SSLSession session = session_of(client, rogue);
    client.set_verify_mode(CERT_REQUIRED);
    EXPECT_EQ(resumed(client, rogue, session), "Session is of a connection that has not checked the certificate");
    client.load_verify_locations({.cadata = support::authority().certificate});
    session = session_of(client, server);
    EXPECT_EQ(resumed(client, server, session), "");
    client.set_check_hostname(true);
    EXPECT_EQ(resumed(client, server, session), "Session is of a connection that was not checked for 'localhost'");
}

TEST_P(SslSessionTest, IsOfOneHost) {
    SSLContext client = client_context();
    SSLSession session = session_of(client, server);
    EXPECT_EQ(resumed(client, server, session, "other.example"),
              "Session is of a connection that was not checked for 'other.example'");
    EXPECT_EQ(resumed(client, server, session, "127.0.0.1"),
              "Session is of a connection that was not checked for '127.0.0.1'");
    EXPECT_EQ(resumed(client, server, session), "");
}

/// Nobody can say by which context it was checked.
TEST_P(SslSessionTest, OfAConnectionThatHasChangedItsContextIsOfNone) {
    SSLContext client = client_context(), careless(PROTOCOL_TLS_CLIENT);
    careless.set_check_hostname(false);
    careless.set_verify_mode(CERT_NONE);
    TlsEnds ends(careless, rogue);
    ASSERT_TRUE(ends.shake_hands());
    ends.client.tls.set_context(client);
    EXPECT_EQ(ends.client.read_all(), "");
    EXPECT_EQ(resumed(client, rogue, ends.client.tls.session()), "Session refers to a different SSLContext.");
}

}  // namespace
