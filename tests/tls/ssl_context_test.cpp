#include <asyncio/errors/os_errors.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tls/certificates.h"

using namespace asyncio;
using support::authority;
using support::certify;
using support::localhost;

namespace {

std::string in_file(const std::string& name, const std::string& text) {
    std::string path = testing::TempDir() + "asyncio_tls_" + std::to_string(::getpid()) + "_" + name;
    std::ofstream(path) << text;
    return path;
}

template <class Error, class F>
std::string message_of(F function) {
    try {
        function();
    } catch (const Error& error) {
        return error.what();
    } catch (...) {
        return "another: " + repr(std::current_exception());
    }
    return "nothing was thrown";
}

TEST(SSLContext, OfAClientChecksCertificateAndName) {
    SSLContext context(PROTOCOL_TLS_CLIENT);
    EXPECT_EQ(context.protocol(), PROTOCOL_TLS_CLIENT);
    EXPECT_TRUE(context.check_hostname());
    EXPECT_EQ(context.verify_mode(), CERT_REQUIRED);
    EXPECT_EQ(context.minimum_version(), TLSVersion::TLSv1_2);
    EXPECT_EQ(context.maximum_version(), TLSVersion::MAXIMUM_SUPPORTED);
    EXPECT_NE(context.options() & OP_NO_COMPRESSION, 0U);
    EXPECT_NE(context.options() & OP_NO_RENEGOTIATION, 0U);
    EXPECT_EQ(context.options() & OP_IGNORE_UNEXPECTED_EOF, 0U);
    EXPECT_EQ(context.security_level(), 2);
    EXPECT_EQ(context.verify_flags(), VERIFY_X509_TRUSTED_FIRST);
}

TEST(SSLContext, OfAServerAsksForNoCertificate) {
    SSLContext context(PROTOCOL_TLS_SERVER);
    EXPECT_FALSE(context.check_hostname());
    EXPECT_EQ(context.verify_mode(), CERT_NONE);
    EXPECT_EQ(context.minimum_version(), TLSVersion::TLSv1_2);
    EXPECT_EQ(context.num_tickets(), 2);
    context.set_num_tickets(0);
    EXPECT_EQ(context.num_tickets(), 0);
    EXPECT_EQ(message_of<ValueError>([&] { context.set_num_tickets(-1); }), "value must be non-negative");
    EXPECT_THROW(SSLContext(static_cast<SSLMethod>(5)), ValueError);
}

TEST(SSLContext, OfTheDefaultIsStricter) {
    SSLContext client = create_default_context();
    EXPECT_EQ(client.verify_flags(), VERIFY_X509_TRUSTED_FIRST | VERIFY_X509_PARTIAL_CHAIN | VERIFY_X509_STRICT);
    EXPECT_EQ(client.protocol(), PROTOCOL_TLS_CLIENT);
    SSLContext server = create_default_context(Purpose::CLIENT_AUTH);
    EXPECT_EQ(server.protocol(), PROTOCOL_TLS_SERVER);
    EXPECT_EQ(server.verify_mode(), CERT_NONE);
    EXPECT_NE(server.verify_flags() & VERIFY_X509_STRICT, 0U);
    SSLContext own = create_default_context(Purpose::SERVER_AUTH, {.cadata = authority().certificate});
    EXPECT_EQ(own.get_ca_certs().size(), 1U) << "and not those of the system";
}

TEST(SSLContext, CannotCheckNamesWithoutCertificates) {
    SSLContext context(PROTOCOL_TLS_CLIENT);
    EXPECT_EQ(message_of<ValueError>([&] { context.set_verify_mode(CERT_NONE); }),
              "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
    context.set_check_hostname(false);
    context.set_verify_mode(CERT_NONE);
    EXPECT_EQ(context.verify_mode(), CERT_NONE);
    context.set_check_hostname(true);
    EXPECT_EQ(context.verify_mode(), CERT_REQUIRED);
    EXPECT_THROW(context.set_verify_mode(static_cast<VerifyMode>(7)), ValueError);
}

TEST(SSLContext, KeepsItsFlagsAndVersions) {
    SSLContext context(PROTOCOL_TLS_SERVER);
    context.set_verify_flags(context.verify_flags() & ~VERIFY_X509_TRUSTED_FIRST);
    EXPECT_EQ(context.verify_flags() & VERIFY_X509_TRUSTED_FIRST, 0U);
    context.set_verify_flags(VERIFY_CRL_CHECK_LEAF);
    EXPECT_EQ(context.verify_flags(), VERIFY_CRL_CHECK_LEAF);
    context.set_minimum_version(TLSVersion::TLSv1_3);
    context.set_maximum_version(TLSVersion::TLSv1_3);
    EXPECT_EQ(context.minimum_version(), TLSVersion::TLSv1_3);
    EXPECT_EQ(context.maximum_version(), TLSVersion::TLSv1_3);
    context.set_minimum_version(TLSVersion::MINIMUM_SUPPORTED);
    EXPECT_EQ(context.minimum_version(), TLSVersion::MINIMUM_SUPPORTED);
    EXPECT_THROW(context.set_minimum_version(static_cast<TLSVersion>(0x300)), ValueError);
    context.set_options(OP_NO_TICKET);
    EXPECT_EQ(context.options(), OP_NO_TICKET);
    context.set_post_handshake_auth(true);
    EXPECT_TRUE(context.post_handshake_auth());
}

TEST(SSLContext, TakesCiphersThatThereAre) {
    SSLContext context(PROTOCOL_TLS_CLIENT);
    for (const std::string& cipher : context.get_ciphers()) {
        bool is_forward = cipher.starts_with("TLS_") || cipher.starts_with("ECDHE") || cipher.starts_with("DHE");
        EXPECT_TRUE(is_forward) << cipher;
    }
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256");
    context.set_ciphersuites("TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(context.get_ciphers(),
              (std::vector<std::string>{"TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"}));
    EXPECT_EQ(message_of<SSLError>([&] { context.set_ciphers("NONSENSE"); }), "No cipher can be selected.");
    EXPECT_THROW(context.set_ciphersuites("NONSENSE"), SSLError);
    EXPECT_THROW(context.set_ecdh_curve("no-curve"), ValueError);
    context.set_ecdh_curve("prime256v1");
    EXPECT_THROW(context.set_alpn_protocols({std::string(256, 'x')}), SSLError);
    EXPECT_THROW(context.set_alpn_protocols({""}), SSLError);
    EXPECT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
}

TEST(SSLContext, ShowsACertificateFromFilesAndFromMemory) {
    SSLContext context(PROTOCOL_TLS_SERVER);
    std::string certfile = in_file("cert.pem", localhost().certificate + authority().certificate);
    std::string keyfile = in_file("key.pem", localhost().key);
    std::string both = in_file("both.pem", localhost().key + localhost().certificate);
    context.load_cert_chain(certfile, {.keyfile = keyfile});
    context.load_cert_chain(both);
    context.load_cert_chain_data({.certdata = localhost().certificate, .keydata = localhost().key});

    EXPECT_THROW(context.load_cert_chain("/nowhere/cert.pem"), FileNotFoundError);
    EXPECT_THROW(context.load_cert_chain(certfile, {.keyfile = "/nowhere/key.pem"}), FileNotFoundError);
    EXPECT_EQ(message_of<SSLError>([&] { context.load_cert_chain(keyfile); }),
              "[PEM: NO_START_LINE] no start line: '" + keyfile + "'");
    EXPECT_EQ(message_of<SSLError>([&] {
                  context.load_cert_chain_data({.certdata = localhost().certificate, .keydata = authority().key});
              }),
              "[X509: KEY_VALUES_MISMATCH] key values mismatch");
    EXPECT_EQ(message_of<SSLError>([&] { context.load_cert_chain(certfile); }),
              "[OSSL_DECODER: UNSUPPORTED] unsupported: no private key in it: give .keyfile: '" + certfile + "'");
    EXPECT_EQ(message_of<SSLError>([&] { context.load_cert_chain_data({.certdata = localhost().certificate}); }),
              "[OSSL_DECODER: UNSUPPORTED] unsupported: no private key in the data: give .keydata");
    EXPECT_EQ(message_of<IsADirectoryError>([&] { context.load_cert_chain("/tmp"); }),
              "[Errno 21] Is a directory: '/tmp'");
    EXPECT_EQ(message_of<IsADirectoryError>([&] { context.load_cert_chain(certfile, {.keyfile = "/tmp"}); }),
              "[Errno 21] Is a directory: '/tmp'");
    std::string encrypted = in_file("encrypted.pem", certify({.password = "sesame"}, &authority()).key);
    EXPECT_EQ(message_of<SSLError>([&] { context.load_cert_chain(certfile, {.keyfile = encrypted}); }),
              "the private key is encrypted, and no password was given: '" + encrypted + "'");
    std::remove(encrypted.c_str());
    std::string broken = localhost().certificate;
    broken[broken.size() / 2] = broken[broken.size() / 2] == 'A' ? 'B' : 'A';
    EXPECT_THROW(
        context.load_cert_chain_data(
            {.certdata = localhost().certificate + broken.substr(0, broken.size() - 60), .keydata = localhost().key}),
        SSLError);
    EXPECT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
    for (const std::string& path : {certfile, keyfile, both}) std::remove(path.c_str());
}

TEST(SSLContext, AsksForThePasswordOfAKey) {
    SSLContext context(PROTOCOL_TLS_SERVER);
    support::Certified made = certify({.password = "sesame"}, &authority());
    context.load_cert_chain_data({.certdata = made.certificate, .keydata = made.key, .password = "sesame"});
    int asked = 0;
    auto ask = [&] {
        ++asked;
        return std::string("sesame");
    };
    context.load_cert_chain_data({.certdata = made.certificate, .keydata = made.key, .password = ask});
    EXPECT_EQ(asked, 1);
    context.load_cert_chain_data({.certdata = localhost().certificate, .keydata = localhost().key, .password = ask});
    EXPECT_EQ(asked, 1) << "a key that is not encrypted needs none";
    std::string said = message_of<SSLError>([&] {
        context.load_cert_chain_data({.certdata = made.certificate, .keydata = made.key, .password = "wrong"});
    });
    EXPECT_TRUE(said.ends_with(": the password is wrong, or the key is damaged")) << said;
    EXPECT_EQ(message_of<SSLError>(
                  [&] { context.load_cert_chain_data({.certdata = made.certificate, .keydata = made.key}); }),
              "the private key is encrypted, and no password was given");
    auto refuse = []() -> std::string { throw RuntimeError("I forgot"); };
    EXPECT_EQ(message_of<RuntimeError>([&] {
                  context.load_cert_chain_data({.certdata = made.certificate, .keydata = made.key, .password = refuse});
              }),
              "I forgot");
    EXPECT_EQ(message_of<ValueError>([&] {
                  context.load_cert_chain_data(
                      {.certdata = made.certificate, .keydata = made.key, .password = std::string(2000, 'x')});
              }),
              "password cannot be longer than 1024 bytes");
    EXPECT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
}

TEST(SSLContext, TrustsWhomItIsTold) {
    SSLContext context(PROTOCOL_TLS_CLIENT);
    EXPECT_EQ(context.cert_store_stats().x509, 0);
    context.load_verify_locations({.cadata = authority().certificate});
    context.load_verify_locations({.cadata = authority().certificate});
    context.load_verify_locations({.cadata = localhost().certificate});
    EXPECT_EQ(context.cert_store_stats().x509, 2);
    EXPECT_EQ(context.cert_store_stats().x509_ca, 1);
    std::vector<std::string> der = context.get_ca_certs();
    ASSERT_EQ(der.size(), 1U);
    SSLContext other(PROTOCOL_TLS_CLIENT);
    other.load_verify_locations({.cadata = der[0]});
    EXPECT_EQ(other.get_ca_certs(), der);
    EXPECT_EQ(message_of<SSLError>([&] { other.load_verify_locations({.cadata = "rubbish"}); }),
              "[ASN1: NOT_ENOUGH_DATA] not enough data: cadata is neither PEM nor DER");
    EXPECT_EQ(message_of<IsADirectoryError>([&] { other.load_verify_locations({.cafile = "/tmp"}); }),
              "[Errno 21] Is a directory: '/tmp'");
    std::string file = in_file("ca.pem", authority().certificate);
    SSLContext third(PROTOCOL_TLS_CLIENT);
    third.load_verify_locations({.cafile = file});
    EXPECT_EQ(third.get_ca_certs(), der);
    std::remove(file.c_str());

    EXPECT_EQ(message_of<TypeError>([&] { context.load_verify_locations({}); }),
              "cafile, capath and cadata cannot be all omitted");
    EXPECT_THROW(context.load_verify_locations({.cafile = "/nowhere"}), FileNotFoundError);
    EXPECT_THROW(context.load_verify_locations({.cadata = "rubbish"}), SSLError);
    EXPECT_THROW(context.load_verify_locations({.cadata = "-----BEGIN CERTIFICATE-----\nrubbish"}), SSLError);
    EXPECT_THROW(context.load_verify_locations({.cadata = "-----BEGIN NOTHING-----\n"}), SSLError);
    EXPECT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
}

TEST(SSLContext, LeavesNothingOfOthersErrorsAndReadsNoneOfThem) {
    ERR_raise(ERR_LIB_RSA, 1);
    SSLContext context(PROTOCOL_TLS_CLIENT);
    EXPECT_THROW(context.load_verify_locations({.cafile = "/nowhere"}), FileNotFoundError);
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(SSLContext, WritesKeysWhereItIsTold) {
    SSLContext context(PROTOCOL_TLS_CLIENT);
    EXPECT_EQ(context.keylog_filename(), "");
    EXPECT_THROW(context.set_keylog_filename("/nowhere/keys"), FileNotFoundError);
    EXPECT_EQ(context.keylog_filename(), "");
    std::string file = in_file("keys", "");
    context.set_keylog_filename(file);
    EXPECT_EQ(context.keylog_filename(), file);
    ::setenv("SSLKEYLOGFILE", file.c_str(), 1);
    EXPECT_EQ(create_default_context().keylog_filename(), file);
    ::unsetenv("SSLKEYLOGFILE");
    std::remove(file.c_str());
}

TEST(SSLContext, TakesNoPasswordForNull) {
    KeyPassword none(static_cast<const char*>(nullptr));
    EXPECT_FALSE(none.ask());
}

TEST(SSLContext, RefusesWhatIsNoName) {
    SSLContext context(PROTOCOL_TLS_SERVER);
    EXPECT_THROW(context.load_cert_chain(""), FileNotFoundError);
    EXPECT_THROW(context.load_cert_chain(std::string("/etc/hostname\0x", 15)), ValueError);
}

TEST(SSLError, SaysWhichPartOfOpenSslFailedAndWhy) {
    SSLContext context(PROTOCOL_TLS_SERVER);
    try {
        context.load_cert_chain_data({.certdata = "rubbish"});
        FAIL();
    } catch (const SSLError& error) {
        EXPECT_EQ(error.library(), "PEM");
        EXPECT_EQ(error.reason(), "NO_START_LINE");
        EXPECT_STREQ(error.what(), "[PEM: NO_START_LINE] no start line");
        EXPECT_EQ(error.errno_value(), 0);
    }
    EXPECT_EQ(repr(std::make_exception_ptr(SSLEOFError("x"))), "SSLEOFError('x')");
}

}  // namespace
