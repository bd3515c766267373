#include <asyncio/errors/exceptions.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tls/engine_support.h"

// Servers of several names, each of which has a context of its own.

using namespace asyncio;
using support::authority;
using support::certify;
using support::client_context;
using support::server_context;
using support::TlsEnds;

namespace {

using Refusal = std::optional<AlertDescription>;

/// One name for everybody, and one for those with a certificate.
class SniContextTest : public testing::TestWithParam<TLSVersion> {
protected:
    SniContextTest() {
        guarded.load_verify_locations({.cadata = authority().certificate});
        guarded.set_verify_mode(CERT_REQUIRED);
        client.set_maximum_version(GetParam());
        first.set_sni_callback(
            [this](SSLObject& connection, std::optional<std::string_view> name, const SSLContext&) -> Refusal {
                asked.emplace_back(name.value_or("nobody"));
                if (name == "guarded.example") connection.set_context(guarded);
                return {};
            });
    }
    SSLSession session_of(std::string_view name) {
        TlsEnds ends(client, first, name);
        EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
        EXPECT_EQ(ends.client.read_all(), "");
        return ends.client.tls.session();
    }
    void show_certificate() {
        const support::Certified mine = certify({.name = "me"}, &authority());
        client.load_cert_chain_data({.certdata = mine.certificate, .keydata = mine.key});
    }
    support::Certified both = certify({.alt_names = "DNS:open.example,DNS:guarded.example"}, &authority());
    SSLContext client = client_context(), first = server_context(both), guarded = server_context(both);
    std::vector<std::string> asked;
};
INSTANTIATE_TEST_SUITE_P(Versions, SniContextTest, testing::Values(TLSVersion::TLSv1_2, TLSVersion::TLSv1_3),
                         [](const auto& version) { return version.param == TLSVersion::TLSv1_2 ? "Tls12" : "Tls13"; });

/// A session of the open name, sent by hand for the guarded one: CVE-2025-23419 of nginx.
TEST_P(SniContextTest, IsNotEnteredByASessionOfAnother) {
    client.set_check_hostname(false);  // then our own client would send it
    SSLSession session = session_of("open.example");
    TlsEnds ends(client, first, "guarded.example", session);
    ends.shake_hands();
    ends.server.step();
    EXPECT_FALSE(ends.server.is_connected) << "without a certificate";
    EXPECT_EQ(ends.server_error(), "[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate");
}

TEST_P(SniContextTest, ResumesItsOwnSessions) {
    show_certificate();
    SSLSession session = session_of("guarded.example");
    TlsEnds ends(client, first, "guarded.example", session);
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    EXPECT_TRUE(ends.server.tls.session_reused());
    EXPECT_EQ(ends.server.tls.getpeercert()->subject.at(0).at(0).second, "me");
    EXPECT_EQ(asked, (std::vector<std::string>{"guarded.example", "guarded.example"}));
}

TEST_P(SniContextTest, ChecksAsItSays) {
    show_certificate();
    guarded.set_verify_flags(guarded.verify_flags() | VERIFY_CRL_CHECK_LEAF);
    TlsEnds ends(client, first, "guarded.example");
    ends.shake_hands();
    EXPECT_EQ(ends.server_error(),
              "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get certificate CRL");
    guarded.load_verify_locations({.cadata = support::revocation_list(nullptr)});
    TlsEnds others(client, first, "guarded.example");
    EXPECT_TRUE(others.shake_hands()) << others.server_error();
    TlsEnds open(client, first, "open.example");
    EXPECT_TRUE(open.shake_hands()) << open.server_error();
}

TEST_P(SniContextTest, IsAskedOnceAlsoIfTheClientHasToSayHelloTwice) {
    first.set_ecdh_curve("secp384r1");
    TlsEnds ends(client, first, "open.example");
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    EXPECT_EQ(asked, std::vector<std::string>{"open.example"});
}

TEST_P(SniContextTest, IsAskedByWhoHasNoNameToo) {
    client.set_check_hostname(false);
    TlsEnds ends(client, first, std::nullopt);
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    EXPECT_EQ(asked, std::vector<std::string>{"nobody"});
}

}  // namespace
