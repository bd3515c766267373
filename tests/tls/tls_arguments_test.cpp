#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "net/stream_support.h"
#include "tls/engine_support.h"

// What is refused before anything is sent.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::client_context;
using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::run_net;

// What g++ 12 destroys twice beside a co_await: see tests/process/option_structs_test.cpp.
static_assert(std::is_trivially_destructible_v<LoadCertChainOptions>);
static_assert(std::is_trivially_destructible_v<CertChainData>);
static_assert(std::is_trivially_destructible_v<VerifyLocations>);
static_assert(std::is_trivially_destructible_v<WrapBioOptions>);

class TlsArgumentsTest : public support::NetTest {};

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_ssl_timeout_for_plain_socket
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_no_ssl_server_hostname_errors
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_ssl_server_hostname_errors
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_ssl_timeout_for_plain_socket
// CPython: test_sslproto.py, SslProtoHandshakeTests.test_handshake_timeout_zero
// CPython: test_sslproto.py, SslProtoHandshakeTests.test_handshake_timeout_negative
// clang-format off
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_ssl_timeout_with_plain_sock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_connection_nossl_serverhost
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_connection_ssl_noserverhost
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_connection_ssl_timeout_with_plain_sock
// clang-format on
TEST_F(TlsArgumentsTest, NeedsANameAndTimesThatAreNone) {
    run_net([]() -> Coro<> {
        SSLContext client = client_context();
        auto refuses = [](OpenConnectionOptions options, std::string text) -> Coro<> {
            std::string outcome = co_await outcome_of(open_connection("127.0.0.1", 1, options));
            EXPECT_EQ(outcome, "ValueError('" + text + "')");
        };
        OpenConnectionOptions options = {.server_hostname = "x"};
        co_await refuses(options, "server_hostname is only meaningful with ssl");
        options = {.ssl_handshake_timeout = 1s};
        co_await refuses(options, "ssl_handshake_timeout is only meaningful with ssl");
        options = {.ssl_shutdown_timeout = 1s};
        co_await refuses(options, "ssl_shutdown_timeout is only meaningful with ssl");
        options = {.ssl = client, .ssl_handshake_timeout = 0s};
        co_await refuses(options, "ssl_handshake_timeout should be a positive number, got 0.0");
        options = {.ssl = client, .ssl_handshake_timeout = -10s};
        co_await refuses(options, "ssl_handshake_timeout should be a positive number, got -10.0");
        options = {.ssl = client, .ssl_shutdown_timeout = -10s};
        co_await refuses(options, "ssl_shutdown_timeout should be a positive number, got -10.0");
        SSLSession session;
        options = {.session = &session};
        co_await refuses(options, "session is only meaningful with ssl");

        auto [one, other] = socketpair();
        options = {.sock = &one, .ssl = client};
        {
            std::string got = co_await outcome_of(open_connection(options));
            EXPECT_EQ(got, "ValueError('You must set server_hostname when using ssl without a host')");
        }
        OpenUnixConnectionOptions over_unix = {.sock = &other, .ssl = client};
        {
            std::string got = co_await outcome_of(open_unix_connection(over_unix));
            EXPECT_EQ(got, "ValueError('you have to pass server_hostname when using ssl')");
        }
        over_unix = {.session = &session};
        {
            std::string got = co_await outcome_of(open_unix_connection("/x", over_unix));
            EXPECT_EQ(got, "ValueError('session is only meaningful with ssl')");
        }
        over_unix = {.server_hostname = "x"};
        {
            std::string got = co_await outcome_of(open_unix_connection("/x", over_unix));
            EXPECT_EQ(got, "ValueError('server_hostname is only meaningful with ssl')");
        }
        auto callback = [](StreamReader, StreamWriter) {};
        StartServerOptions of_server = {.ssl_handshake_timeout = 1s};
        {
            std::string got = co_await outcome_of(start_server(callback, "127.0.0.1", 0, of_server));
            EXPECT_EQ(got, "ValueError('ssl_handshake_timeout is only meaningful with ssl')");
        }
        StartUnixServerOptions of_unix_server = {.ssl_shutdown_timeout = 1s};
        {
            std::string got = co_await outcome_of(start_unix_server(callback, "/x", of_unix_server));
            EXPECT_EQ(got, "ValueError('ssl_shutdown_timeout is only meaningful with ssl')");
        }
    });
}

