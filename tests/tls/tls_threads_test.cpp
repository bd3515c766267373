#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "net/stream_support.h"
#include "tls/context_state.h"
#include "tls/engine_support.h"

// One context for several loops in several threads.

namespace asyncio {
namespace {

using support::port_of;
using support::run_net;

class TlsThreadsTest : public support::NetTest {};

constexpr int handshakes = 30;

/// A server, and a client that comes again and again; both by contexts that others have, too.
Coro<> shake_hands_in_a_circle(SSLContext server_side, SSLContext client_side) {
    auto greet = [](StreamReader, StreamWriter writer) -> Coro<> {
        writer.write("hello\n");
        writer.close();
        co_await writer.wait_closed();
    };
    Server server = co_await start_server(greet, "127.0.0.1", 0, {.ssl = server_side});
    OpenConnectionOptions options = {.ssl = client_side, .server_hostname = "localhost"};
    for (int i = 0; i < handshakes; ++i) {
        Streams streams = co_await open_connection("127.0.0.1", port_of(server), options);
        std::string line = co_await streams.reader.read();
        EXPECT_EQ(line, "hello\n");
        SSLObject tls = streams.writer.get_extra_info("ssl_object");
        EXPECT_TRUE(tls.getpeercert()->serialNumber.size() > 0);
        EXPECT_EQ(tls.selected_alpn_protocol().value_or("one").size(), 3U);
        streams.writer.close();
        co_await streams.writer.wait_closed();
    }
    server.close();
    co_await server.wait_closed();
}

/// Changes what a context shows. What it has shown lives until the end: it is counted by OpenSSL, which is not
/// instrumented, so the sanitizer does not see that the last one to let it go comes after all the others.
class Renewals {
public:
    /// With the certificate of the authority behind it: a chain is what OpenSSL copies for each connection.
    void renew(const SSLContext& context, const support::Certified& shown) {
        std::string chain = shown.certificate + support::authority().certificate;
        context.load_cert_chain_data({.certdata = chain, .keydata = shown.key});
        SSL_CTX* native = context.state().native();
        STACK_OF(X509)* behind = nullptr;
        SSL_CTX_get0_chain_certs(native, &behind);
        for (X509* certificate : {SSL_CTX_get0_certificate(native), sk_X509_value(behind, 0)}) {
            X509_up_ref(certificate);
            certificates_.emplace_back(certificate);
        }
        EVP_PKEY* key = SSL_CTX_get0_privatekey(native);
        EVP_PKEY_up_ref(key);
        keys_.emplace_back(key);
    }

private:
    std::vector<detail::OwnCertificate> certificates_;
    std::vector<detail::Freed<EVP_PKEY, EVP_PKEY_free>> keys_;
};

TEST_F(TlsThreadsTest, ServeWhileAnotherRenewsTheCertificateAndChangesWhatCanBeChanged) {
    support::Folder folder;  // whose one file goes with it
    std::ofstream(folder.path("sock")) << support::authority().certificate << support::revocation_list(nullptr);
    SSLContext server_side = support::server_context();
    SSLContext another = support::server_context();
    SSLContext client_side = support::client_context();
    client_side.set_alpn_protocols({"two"});
    support::Certified first = support::certify({}, &support::authority());
    support::Certified second = support::certify({}, &support::authority());
    Renewals renewals;
    renewals.renew(server_side, first);
    // OpenSSL looks into an authority once, for all threads, in a way that the sanitizer does not see through.
    support::TlsEnds warm(client_side, server_side);
    EXPECT_TRUE(warm.shake_hands()) << warm.client_error() << warm.server_error();
    std::atomic<int> serving = 2;
    auto serve = [&] {
        run_net([&] { return shake_hands_in_a_circle(server_side, client_side); });
        --serving;
    };
    std::thread one(serve), other(serve);
    int changes = 0;
    while (serving > 0) {
        ++changes;
        bool is_odd = changes % 2 != 0;
        renewals.renew(server_side, is_odd ? second : first);
        server_side.set_alpn_protocols(is_odd ? std::vector<std::string>{"one", "two"}
                                              : std::vector<std::string>{"six", "two", "one"});
        client_side.set_alpn_protocols({is_odd ? "one" : "two"});
        renewals.renew(another, is_odd ? first : second);
        server_side.set_sni_callback([another, is_odd](SSLObject& connection, std::optional<std::string_view>,
                                                       const SSLContext&) -> std::optional<AlertDescription> {
            if (is_odd) connection.set_context(another);
            return {};
        });
        another.set_alpn_protocols({"one", "two"});
        another.set_num_tickets(is_odd ? 2 : 1);
        server_side.set_verify_mode(is_odd ? CERT_OPTIONAL : CERT_NONE);
        VerifyFlags lax = client_side.verify_flags() & ~VERIFY_X509_STRICT;
        client_side.set_verify_flags(is_odd ? lax : lax | VERIFY_X509_STRICT);
        client_side.set_minimum_version(is_odd ? TLSVersion::TLSv1_2 : TLSVersion::TLSv1_3);
        SSLOptions usual = server_side.options() & ~OP_NO_TICKET;
        server_side.set_options(is_odd ? usual : usual | OP_NO_TICKET);
        server_side.set_num_tickets(is_odd ? 1 : 2);
        client_side.set_post_handshake_auth(is_odd);
        client_side.load_verify_locations({.cadata = support::authority().certificate});
        client_side.load_verify_locations({.cafile = folder.path("sock")});
        server_side.set_keylog_filename(is_odd ? "/dev/null" : "");
        client_side.set_keylog_filename(is_odd ? "" : "/dev/full");
        EXPECT_EQ(client_side.keylog_filename(), is_odd ? "" : "/dev/full");
    }
    one.join();
    other.join();
    EXPECT_GT(changes, 0);
    // Who comes later sees what was said last.
    server_side.set_sni_callback({});
    renewals.renew(server_side, second);
    support::TlsEnds ends(client_side, server_side);
    EXPECT_TRUE(ends.shake_hands()) << ends.client_error() << ends.server_error();
    std::string shown = ends.client.tls.getpeercert_der().value();
    renewals.renew(server_side, first);
    support::TlsEnds later(client_side, server_side);
    EXPECT_TRUE(later.shake_hands()) << later.client_error() << later.server_error();
    EXPECT_NE(later.client.tls.getpeercert_der().value(), shown);
}

}  // namespace
}  // namespace asyncio
