#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/stream_support.h"
#include "tls/engine_support.h"

// Errors say with whom.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::outcome_of;
using support::port_of;
using support::run_net;

class TlsErrorsTest : public support::NetTest {};

/// Answers a client's hello in words of its own.
Coro<> speak_plainly(StreamReader reader, StreamWriter writer) {
    co_await reader.read(10);
    writer.write("220 no TLS here\r\n");
    writer.close();
}

TEST_F(TlsErrorsTest, NameTheHostAndItsAddress) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(speak_plainly, "127.0.0.1", 0);
        std::string place = "127.0.0.1:" + std::to_string(port_of(server));
        for (const char* name : {"localhost", "127.0.0.1"}) {
            OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = name};
            auto open = create_task(open_connection("127.0.0.1", port_of(server), options));
            std::vector<AnyTask> all = {open};
            co_await wait(all);
            const auto* error = exception_cast<SSLError>(open.exception());
            EXPECT_NE(error, nullptr);
            if (error == nullptr) continue;
            std::string who = std::string_view(name) == "localhost" ? "localhost, " : "";
            EXPECT_EQ(str(open.exception()),
                      "[SSL: WRONG_VERSION_NUMBER] wrong version number (handshake with " + who + place + ")");
            EXPECT_EQ(error->library(), "SSL");
            EXPECT_EQ(error->reason(), "WRONG_VERSION_NUMBER");
            EXPECT_EQ(error->host(), name);
        }
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(TlsErrorsTest, NameTheClientByItsAddress) {
    run_net([]() -> Coro<> {
        auto done = get_running_loop().create_future<std::string>();
        auto serve = [&](StreamReader, StreamWriter writer) -> Coro<> {
            std::string outcome = co_await outcome_of(writer.start_tls(support::for_servers()));
            done.set_result(std::move(outcome));
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        Streams client = co_await open_connection("127.0.0.1", port_of(server));
        SocketAddress own = client.writer.get_extra_info("sockname");
        client.writer.write("GET / HTTP/1.0\r\n\r\n");
        std::string outcome = co_await done;
        std::string expected = "SSLError('[SSL: HTTP_REQUEST] http request (handshake with 127.0.0.1:";
        expected += std::to_string(own.port()) + ")')";
        EXPECT_EQ(outcome, expected);
        std::string answer = co_await client.reader.read();
        EXPECT_EQ(answer.find("HTTP"), answer.npos) << "nothing in the clear";
        client.writer.abort();
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(TlsErrorsTest, NameAUnixSocketByItsPath) {
    support::Folder folder;
    run_net([&]() -> Coro<> {
        std::string path = folder.path("sock");
        Server server = co_await start_unix_server(speak_plainly, path);
        OpenUnixConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        std::string outcome = co_await outcome_of(open_unix_connection(path, options));
        std::string expected =
            "SSLError(\"[SSL: WRONG_VERSION_NUMBER] wrong version number (handshake with localhost, '";
        EXPECT_EQ(outcome, expected + path + "')\")");
        server.close();
        co_await server.wait_closed();
    });
}

/// Of IPv6, where the system has it.
TEST_F(TlsErrorsTest, PutAnAddressWithColonsIntoBrackets) {
    run_net([]() -> Coro<> {
        Server server;
        try {
            server = co_await start_server(speak_plainly, "::1", 0);
        } catch (const OSError&) {
        }
        if (!server) co_return;
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        std::string outcome = co_await outcome_of(open_connection("::1", port_of(server), options));
        std::string place = "[::1]:" + std::to_string(port_of(server));
        EXPECT_EQ(outcome, "SSLError('[SSL: WRONG_VERSION_NUMBER] wrong version number (handshake with localhost, " +
                               place + ")')");
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(TlsErrorsTest, NameTheClientWhoseCertificateIsRefused) {
    run_net([]() -> Coro<> {
        SSLContext strict = support::server_context();
        strict.load_verify_locations({.cadata = support::authority().certificate});
        strict.set_verify_mode(CERT_REQUIRED);
        support::Certified unknown = support::certify({.name = "me", .alt_names = ""});
        SSLContext client = support::client_context();
        client.load_cert_chain_data({.certdata = unknown.certificate, .keydata = unknown.key});
        support::Ends ends = co_await support::connect_ends();
        auto server = create_task(ends.server.writer.start_tls(strict));
        StartTlsOptions options = {.server_hostname = "localhost"};
        co_await outcome_of(ends.client.writer.start_tls(client, options));
        std::vector<AnyTask> all = {server};
        co_await wait(all);
        EXPECT_EQ(support::without_port(str(server.exception())),
                  "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (handshake with "
                  "127.0.0.1:PORT)");
        const auto* error = exception_cast<SSLCertVerificationError>(server.exception());
        EXPECT_NE(error, nullptr);
        if (error != nullptr) {
            EXPECT_EQ(error->verify_code(), 18);
            EXPECT_EQ(error->verify_message(), "self-signed certificate");
        }
        ends.client.writer.abort();
    });
}

/// An error of the program's own, thrown where a server looks for a name.
struct NoSuchName : SSLError {
    NoSuchName() : SSLError("no such name") {}
};

TEST_F(TlsErrorsTest, OfACallbackStayAsTheyWereThrown) {
    run_net([]() -> Coro<> {
        SSLContext context = support::server_context();
        context.set_sni_callback([](SSLObject&, std::optional<std::string_view>,
                                    const SSLContext&) -> std::optional<AlertDescription> { throw NoSuchName(); });
        support::Ends ends = co_await support::connect_ends();
        StartTlsOptions options = {.server_hostname = "localhost"};
        auto server = create_task(ends.server.writer.start_tls(context));
        std::string outcome = co_await outcome_of(ends.client.writer.start_tls(support::for_clients(), options));
        EXPECT_EQ(support::without_port(outcome),
                  "SSLError('[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure (handshake with "
                  "localhost, 127.0.0.1:PORT)')");
        std::vector<AnyTask> all = {server};
        co_await wait(all);
        EXPECT_NE(exception_cast<NoSuchName>(server.exception()), nullptr);
        EXPECT_EQ(str(server.exception()), "no such name");
    });
}

}  // namespace
}  // namespace asyncio
