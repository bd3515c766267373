#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tls/engine_support.h"

// What a context is told, by what its connections do; and a certificate that has all that one can have.

using namespace asyncio;
using support::authority;
using support::certify;
using support::client_context;
using support::server_context;
using support::TlsEnds;

namespace {

/// A folder with the authority, under the name by which OpenSSL looks for it, too; and what else is put there.
class Authorities {
public:
    Authorities() {
        char name[] = "/tmp/asyncio-tls-XXXXXX";
        path_ = ::mkdtemp(name);
        put(support::name_in_folder(authority()), authority().certificate);
        put("ca.pem", authority().certificate);
    }
    ~Authorities() { std::filesystem::remove_all(path_); }
    Authorities(const Authorities&) = delete;
    Authorities& operator=(const Authorities&) = delete;

    const std::string& path() const { return path_; }
    std::string path(const std::string& name) const { return path_ + "/" + name; }
    void put(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

private:
    std::string path_;
};

/// Variables of the environment as long as it lives.
class Environment {
public:
    Environment(const std::string& cert_file, const std::string& cert_dir) {
        ::setenv("SSL_CERT_FILE", cert_file.c_str(), 1);
        ::setenv("SSL_CERT_DIR", cert_dir.c_str(), 1);
    }
    ~Environment() {
        ::unsetenv("SSL_CERT_FILE");
        ::unsetenv("SSL_CERT_DIR");
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
};

/// What a client says of a server that the authority has certified; nothing if it is content.
std::string verdict(const SSLContext& client, const support::Certified& shown = support::localhost()) {
    TlsEnds ends(client, server_context(shown));
    return ends.shake_hands() ? "" : ends.client_error();
}

constexpr const char* unknown =
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (certificate "
    "of 'localhost')";

TEST(SSLContext, LooksForAuthoritiesInAFolder) {
    Authorities folder;
    SSLContext context = create_default_context(Purpose::SERVER_AUTH, {.capath = folder.path()});
    EXPECT_EQ(context.get_ca_certs().size(), 0U) << "none was wanted yet";
    EXPECT_EQ(verdict(context), "");
    EXPECT_EQ(context.get_ca_certs().size(), 1U);
    Authorities others;
    std::filesystem::remove_all(others.path());
    EXPECT_EQ(verdict(create_default_context(Purpose::SERVER_AUTH, {.capath = others.path()})), unknown)
        << "a folder that is not there has none";
}

TEST(SSLContext, TakesFromTheEnvironmentWhomTheSystemTrusts) {
    Authorities folder;
    std::string nowhere = folder.path("nowhere");
    for (bool is_file : {false, true}) {
        Environment environment(is_file ? folder.path("ca.pem") : nowhere, is_file ? nowhere : folder.path());
        SSLContext by_hand(PROTOCOL_TLS_CLIENT);
        EXPECT_EQ(verdict(by_hand), unknown);
        by_hand.load_default_certs();
        EXPECT_EQ(by_hand.cert_store_stats().x509_ca, is_file ? 1 : 0) << "a folder is looked at when it is needed";
        EXPECT_EQ(verdict(by_hand), "");
        SSLContext by_paths(PROTOCOL_TLS_CLIENT);
        by_paths.set_default_verify_paths();
        EXPECT_EQ(verdict(by_paths), "");
        EXPECT_EQ(verdict(create_default_context()), "");
        SSLContext others =
            create_default_context(Purpose::SERVER_AUTH, {.cadata = certify({.name = "others"}).certificate});
        EXPECT_EQ(verdict(others), unknown) << "who names somebody trusts nobody else";
    }
    Environment environment(nowhere, nowhere);
    EXPECT_EQ(verdict(create_default_context()), unknown);
}

TEST(SSLContext, TakesAListOfWhatWasRevokedFromAFile) {
    Authorities folder;
    support::Certified shown = certify({}, &authority());
    folder.put("revoked.pem", support::revocation_list(&shown));
    SSLContext context = create_default_context(Purpose::SERVER_AUTH, {.cafile = folder.path("ca.pem")});
    context.load_verify_locations({.cafile = folder.path("revoked.pem")});
    EXPECT_EQ(context.cert_store_stats().crl, 1);
    for (VerifyFlags flag : {VERIFY_CRL_CHECK_LEAF, VERIFY_CRL_CHECK_CHAIN}) {
        context.set_verify_flags(context.verify_flags() | flag);
        EXPECT_EQ(verdict(context), "");
        EXPECT_EQ(verdict(context, shown),
                  "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate revoked (certificate of "
                  "'localhost')");
    }
}

/// Whether a client has got a ticket behind the handshake.
bool gives_tickets(const SSLContext& server, const SSLContext& client = client_context()) {
    TlsEnds ends(client, server);
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error();
    ends.server.tls.write("x");
    ends.carry();
    EXPECT_EQ(ends.client.read_all(), "x");
    return ends.client.tls.session().has_ticket();
}

TEST(SSLContext, OfAServerGivesTicketsUnlessItIsToldNotTo) {
    EXPECT_TRUE(gives_tickets(server_context()));
    SSLContext none = server_context();
    none.set_num_tickets(0);
    EXPECT_FALSE(gives_tickets(none));
    // That is for TLS 1.3; the other for those before it.
    SSLContext older = client_context();
    older.set_options(older.options() | OP_NO_TLSv1_3);
    EXPECT_TRUE(gives_tickets(none, older));
    none.set_options(none.options() | OP_NO_TICKET);
    EXPECT_FALSE(gives_tickets(none, older));
}

TEST(SSLContext, LeavesOutAVersionByAnOption) {
    for (bool is_servers : {false, true}) {
        SSLContext client = client_context();
        SSLContext server = server_context();
        const SSLContext& changed = is_servers ? server : client;
        changed.set_options(changed.options() | OP_NO_TLSv1_3);
        TlsEnds ends(client, server);
        EXPECT_TRUE(ends.shake_hands());
        EXPECT_EQ(ends.client.tls.version(), "TLSv1.2");
        changed.set_options(changed.options() & ~OP_NO_TLSv1_3);
        TlsEnds later(client, server);
        EXPECT_TRUE(later.shake_hands());
        EXPECT_EQ(later.client.tls.version(), "TLSv1.3");
    }
}

TEST(SSLZeroReturnError, IsOfAGoodbyeWithinTheHandshake) {
    TlsEnds ends;
    ends.client.step();
    ends.client.in.write(std::string("\x15\x03\x03\x00\x02\x01\x00", 7));
    ends.client.step();
    EXPECT_EQ(repr(ends.client.failed_by), "SSLZeroReturnError('TLS/SSL connection has been closed (EOF)')");
}

constexpr const char* rich_certificate = R"(-----BEGIN CERTIFICATE-----
MIIDXzCCAwSgAwIBAgIULg7PIH0HAC7NJsu2CLdnu8fKNQUwCgYIKoZIzj0EAwIw
azELMAkGA1UEBhMCREUxEDAOBgNVBAoMB0dyw7bDn2UxDDAKBgNVBAsMA29uZTEM
MAoGA1UECwwDdHdvMR8wCwYDVQQDDARyaWNoMBAGCgmSJomT8ixkAQEMAm1lMQ0w
CwYEKgMEBQwDb2RkMCAXDTI2MTEzMDA4NTUzMloYDzIxMjYxMTA2MDg1NTMyWjBr
MQswCQYDVQQGEwJERTEQMA4GA1UECgwHR3LDtsOfZTEMMAoGA1UECwwDb25lMQww
CgYDVQQLDAN0d28xHzALBgNVBAMMBHJpY2gwEAYKCZImiZPyLGQBAQwCbWUxDTAL
BgQqAwQFDANvZGQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQlCljc0B2/TYBJ
SHuunG2UoH65qTLH/nrXTUyQcSIUBaLxAjypJ4U0Z639y8uM/W+cqGUN4gMOJmaE
rkGoWoPXo4IBgjCCAX4wgZgGA1UdEQSBkDCBjYIJbG9jYWxob3N0gg0qLmV4YW1w
bGUub3JnhwR/AAABhxAgAQ24AAAAAAAAAAAAAAABgQ5tZUBleGFtcGxlLm9yZ4YS
aHR0cHM6Ly94LmV4YW1wbGUviAMqAwSkIDAeMQswCQYDVQQGEwJVSzEPMA0GA1UE
AwwGaW5zaWRloA4GAyoDBKAHDAVvdGhlcjBWBggrBgEFBQcBAQRKMEgwIAYIKwYB
BQUHMAGGFGh0dHA6Ly9vY3NwLmV4YW1wbGUvMCQGCCsGAQUFBzAChhhodHRwOi8v
Y2EuZXhhbXBsZS9jYS5jZXIwSQYDVR0fBEIwQDAeoBygGoYYaHR0cDovL2NybC5l
eGFtcGxlL2EuY3JsMB6gHKAahhhodHRwOi8vY3JsLmV4YW1wbGUvYi5jcmwwDwYD
VR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAoQwHQYDVR0OBBYEFNZAOUNzVAxO
vkBTzwrVKLeNWgbVMAoGCCqGSM49BAMCA0kAMEYCIQDUnOc5ClORIcS4xYH/TOjz
jdlfeWoYgX7GhPxkxsN4OQIhAJ8UUxXNHUw+GMYKTOcoxMabFJ/R3sgF+8rZcmlo
mfTK
-----END CERTIFICATE-----
)";
// Nobody else has it: no secret.
constexpr const char* its_key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEEbwuBlt9CawazUj
ToVgM+4IWe9FpGsFg/3HqWQX72yhRANCAAQlCljc0B2/TYBJSHuunG2UoH65qTLH
/nrXTUyQcSIUBaLxAjypJ4U0Z639y8uM/W+cqGUN4gMOJmaErkGoWoPX
-----END PRIVATE KEY-----
)";

/// What ssl._ssl._test_decode_cert(file) of CPython 3.14 says of it, which gives what getpeercert() gives.
TEST(PeerCertificate, HasAllThatPythonFindsInARichOne) {
    SSLContext server(PROTOCOL_TLS_SERVER);
    server.load_cert_chain_data({.certdata = rich_certificate, .keydata = its_key});
    SSLContext client(PROTOCOL_TLS_CLIENT);
    client.load_verify_locations({.cadata = rich_certificate});
    TlsEnds ends(client, server);
    ASSERT_TRUE(ends.shake_hands()) << ends.client_error();
    PeerCertificate its = ends.client.tls.getpeercert().value();
    using Fields = PeerCertificate::Fields;
    std::vector<Fields> name = {{{"countryName", "DE"}},
                                {{"organizationName", "Größe"}},
                                {{"organizationalUnitName", "one"}},
                                {{"organizationalUnitName", "two"}},
                                {{"commonName", "rich"}, {"userId", "me"}},
                                {{"1.2.3.4.5", "odd"}}};
    EXPECT_EQ(its.subject, name);
    EXPECT_EQ(its.issuer, name);
    EXPECT_EQ(its.version, 3);
    EXPECT_EQ(its.serialNumber, "2E0ECF207D07002ECD26CBB608B767BBC7CA3505");
    EXPECT_EQ(its.notBefore, "Nov 30 08:55:32 2026 GMT");
    EXPECT_EQ(its.notAfter, "Nov  6 08:55:32 2126 GMT");
    Fields names = {
        {"DNS", "localhost"},
        {"DNS", "*.example.org"},
        {"IP Address", "127.0.0.1"},
        {"IP Address", "2001:DB8:0:0:0:0:0:1"},
        {"email", "me@example.org"},
        {"URI", "https://x.example/"},
        {"Registered ID", "1.2.3.4"},
        {"DirName", "C = UK, CN = inside"},  // Python: ((('countryName', 'UK'),), (('commonName', 'inside'),))
        {"othername", "<unsupported>"}};
    EXPECT_EQ(its.subjectAltName, names);
    EXPECT_EQ(its.OCSP, std::vector<std::string>{"http://ocsp.example/"});
    EXPECT_EQ(its.caIssuers, std::vector<std::string>{"http://ca.example/ca.cer"});
    EXPECT_EQ(its.crlDistributionPoints,
              (std::vector<std::string>{"http://crl.example/a.crl", "http://crl.example/b.crl"}));
}

}  // namespace
