#include <asyncio/errors/exceptions.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <string>

#include "tls/engine_support.h"

using namespace asyncio;
using support::authority;
using support::certify;
using support::client_context;
using support::localhost;
using support::server_context;
using support::TlsEnds;

namespace {

TEST(SSLObject, RefusesACertificateForAnotherNameAndNamesBoth) {
    TlsEnds ends(client_context(), server_context(), "example.org");
    EXPECT_FALSE(ends.shake_hands());
    const auto* error = exception_cast<SSLCertVerificationError>(ends.client.failed_by);
    ASSERT_NE(error, nullptr) << ends.client_error();
    EXPECT_STREQ(
        error->what(),
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid "
        "for 'example.org': it is for 'localhost', '127.0.0.1'.");
    EXPECT_EQ(error->verify_code(), X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_EQ(error->host(), "example.org");
    EXPECT_EQ(error->library(), "SSL");
    EXPECT_EQ(error->reason(), "CERTIFICATE_VERIFY_FAILED");
    EXPECT_EQ(ends.server_error(), "[SSL: SSLV3_ALERT_BAD_CERTIFICATE] sslv3 alert bad certificate");
}

/// What a client that wants `host` says of this certificate; nothing if it is content.
std::string verdict(const support::Certified& shown, std::string_view host = "localhost") {
    SSLContext server(PROTOCOL_TLS_SERVER);
    server.set_security_level(0);
    server.load_cert_chain_data({.certdata = shown.certificate, .keydata = shown.key});
    TlsEnds ends(client_context(), server, host);
    if (ends.shake_hands()) return "";
    const auto* error = exception_cast<SSLCertVerificationError>(ends.client.failed_by);
    return error != nullptr ? error->verify_message() : "another error: " + ends.client_error();
}

TEST(SSLObject, ChecksWhomItSpeaksTo) {
    const support::Certified& ours = authority();
    EXPECT_EQ(verdict(localhost()), "");
    EXPECT_EQ(verdict(localhost(), "127.0.0.1"), "");
    EXPECT_EQ(verdict(localhost(), "localhost."), "") << "a full name";
    EXPECT_EQ(verdict(localhost(), "127.0.0.2"),
              "IP address mismatch, certificate is not valid for '127.0.0.2': it is for 'localhost', '127.0.0.1'.");
    EXPECT_EQ(verdict(certify({.until = -60}, &ours)), "certificate has expired");
    EXPECT_EQ(verdict(certify({.from = 3600}, &ours)), "certificate is not yet valid");
    EXPECT_EQ(verdict(certify({})), "self-signed certificate");
    support::Certified other = certify({.name = "others", .is_authority = true});
    EXPECT_EQ(verdict(certify({}, &other)), "unable to get local issuer certificate");
    support::Certified between = certify({.name = "between", .is_authority = true}, &ours);
    support::Certified below = certify({}, &between);
    EXPECT_EQ(verdict(below), "unable to get local issuer certificate") << "nobody has sent the one between";
    below.certificate += between.certificate;
    EXPECT_EQ(verdict(below), "");
    EXPECT_EQ(verdict(certify({.key_type = "RSA"}, &ours)), "EE certificate key too weak");
    EXPECT_EQ(verdict(certify({.hash = "SHA1"}, &ours)), "CA signature digest algorithm too weak");
    EXPECT_EQ(verdict(certify({.alt_names = ""}, &ours)),
              "Hostname mismatch, certificate is not valid for 'localhost': its subjectAltName has no host, and a "
              "commonName does not count.");
    EXPECT_EQ(verdict(certify({}, &localhost())).substr(0, 7), "unable ") << "who is no authority cannot certify";
}

TEST(SSLObject, KnowsWhereAWildcardMayStand) {
    auto is_for = [](const std::string& pattern, const std::string& host) {
        return verdict(certify({.alt_names = "DNS:" + pattern}, &authority()), host).empty();
    };
    EXPECT_TRUE(is_for("*.example.org", "www.example.org"));
    EXPECT_TRUE(is_for("*.example.org", "WWW.Example.ORG"));
    EXPECT_FALSE(is_for("*.example.org", "example.org"));
    EXPECT_FALSE(is_for("*.example.org", "a.b.example.org"));
    EXPECT_FALSE(is_for("w*.example.org", "www.example.org"));
    EXPECT_FALSE(is_for("*w.example.org", "www.example.org"));
    EXPECT_FALSE(is_for("www.*.org", "www.example.org"));
    EXPECT_FALSE(is_for("*", "localhost"));
    EXPECT_FALSE(is_for("*.org", "example.org"));
    EXPECT_FALSE(is_for("www.example.*", "www.example.org"));
    EXPECT_FALSE(is_for("*.*.org", "www.example.org"));
    EXPECT_FALSE(is_for("xn--*.example.org", "xn--a.example.org"));
    EXPECT_FALSE(is_for("*.0.0.1", "127.0.0.1"));
}

TEST(SSLObject, FindsAnAddressAmongTheAddressesAlone) {
    support::Certified loopback = certify({.alt_names = "IP:::1"}, &authority());
    EXPECT_EQ(verdict(loopback, "::1"), "");
    EXPECT_EQ(verdict(loopback, "0:0::0:1"), "") << "however it is written";
    EXPECT_EQ(verdict(loopback, "::2"),
              "IP address mismatch, certificate is not valid for '::2': it is for '0:0:0:0:0:0:0:1'.");
    EXPECT_EQ(verdict(localhost(), "::1"),
              "IP address mismatch, certificate is not valid for '::1': it is for 'localhost', '127.0.0.1'.");
    EXPECT_EQ(verdict(certify({.alt_names = "DNS:127.0.0.1"}, &authority()), "127.0.0.1"),
              "IP address mismatch, certificate is not valid for '127.0.0.1': it is for '127.0.0.1'.")
        << "a name that looks like one is none";
}

TEST(SSLObject, RefusesRevokedCertificates) {
    support::Certified shown = certify({}, &authority());
    auto verdict_with = [&](bool revoke) {
        SSLContext client = client_context();
        client.load_verify_locations({.cadata = support::revocation_list(revoke ? &shown : nullptr)});
        client.set_verify_flags(client.verify_flags() | VERIFY_CRL_CHECK_LEAF);
        TlsEnds ends(client, server_context(shown));
        return ends.shake_hands() ? "" : ends.client_error();
    };
    EXPECT_EQ(verdict_with(false), "");
    EXPECT_EQ(
        verdict_with(true),
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate revoked (certificate of 'localhost')");
    SSLContext client = client_context();
    client.set_verify_flags(VERIFY_CRL_CHECK_LEAF);
    TlsEnds ends(client);
    EXPECT_FALSE(ends.shake_hands());
    EXPECT_EQ(
        ends.client_error(),
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get certificate CRL (certificate of "
        "'localhost')");
}

}  // namespace
