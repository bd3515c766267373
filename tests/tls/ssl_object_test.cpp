#include <asyncio/errors/exceptions.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "tls/engine_support.h"
#include "tls/tls_engine.h"

using namespace asyncio;
using support::authority;
using support::certify;
using support::client_context;
using support::server_context;
using support::TlsEnds;

namespace {

TEST(MemoryBIO, KeepsBytesAndItsEnd) {
    MemoryBIO bio;
    EXPECT_FALSE(bio.eof());
    EXPECT_EQ(bio.write("hello"), 5U);
    EXPECT_EQ(bio.read(2), "he");
    EXPECT_EQ(bio.pending(), 3U);
    bio.write_eof();
    EXPECT_FALSE(bio.eof());
    EXPECT_EQ(bio.read(), "llo");
    EXPECT_TRUE(bio.eof());
    EXPECT_EQ(bio.read(), "");
    EXPECT_THROW(bio.write("x"), SSLError);
}

TEST(SSLObject, CarriesBytesBothWays) {
    TlsEnds ends;
    EXPECT_FALSE(ends.client.tls.version());
    EXPECT_FALSE(ends.client.tls.cipher());
    EXPECT_THROW(ends.client.tls.getpeercert(), ValueError);
    ASSERT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    EXPECT_EQ(ends.client.tls.version(), "TLSv1.3");
    EXPECT_EQ(ends.client.tls.cipher()->protocol, "TLSv1.3");
    EXPECT_EQ(ends.client.tls.cipher()->secret_bits, 256);
    EXPECT_FALSE(ends.client.tls.compression());
    EXPECT_EQ(ends.client.tls.server_hostname(), "localhost");
    EXPECT_FALSE(ends.client.tls.server_side());
    EXPECT_TRUE(ends.server.tls.server_side());

    std::string large(100'000, 'x');
    std::size_t sent = 0;
    while (sent < large.size()) sent += ends.client.tls.write(std::string_view(large).substr(sent));
    EXPECT_EQ(ends.server.tls.write("hi"), 2U);
    ends.carry();
    EXPECT_EQ(ends.server.read_all(), large);
    EXPECT_EQ(ends.client.tls.read(1), "h");
    EXPECT_EQ(ends.client.tls.pending(), 1U);
    EXPECT_EQ(ends.client.tls.read(), "i");
    EXPECT_THROW(ends.client.tls.read(), SSLWantReadError);
    EXPECT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
}

TEST(SSLObject, WithTls12HasAChannelBinding) {
    SSLContext client = client_context();
    client.set_maximum_version(TLSVersion::TLSv1_2);
    TlsEnds ends(client);
    ASSERT_TRUE(ends.shake_hands()) << ends.client_error();
    EXPECT_EQ(ends.client.tls.version(), "TLSv1.2");
    EXPECT_EQ(ends.client.tls.get_channel_binding(), ends.server.tls.get_channel_binding());
    EXPECT_EQ(ends.client.tls.get_channel_binding()->size(), 12U);
    EXPECT_THROW(ends.client.tls.get_channel_binding("other"), ValueError);
}

TEST(SSLObject, EndsInGoodOrder) {
    TlsEnds ends;
    ASSERT_TRUE(ends.shake_hands());
    ends.client.tls.write("last");
    EXPECT_THROW(ends.client.tls.unwrap(), SSLWantReadError);
    ends.carry();
    EXPECT_EQ(ends.server.tls.read(), "last");
    EXPECT_EQ(ends.server.tls.read(), "");
    ends.server.tls.unwrap();
    ends.carry();
    ends.client.tls.unwrap();
    EXPECT_THROW(ends.client.tls.write("more"), SSLError);
}

TEST(SSLObject, TellsACutConnectionFromAnEnd) {
    TlsEnds ends;
    ASSERT_TRUE(ends.shake_hands());
    ends.client.tls.write("part");
    ends.carry();
    ends.server.in.write_eof();
    EXPECT_EQ(ends.server.tls.read(), "part");
    try {
        ends.server.tls.read();
        FAIL();
    } catch (const SSLEOFError& error) {
        EXPECT_STREQ(error.what(), "EOF occurred in violation of protocol");
        EXPECT_EQ(error.reason(), "UNEXPECTED_EOF_WHILE_READING");
    }
    SSLContext lenient = server_context();
    lenient.set_options(lenient.options() | OP_IGNORE_UNEXPECTED_EOF);
    TlsEnds others(client_context(), lenient);
    ASSERT_TRUE(others.shake_hands());
    others.server.in.write_eof();
    EXPECT_EQ(others.server.tls.read(), "");
}

TEST(SSLObject, RefusesWhatIsNoNameOfAServer) {
    MemoryBIO in, out;
    SSLContext client = client_context();
    auto wrap = [&](std::optional<std::string_view> name) {
        return [&, name] { client.wrap_bio(in, out, {.server_hostname = name}); };
    };
    EXPECT_THROW(wrap("")(), ValueError);
    EXPECT_THROW(wrap(".example.org")(), ValueError);
    EXPECT_THROW(wrap(std::string_view("a\0b", 3))(), ValueError);
    EXPECT_THROW(wrap("müller.example")(), ValueError);
    EXPECT_THROW(wrap({})(), ValueError);
    client.set_check_hostname(false);
    EXPECT_NO_THROW(wrap({})());
    EXPECT_THROW(client.wrap_bio(in, out, {.server_side = true}), SSLError);
    EXPECT_THROW(server_context().wrap_bio(in, out, {.server_side = true, .server_hostname = "x"}), ValueError);
    EXPECT_THROW(server_context().wrap_bio(in, out), SSLError);
    EXPECT_THROW(SSLObject().read(), RuntimeError);
}

TEST(SSLObject, ShowsThePeersCertificateAsPythonDoes) {
    TlsEnds ends;
    ASSERT_TRUE(ends.shake_hands());
    std::optional<PeerCertificate> its = ends.client.tls.getpeercert();
    ASSERT_TRUE(its && *its);
    EXPECT_EQ(its->subject, (std::vector<PeerCertificate::Fields>{{{"commonName", "localhost"}}}));
    EXPECT_EQ(its->issuer, (std::vector<PeerCertificate::Fields>{{{"commonName", "asyncio tests"}}}));
    EXPECT_EQ(its->subjectAltName, (PeerCertificate::Fields{{"DNS", "localhost"}, {"IP Address", "127.0.0.1"}}));
    EXPECT_EQ(its->version, 3);
    EXPECT_EQ(its->notAfter.substr(its->notAfter.size() - 3), "GMT");
    EXPECT_FALSE(its->serialNumber.empty());
    EXPECT_EQ(ends.client.tls.get_verified_chain().size(), 2U);
    EXPECT_EQ(ends.client.tls.get_unverified_chain().size(), 1U);
    EXPECT_EQ(repr(PeerCertificate()), "{}");
    std::string name = "((('commonName', 'localhost'),),)";
    EXPECT_TRUE(repr(its).starts_with("{'subject': " + name + ", 'issuer': ((('commonName', '")) << repr(its);
    its->issuer = {{{"countryName", "UK"}, {"commonName", "it's"}}, {{"title", "x"}}};
    its->version = 3;
    its->serialNumber = "0A";
    its->notBefore = "before";
    its->notAfter = "after";
    its->OCSP = {"http://a"};
    its->caIssuers = {"http://b", "http://c"};
    // Python's repr() of that dict
    EXPECT_EQ(repr(*its), "{'subject': " + name +
                              ", 'issuer': ((('countryName', 'UK'), ('commonName', \"it's\")), (('title', 'x'),)), "
                              "'version': 3, 'serialNumber': '0A', 'notBefore': 'before', 'notAfter': 'after', "
                              "'subjectAltName': (('DNS', 'localhost'), ('IP Address', '127.0.0.1')), 'OCSP': "
                              "('http://a',), 'caIssuers': ('http://b', 'http://c')}");
    EXPECT_EQ(ends.client.tls.getpeercert_der(), ends.client.tls.get_unverified_chain()[0]);
    EXPECT_FALSE(ends.server.tls.getpeercert()) << "the client has none";

    SSLContext trusting = client_context();
    trusting.set_check_hostname(false);
    trusting.set_verify_mode(CERT_NONE);
    TlsEnds others(trusting);
    ASSERT_TRUE(others.shake_hands());
    EXPECT_TRUE(others.client.tls.getpeercert());
    EXPECT_FALSE(*others.client.tls.getpeercert()) << "nobody has checked it";
}

TEST(SSLObject, ChecksAClientsCertificate) {
    SSLContext server = server_context();
    server.set_verify_mode(CERT_REQUIRED);
    server.load_verify_locations({.cadata = authority().certificate});
    TlsEnds without(client_context(), server);
    EXPECT_FALSE(without.shake_hands());
    EXPECT_EQ(without.server_error(), "[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate");

    support::Certified stranger = certify({.name = "stranger", .alt_names = ""});
    SSLContext client = client_context();
    client.load_cert_chain_data({.certdata = stranger.certificate, .keydata = stranger.key});
    TlsEnds wrong(client, server);
    EXPECT_FALSE(wrong.shake_hands());
    EXPECT_NE(exception_cast<SSLCertVerificationError>(wrong.server.failed_by), nullptr);

    support::Certified known = certify({.name = "known", .alt_names = ""}, &authority());
    client.load_cert_chain_data({.certdata = known.certificate, .keydata = known.key});
    TlsEnds right(client, server);
    ASSERT_TRUE(right.shake_hands()) << right.server_error();
    EXPECT_EQ(right.server.tls.getpeercert()->subject[0][0].second, "known");

    server.set_verify_mode(CERT_OPTIONAL);
    TlsEnds optional(client_context(), server);
    EXPECT_TRUE(optional.shake_hands());
}

TEST(SSLObject, AsksForACertificateAfterTheHandshake) {
    SSLContext server = server_context();
    server.set_verify_mode(CERT_REQUIRED);
    server.load_verify_locations({.cadata = authority().certificate});
    server.set_post_handshake_auth(true);
    SSLContext client = client_context();
    support::Certified known = certify({.name = "known", .alt_names = ""}, &authority());
    client.load_cert_chain_data({.certdata = known.certificate, .keydata = known.key});
    client.set_post_handshake_auth(true);
    TlsEnds ends(client, server);
    ASSERT_TRUE(ends.shake_hands()) << ends.server_error();
    EXPECT_FALSE(ends.server.tls.getpeercert());
    ends.server.tls.verify_client_post_handshake();
    ends.server.tls.write("who are you?");
    ends.carry();
    EXPECT_EQ(ends.client.tls.read(), "who are you?");
    ends.client.tls.write("me");
    ends.carry();
    EXPECT_EQ(ends.server.tls.read(), "me");
    EXPECT_EQ(ends.server.tls.getpeercert()->subject[0][0].second, "known");

    TlsEnds unwilling(client_context(), server);
    ASSERT_TRUE(unwilling.shake_hands());
    EXPECT_THROW(unwilling.server.tls.verify_client_post_handshake(), SSLError);
}

TEST(SSLObject, AgreesOnAProtocol) {
    SSLContext client = client_context();
    SSLContext server = server_context();
    client.set_alpn_protocols({"spdy", "http/1.1", "h2"});
    server.set_alpn_protocols({"h2", "http/1.1"});
    TlsEnds ends(client, server);
    ASSERT_TRUE(ends.shake_hands());
    EXPECT_EQ(ends.client.tls.selected_alpn_protocol(), "h2") << "what the server likes best";
    EXPECT_EQ(ends.server.tls.selected_alpn_protocol(), "h2");
    client.set_alpn_protocols({"other"});
    TlsEnds none(client, server);
    ASSERT_TRUE(none.shake_hands());
    EXPECT_FALSE(none.client.tls.selected_alpn_protocol());
}

TEST(SSLObject, ResumesASession) {
    for (TLSVersion version : {TLSVersion::TLSv1_2, TLSVersion::TLSv1_3}) {
        SSLContext client = client_context();
        client.set_maximum_version(version);
        SSLContext server = server_context();
        TlsEnds ends(client, server);
        ASSERT_TRUE(ends.shake_hands());
        EXPECT_FALSE(ends.client.tls.session_reused());
        EXPECT_EQ(ends.client.read_all(), "");  // the tickets
        SSLSession session = ends.client.tls.session();
        ASSERT_TRUE(session);
        EXPECT_TRUE(session.has_ticket());
        EXPECT_GT(session.timeout(), 0);
        EXPECT_GT(session.time(), 0);
        EXPECT_FALSE(session.id().empty());
        EXPECT_FALSE(ends.server.tls.session());
        TlsEnds again(client, server, "localhost", session);
        ASSERT_TRUE(again.shake_hands()) << again.client_error();
        EXPECT_TRUE(again.client.tls.session_reused());
        EXPECT_TRUE(again.server.tls.session_reused());
        SSLContext forgetful = server_context();
        TlsEnds others(client, forgetful, "localhost", session);
        ASSERT_TRUE(others.shake_hands());
        EXPECT_FALSE(others.client.tls.session_reused()) << "by the keys of another server";
    }
}

TEST(SSLObject, OfAServerChoosesByTheNameThatIsAskedFor) {
    support::Certified other = certify({.name = "other", .alt_names = "DNS:other.example"}, &authority());
    SSLContext for_other = server_context(other);
    SSLContext server = server_context();
    std::string asked;
    server.set_sni_callback([&](SSLObject& connection, std::optional<std::string_view> name,
                                const SSLContext& context) -> std::optional<AlertDescription> {
        EXPECT_EQ(context, server);
        asked += name ? *name : "nothing";
        asked += ' ';
        if (name == "other.example") connection.set_context(for_other);
        if (name == "refused.example") return ALERT_DESCRIPTION_UNRECOGNIZED_NAME;
        if (name == "thrown.example") throw RuntimeError("no such server");
        return {};
    });
    TlsEnds ends(client_context(), server, "other.example");
    ASSERT_TRUE(ends.shake_hands()) << ends.client_error();
    EXPECT_EQ(ends.server.tls.context(), for_other);
    EXPECT_TRUE(TlsEnds(client_context(), server, "localhost").shake_hands());
    EXPECT_TRUE(TlsEnds(client_context(), server, "127.0.0.1").shake_hands());
    TlsEnds refused(client_context(), server, "refused.example");
    EXPECT_FALSE(refused.shake_hands());
    EXPECT_EQ(refused.client_error(), "[SSL: TLSV1_UNRECOGNIZED_NAME] tlsv1 unrecognized name");
    TlsEnds thrown(client_context(), server, "thrown.example");
    EXPECT_FALSE(thrown.shake_hands());
    EXPECT_EQ(repr(thrown.server.failed_by), "RuntimeError('no such server')");
    EXPECT_EQ(asked, "other.example localhost nothing refused.example thrown.example ");
    EXPECT_THROW(client_context().set_sni_callback({}), ValueError);
    server.set_sni_callback({});
    EXPECT_TRUE(TlsEnds(client_context(), server, "localhost").shake_hands());
    EXPECT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
}

/// With TLS 1.2 each end could ask for another handshake, as often as it likes. It is answered by an alert, and that is
/// all.
TEST(SSLObject, ShakesHandsOnce) {
    SSLContext client = client_context();
    client.set_maximum_version(TLSVersion::TLSv1_2);
    for (bool client_asks : {true, false}) {
        TlsEnds ends(client, server_context());
        ASSERT_TRUE(ends.shake_hands());
        support::TlsEnd& asks = client_asks ? ends.client : ends.server;
        support::TlsEnd& refuses = client_asks ? ends.server : ends.client;
        SSL* other = asks.tls.engine().native();
        SSL_clear_options(other, SSL_OP_NO_RENEGOTIATION);
        ASSERT_EQ(SSL_renegotiate(other), 1);
        SSL_do_handshake(other);
        refuses.in.write(asks.out.read());
        EXPECT_EQ(refuses.read_all(), "");
        EXPECT_EQ(refuses.out.read().substr(0, 3), "\x15\x03\x03") << client_asks;
        EXPECT_EQ(refuses.tls.write("still here"), 10U);
    }
}

TEST(SSLObject, NeedsCommonVersionsAndCiphers) {
    SSLContext client = client_context();
    SSLContext server = server_context();
    client.set_minimum_version(TLSVersion::TLSv1_3);
    server.set_maximum_version(TLSVersion::TLSv1_2);
    TlsEnds versions(client, server);
    EXPECT_FALSE(versions.shake_hands());
    EXPECT_EQ(versions.server_error(), "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol");
    EXPECT_EQ(versions.client_error(), "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version");

    SSLContext old = client_context();
    old.set_ciphers("ALL:@SECLEVEL=0");
    old.set_minimum_version(TLSVersion::TLSv1);
    old.set_maximum_version(TLSVersion::TLSv1_1);
    TlsEnds olds(old, server_context());
    EXPECT_FALSE(olds.shake_hands());
    EXPECT_EQ(olds.server_error(), "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol");

    SSLContext some = client_context();
    some.set_maximum_version(TLSVersion::TLSv1_2);
    some.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256");
    server.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384");
    TlsEnds ciphers(some, server);
    EXPECT_FALSE(ciphers.shake_hands());
    EXPECT_EQ(ciphers.server_error(), "[SSL: NO_SHARED_CIPHER] no shared cipher");
}

TEST(SSLObject, TellsWhatIsNoTls) {
    TlsEnds ends;
    ends.server.in.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ends.server.step();
    EXPECT_EQ(ends.server_error(), "[SSL: HTTP_REQUEST] http request");
    ends.client.in.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    ends.client.step();
    EXPECT_EQ(ends.client_error(), "[SSL: WRONG_VERSION_NUMBER] wrong version number");
    TlsEnds cut;
    cut.server.in.write_eof();
    cut.server.step();
    EXPECT_NE(exception_cast<SSLEOFError>(cut.server.failed_by), nullptr) << cut.server_error();
    EXPECT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
}

TEST(SSLObject, WritesItsKeysToTheKeyLog) {
    std::string file = testing::TempDir() + "asyncio_tls_keys_" + std::to_string(::getpid());
    SSLContext client = client_context();
    client.set_keylog_filename(file);
    ASSERT_TRUE(TlsEnds(client).shake_hands());
    std::ifstream keys(file);
    std::string first;
    std::getline(keys, first);
    EXPECT_EQ(first.substr(0, 31), "SERVER_HANDSHAKE_TRAFFIC_SECRET");
    std::remove(file.c_str());
}

}  // namespace
