#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "net/protocol_support.h"
#include "net/stream_support.h"
#include "tls/tls_by_hand.h"

// start_tls() comes to an end, whatever becomes of the connection.

namespace asyncio {
namespace {

using support::outcome_of;
using support::Recorder;
using support::run_net;
using support::TlsByHand;

class StartTlsEndTest : public support::NetTest {
protected:
    static Coro<ProtocolRef<Recorder>> connected(TlsByHand& client, std::string& told) {
        auto protocol = make_protocol<Recorder>(&told, true);
        ConnectAcceptedSocketOptions options;
        auto factory = [&] { return protocol; };
        co_await connect_accepted_socket(factory, Socket::from_fd(client.other_end()), options);
        co_return protocol;
    }
    static Coro<> start(Transport transport, ProtocolRef<Recorder> protocol, SSLContext context) {
        StartTlsOptions options = {.server_side = true, .ssl_handshake_timeout = 20.0};
        Transport by_tls = co_await start_tls(transport, protocol, context, options);
    }
    static constexpr double patience = 5;  // less than the handshake's
};

TEST_F(StartTlsEndTest, OfAConnectionThatWasLostBefore) {
    run_net([]() -> Coro<> {
        TlsByHand client;
        std::string told;
        auto protocol = co_await connected(client, told);
        Transport transport = protocol->transport;
        transport.abort();
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;lost;");
        std::string outcome =
            co_await outcome_of(wait_for(start(transport, protocol, support::for_servers()), patience));
        EXPECT_EQ(outcome, "ConnectionAbortedError('the connection was closed before the SSL handshake')");
        protocol->transport = Transport();
    });
}

TEST_F(StartTlsEndTest, IfAnotherProtocolTakesItsPlace) {
    run_net([]() -> Coro<> {
        TlsByHand client;
        std::string told, of_other;
        auto protocol = co_await connected(client, told);
        auto starting = create_task(start(protocol->transport, protocol, support::for_servers()));
        co_await sleep(0.01);
        protocol->transport.set_protocol(make_protocol<Recorder>(&of_other));
        std::string outcome = co_await outcome_of(wait_for(starting, patience));
        EXPECT_EQ(outcome, "ConnectionAbortedError('the connection was closed in the SSL handshake')");
        protocol->transport = Transport();
        co_await sleep(0.01);
        EXPECT_EQ(of_other, "lost;destroyed;");
    });
}

/// Whoever waits for the connection by TLS is told that it is none any more.
TEST_F(StartTlsEndTest, AndSoDoesWhatWaitsForItIfAnotherProtocolTakesItsPlaceLater) {
    run_net([]() -> Coro<> {
        std::string lost = "ConnectionAbortedError('another protocol has taken the place of TLS')", of_other;
        support::Ends ends = co_await support::connect_ends();
        StreamWriter writer = ends.client.writer;
        Transport below = writer.transport();
        StartTlsOptions options = {.server_hostname = "localhost"};
        auto beginning = create_task(writer.start_tls(support::for_clients(), options));
        co_await ends.server.writer.start_tls(support::for_servers());
        co_await beginning;
        ends.server.writer.transport().pause_reading();
        auto reading = create_task(ends.client.reader.read());
        auto draining = create_task([&]() -> Coro<> {
            for (;;) {
                writer.write(std::string(100'000, 'x'));
                co_await writer.drain();
            }
        });
        co_await sleep(0.01);
        below.set_protocol(make_protocol<Recorder>(&of_other));
        std::string outcome = co_await outcome_of(wait_for(reading, patience));
        EXPECT_EQ(outcome, lost);
        outcome = co_await outcome_of(wait_for(draining, patience));
        EXPECT_EQ(outcome, lost);
        EXPECT_TRUE(writer.is_closing());
        EXPECT_EQ(of_other, "") << "who has it now";
        writer.transport().abort();
        co_await sleep(0.01);
        EXPECT_FALSE(below.is_closing()) << "it is another's";
        below.abort();
        ends.server.writer.abort();
        co_await sleep(0.01);
        EXPECT_TRUE(of_other == "lost;destroyed;" || of_other == "resume;lost;destroyed;") << of_other;
    });
}

TEST_F(StartTlsEndTest, IfItIsBegunTwice) {
    run_net([]() -> Coro<> {
        TlsByHand client;
        std::string told;
        auto protocol = co_await connected(client, told);
        auto first = create_task(start(protocol->transport, protocol, support::for_servers()));
        auto second = create_task(start(protocol->transport, protocol, support::for_servers()));
        std::string outcome = co_await outcome_of(wait_for(second, patience));
        EXPECT_TRUE(outcome.starts_with("RuntimeError('start_tls() was called before for transport <")) << outcome;
        client.add_layer();
        co_await client.shake_hands();
        co_await wait_for(first, patience);  // it goes on
        outcome = co_await outcome_of(start(protocol->transport, protocol, support::for_servers()));
        EXPECT_TRUE(outcome.starts_with("RuntimeError('start_tls() was called before for transport <")) << outcome;
        protocol->transport.abort();
        protocol->transport = Transport();
        co_await sleep(0.01);
    });
}

/// For streams, and for a protocol that keeps its half.
TEST_F(StartTlsEndTest, IfTheOtherEndHasEndedBefore) {
    run_net([]() -> Coro<> {
        std::string ended =
            "ConnectionResetError('the connection was closed by the other end before the SSL handshake')";
        TlsByHand client, other;
        std::string told;
        auto protocol = co_await connected(client, told);
        client.end();
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;eof;");
        std::string outcome =
            co_await outcome_of(wait_for(start(protocol->transport, protocol, support::for_servers()), patience));
        EXPECT_EQ(outcome, ended);
        protocol->transport = Transport();

        Socket socket = Socket::from_fd(other.other_end());
        OpenConnectionOptions options;
        options.sock = &socket;
        Streams streams = co_await open_connection(options);
        other.add_layer();
        EXPECT_THROW(other.tls().do_handshake(), SSLWantReadError);
        other.flush();
        other.end();
        co_await sleep(0.01);
        auto upgrade = [&]() -> Coro<> {
            StartTlsOptions tls = {.server_side = true, .ssl_handshake_timeout = 20.0};
            co_await streams.writer.start_tls(support::for_servers(), tls);
        };
        outcome = co_await outcome_of(wait_for(upgrade(), patience));
        EXPECT_EQ(outcome, ended);
        co_await sleep(0.01);
    });
}

/// The inner one's SNI callback ends the outer one, which gives what it has, and calls the inner one again.
TEST_F(StartTlsEndTest, IfItsSniCallbackClosesWhatIsBelow) {
    run_net([]() -> Coro<> {
        for (int what = 0; what < 4; ++what) {
            TlsByHand client;
            std::string told, of_other;
            auto protocol = make_protocol<Recorder>(&told);
            co_await support::serve_by_hand(client, protocol);
            Transport outer = protocol->transport;
            SSLContext inner = support::server_context();
            inner.set_sni_callback(
                [&](SSLObject&, std::optional<std::string_view>, const SSLContext&) -> std::optional<AlertDescription> {
                    if (what == 1) outer.abort();
                    if (what == 2) outer.set_protocol(make_protocol<Recorder>(&of_other));
                    if (what == 3) outer.pause_reading();
                    if (what == 3) outer.resume_reading();
                    if (what == 0 || what == 3) outer.close();
                    return {};
                });
            auto starting = create_task(start(outer, protocol, inner));
            co_await sleep(0.005);
            MemoryBIO in, out;
            SSLObject tls = support::for_clients().wrap_bio(in, out, {.server_hostname = "localhost"});
            EXPECT_THROW(tls.do_handshake(), SSLWantReadError);
            std::string hello = out.read(), much;
            while (much.size() < 150'000) much += hello;
            client.write(much);
            client.end();
            std::string outcome = co_await outcome_of(wait_for(starting, patience));
            EXPECT_NE(outcome.find("Error("), outcome.npos) << what << outcome;
            EXPECT_EQ(outcome.find("TimeoutError"), outcome.npos) << what << outcome;
            outer.abort();
            protocol->transport = Transport();
            co_await sleep(0.01);
        }
    });
}

/// CPython sends it in the clear, between the parts of the handshake.
TEST_F(StartTlsEndTest, NobodyWritesInTheClearWhileTheHandshakeGoesOn) {
    run_net([]() -> Coro<> {
        std::string refused =
            "RuntimeError('start_tls() is under way: what is written before it is over would go out in the clear')";
        for (bool fails : {false, true}) {
            support::Ends ends = co_await support::connect_ends();
            StreamWriter writer = ends.client.writer;
            auto begin = [&]() -> Coro<> {
                StartTlsOptions options = {.server_hostname = fails ? "example.org" : "localhost"};
                co_await writer.start_tls(support::for_clients(), options);
            };
            auto beginning = create_task(begin);
            writer.write("before");
            co_await sleep(0);
            EXPECT_EQ(support::outcome([&] { writer.write("SECRET"); }), refused);
            EXPECT_EQ(support::outcome([&] { writer.writelines(std::vector<std::string>{"SEC", "RET"}); }), refused);
            std::string got = co_await ends.server.reader.readexactly(6);
            EXPECT_EQ(got, "before");
            std::string outcome = co_await outcome_of(ends.server.writer.start_tls(support::for_servers()));
            EXPECT_EQ(outcome == "nothing", !fails) << outcome;
            outcome = co_await outcome_of(beginning);
            EXPECT_EQ(outcome == "nothing", !fails) << outcome;
            EXPECT_EQ(writer.is_closing(), fails);
            EXPECT_EQ(support::outcome([&] { writer.write("after\n"); }), "nothing");
            if (!fails) {
                got = co_await ends.server.reader.readline();
                EXPECT_EQ(got, "after\n");
            }
            writer.abort();
            ends.server.writer.abort();
        }
    });
}

}  // namespace
}  // namespace asyncio
