#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "net/stream_support.h"
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

// The same of streams.

using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::run_net;

class StreamSessionTest : public support::NetTest {};

/// Exchanges a line, behind which the tickets of TLS 1.3 come. Gives the client's session.
Coro<SSLSession> talk(Ends& ends, bool is_resumed) {
    SSLObject client = ends.client.writer.get_extra_info("ssl_object");
    SSLObject server = ends.server.writer.get_extra_info("ssl_object");
    EXPECT_EQ(client.session_reused(), is_resumed);
    EXPECT_EQ(server.session_reused(), is_resumed);
    ends.server.writer.write("hello\n");
    std::string line = co_await ends.client.reader.readline();
    EXPECT_EQ(line, "hello\n");
    SSLSession session = client.session();
    ends.client.writer.close();
    ends.server.writer.close();
    co_await ends.client.writer.wait_closed();
    co_await ends.server.writer.wait_closed();
    co_return session;
}

TEST_F(StreamSessionTest, ResumesASession) {
    run_net([]() -> Coro<> {
        for (TLSVersion version : {TLSVersion::TLSv1_2, TLSVersion::TLSv1_3}) {
            SSLContext client = client_context(), server = server_context();
            server.set_maximum_version(version);
            SSLSession session;  // none yet
            for (bool is_resumed : {false, true, true}) {
                OpenConnectionOptions options = {.ssl = client, .server_hostname = "localhost", .session = &session};
                Ends ends = co_await connect_ends({.ssl = server}, options);
                session = co_await talk(ends, is_resumed);
                EXPECT_TRUE(session);
            }

            Ends ends = co_await connect_ends();
            auto serving = create_task(ends.server.writer.start_tls(server));
            StartTlsOptions options = {.server_hostname = "localhost", .session = &session};
            Coro<> starting = ends.client.writer.start_tls(client, options);
            SSLSession last = std::exchange(session, {});  // the call has kept it
            co_await std::move(starting);
            co_await serving;
            co_await talk(ends, true);

            auto serve = [](StreamReader, StreamWriter writer) -> Coro<> {
                writer.write("hello\n");
                writer.close();
                co_await writer.wait_closed();
            };
            support::Folder folder;
            std::string path = folder.path("sock");
            Server listening = co_await start_unix_server(serve, path, {.ssl = server});
            OpenUnixConnectionOptions by_unix = {.ssl = client, .server_hostname = "localhost", .session = &last};
            Streams streams = co_await open_unix_connection(path, by_unix);
            SSLObject tls = streams.writer.get_extra_info("ssl_object");
            EXPECT_TRUE(tls.session_reused());
            CreateUnixConnectionOptions create = {.ssl = client, .server_hostname = "localhost", .session = &last};
            auto factory = [] { return StreamReaderProtocol(StreamReader(StreamReaderOptions{})); };
            auto connection = co_await create_unix_connection(factory, path, create);
            tls = connection.transport.get_extra_info("ssl_object");
            EXPECT_TRUE(tls.session_reused());
            connection.transport.close();
            streams.writer.close();
            co_await streams.writer.wait_closed();
            listening.close();
            co_await listening.wait_closed();
        }
    });
}

/// Before anything is sent: what it was not checked for would not be checked now.
TEST_F(StreamSessionTest, RefusesASessionThatIsNotForIt) {
    run_net([]() -> Coro<> {
        SSLContext client = client_context(), server = server_context();
        OpenConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
        Ends ends = co_await connect_ends({.ssl = server}, options);
        SSLSession session = co_await talk(ends, false);
        SSLContext other = client_context();
        options = {.ssl = other, .server_hostname = "localhost", .session = &session};
        std::string outcome = co_await outcome_of(open_connection("127.0.0.1", 1, options));
        EXPECT_EQ(outcome, "ValueError('Session refers to a different SSLContext.')");
        options = {.ssl = client, .session = &session};
        outcome = co_await outcome_of(open_connection("127.0.0.1", 1, options));
        EXPECT_EQ(outcome, "ValueError(\"Session is of a connection that was not checked for '127.0.0.1'\")");

        ends = co_await connect_ends();
        StartTlsOptions start = {.server_hostname = "localhost", .session = &session};
        outcome = co_await outcome_of(ends.client.writer.start_tls(other, start));
        EXPECT_EQ(outcome, "ValueError('Session refers to a different SSLContext.')");
        start = {.server_side = true, .session = &session};
        outcome = co_await outcome_of(ends.server.writer.start_tls(server, start));
        EXPECT_EQ(outcome, "ValueError('Cannot set session for server-side SSLSocket.')");
        MemoryBIO in, out;
        WrapBioOptions of_server = {.server_side = true, .session = &session};
        EXPECT_THROW(server.wrap_bio(in, out, of_server), ValueError);
        ends.client.writer.write("still plain\n");
        std::string line = co_await ends.server.reader.readline();
        EXPECT_EQ(line, "still plain\n");
    });
}

}  // namespace