/// And not each client later.
TEST_F(TlsArgumentsTest, WantsAContextOfItsSideWithACertificateAtOnce) {
    run_net([]() -> Coro<> {
        auto callback = [](StreamReader, StreamWriter) {};
        SSLContext bare = create_default_context(Purpose::CLIENT_AUTH);
        std::string without = "ValueError(\"a server's SSLContext needs a certificate: load_cert_chain()\")";
        StartServerOptions of_server = {.ssl = bare};
        std::string got = co_await outcome_of(start_server(callback, "127.0.0.1", 0, of_server));
        EXPECT_EQ(got, without);
        StartUnixServerOptions of_unix_server = {.ssl = bare};
        got = co_await outcome_of(start_unix_server(callback, "/nowhere/x", of_unix_server));
        EXPECT_EQ(got, without);
        of_server = {.ssl = support::for_clients()};
        got = co_await outcome_of(start_server(callback, "127.0.0.1", 0, of_server));
        EXPECT_EQ(got, "SSLError('Cannot create a server socket with a PROTOCOL_TLS_CLIENT context')");
        OpenConnectionOptions options = {.ssl = support::for_servers(), .server_hostname = "localhost"};
        got = co_await outcome_of(open_connection("127.0.0.1", 1, options));
        EXPECT_EQ(got, "SSLError('Cannot create a client socket with a PROTOCOL_TLS_SERVER context')");

        // One that chooses by name needs none itself, nor does one that nobody has to trust.
        bare.set_sni_callback([](SSLObject& connection, std::optional<std::string_view>,
                                 const SSLContext&) -> std::optional<AlertDescription> {
            connection.set_context(support::for_servers());
            return {};
        });
        of_server = {.ssl = bare};
        options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        Ends ends = co_await connect_ends(of_server, options);
        ends.client.writer.close();
        ends.server.writer.close();
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
        SSLContext anonymous = create_default_context(Purpose::CLIENT_AUTH);
        anonymous.set_ciphers("aNULL:@SECLEVEL=0");
        of_server = {.ssl = anonymous};
        Server server = co_await start_server(callback, "127.0.0.1", 0, of_server);
        server.close();
        co_await server.wait_closed();
    });
}

Coro<int> trusted_by(SSLContext context) {
    co_await sleep(0);
    co_return context.cert_store_stats().x509;
}

std::string outcome_of_loading(const CertChainData& data) {
    return support::outcome([&] { SSLContext(PROTOCOL_TLS_SERVER).load_cert_chain_data(data); });
}

TEST_F(TlsArgumentsTest, MayStandBesideACoAwait) {
    run_net([]() -> Coro<> {
        std::string of_the_system = "/nowhere/at/all/so/that/it/is/no/short/string";
        co_await trusted_by(create_default_context());
        co_await create_task(trusted_by(create_default_context(Purpose::CLIENT_AUTH)));
        co_await gather(trusted_by(create_default_context(Purpose::CLIENT_AUTH)), sleep(0));
        int count = co_await trusted_by(
            create_default_context(Purpose::SERVER_AUTH, {.cadata = support::authority().certificate + "\n"}));
        EXPECT_EQ(count, 1);
        std::string told = co_await outcome_of([&]() -> Coro<> {
            co_await trusted_by(
                create_default_context(Purpose::SERVER_AUTH, {.cafile = of_the_system + "/authority.pem"}));
        }());
        EXPECT_EQ(told, "FileNotFoundError(2, 'No such file or directory')");
    });
}

TEST_F(TlsArgumentsTest, TakeAPasswordInAnyForm) {
    support::Certified made = support::certify({.password = "sesame"}, &support::authority());
    CertChainData data = {.certdata = made.certificate, .keydata = made.key, .password = "sesame"};
    EXPECT_EQ(outcome_of_loading(data), "nothing");
    data.password = [] { return std::string("sesame"); };
    EXPECT_EQ(outcome_of_loading(data), "nothing");
    std::string text = "sesame";
    data.password = [&] { return text; };  // needs no destructor: it is kept
    EXPECT_EQ(outcome_of_loading(data), "nothing");
    auto ask = [text] { return text; };
    data.password = ask;
    EXPECT_EQ(outcome_of_loading(data), "nothing");
    std::function<std::string()> function = ask;
    data.password = function;
    EXPECT_EQ(outcome_of_loading(data), "nothing");
    function = nullptr;
    EXPECT_EQ(outcome_of_loading(data), "SSLError('the private key is encrypted, and no password was given')");
    data.password = std::string_view(text);
    EXPECT_EQ(outcome_of_loading(data), "nothing");
    data.password = text;
    EXPECT_EQ(outcome_of_loading(data), "nothing");
    EXPECT_FALSE(KeyPassword().ask());
}

}  // namespace
}  // namespace asyncio
