#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>
#include <string_view>
#include <utility>

#include "net/stream_support.h"
#include "tls/tls_by_hand.h"
#include "tls/tls_engine.h"

// What a protocol on TLS is told at the end, and what holds if nobody has said otherwise: marks and times.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::outcome_of;
using support::Recorder;
using support::run_net;
using support::serve_by_hand;
using support::TlsByHand;

class TlsRulesTest : public support::NetTest {};

/// The system's time, and what a test adds to it.
class AheadClock final : public Clock {
public:
    TimePoint now() noexcept override { return system_.now() + ahead_; }
    void spend(Seconds time) noexcept { ahead_ += time; }

private:
    support::EachPassClock system_;
    Seconds ahead_{0};
};

Coro<> passes(int count) {
    for (int i = 0; i < count; ++i) co_await sleep(0);
}

/// Until it was told how the connection ended.
Coro<> settle(const std::string& told) {
    for (int i = 0; i < 2000 && told.find("lost") == told.npos; ++i) co_await sleep(1ms);
}

/// Each byte is progress, and does not give it more time.
TEST_F(TlsRulesTest, AHandshakeThatDripsHasAMinute) {
    AheadClock clock;
    auto main = [&]() -> Coro<> {
        TlsByHand client;
        std::string told;
        auto accept = [&]() -> Coro<> {
            auto factory = [&] { return Recorder(&told); };
            ConnectAcceptedSocketOptions options = {.ssl = support::for_servers()};
            co_await connect_accepted_socket(factory, Socket::from_fd(client.other_end()), options);
        };
        auto accepting = create_task(accept);
        co_await passes(10);
        client.add_layer();
        EXPECT_THROW(client.tls().do_handshake(), SSLWantReadError);
        std::string hello = client.take_outgoing();
        std::size_t sent = 0;
        for (; sent < hello.size() && !accepting.done(); ++sent) {
            client.put(std::string_view(hello).substr(sent, 1));
            clock.spend(1s);
            co_await passes(10);
        }
        EXPECT_GE(sent, 50U);  // fewer than 60 if the machine had no time for us
        EXPECT_LE(sent, 60U);
        std::string outcome = co_await outcome_of(accepting);
        EXPECT_EQ(outcome,
                  "ConnectionAbortedError('SSL handshake is taking longer than 60.0 seconds: aborting the "
                  "connection')");
        EXPECT_EQ(told, "destroyed;");
    };
    asyncio::run(main(), {.clock = clock});
}

TEST_F(TlsRulesTest, AGoodbyeIsAwaitedForHalfAMinute) {
    AheadClock clock;
    auto main = [&]() -> Coro<> {
        TlsByHand client;
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        co_await serve_by_hand(client, protocol);
        protocol->transport.close();
        co_await passes(20);
        clock.spend(25s);
        co_await passes(20);
        EXPECT_EQ(told, "made;");
        clock.spend(5s);
        co_await settle(told);
        EXPECT_EQ(told, "made;lost by TimeoutError('SSL shutdown timed out');");
        protocol->transport = Transport();
    };
    asyncio::run(main(), {.clock = clock});
}

TEST_F(TlsRulesTest, AWriterIsPausedAtHalfAMebibyteAndGoesOnAtAQuarterOfThat) {
    run_net([]() -> Coro<> {
        TlsByHand client;
        client.have_small_buffers();
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        co_await serve_by_hand(client, protocol);
        Transport& transport = protocol->transport;
        WriteBufferLimits limits = transport.get_write_buffer_limits();
        EXPECT_EQ(limits.low, 128U * 1024);
        EXPECT_EQ(limits.high, 512U * 1024);
        while (transport.get_write_buffer_size() < 500'000) transport.write(std::string(1000, 'x'));
        EXPECT_EQ(told, "made;");
        while (transport.get_write_buffer_size() < limits.high) transport.write(std::string(1000, 'x'));
        EXPECT_EQ(told, "made;pause;");
        for (int i = 0; i < 2000 && told == "made;pause;"; ++i) {
            client.receive();
            client.read();
            co_await sleep(0);
        }
        EXPECT_EQ(told, "made;pause;resume;");
        EXPECT_LE(transport.get_write_buffer_size(), limits.low);
        transport.abort();
        transport = Transport();
        co_await settle(told);
    });
}

/// What it keeps is dropped, and the other end's goodbye is not waited for.
TEST_F(TlsRulesTest, AbortEndsWhatIsClosingAtOnce) {
    run_net([]() -> Coro<> {
        for (bool writes : {false, true}) {
            TlsByHand client;
            client.have_small_buffers();
            std::string told;
            auto protocol = make_protocol<Recorder>(&told);
            co_await serve_by_hand(client, protocol);
            if (writes) protocol->transport.write(std::string(1'000'000, 'x'));
            protocol->transport.close();
            co_await sleep(2ms);
            EXPECT_EQ(told, writes ? "made;pause;" : "made;");
            protocol->transport.abort();
            co_await passes(5);
            EXPECT_EQ(told, writes ? "made;pause;lost;" : "made;lost;");
            protocol->transport = Transport();
        }
    });
}

/// RFC 8446, 6.1: "Any data received after a closure alert has been received MUST be ignored."
TEST_F(TlsRulesTest, WhatComesAfterTheGoodbyeIsNotRead) {
    run_net([]() -> Coro<> {
        for (bool is_paused : {false, true}) {
            TlsByHand client;
            std::string told;
            auto protocol = make_protocol<Recorder>(&told);
            co_await serve_by_hand(client, protocol);
            if (is_paused) protocol->transport.pause_reading();
            client.write("before");
            SSL* ssl = client.tls().engine().native();
            SSL_shutdown(ssl);
            SSL_set_shutdown(ssl, 0);  // so that it says more
            client.write("after");
            co_await sleep(2ms);
            if (is_paused) protocol->transport.resume_reading();
            co_await settle(told);
            EXPECT_EQ(told, "made;data before;eof;lost;") << is_paused;
            protocol->transport = Transport();
        }
    });
}

TEST_F(TlsRulesTest, AProtocolCannotKeepItsHalfOpenAndIsTold) {
    static std::string logged;
    logged.clear();
    LogHandler former = set_log_handler([](LogLevel, std::string_view text) { logged += text; });
    run_net([]() -> Coro<> {
        TlsByHand client;
        std::string told;
        auto protocol = make_protocol<Recorder>(&told, true);
        co_await serve_by_hand(client, protocol);
        client.say_goodbye();
        co_await settle(told);
        EXPECT_EQ(told, "made;eof;lost;");
        protocol->transport = Transport();
    });
    set_log_handler(former);
    EXPECT_EQ(logged, "returning true from eof_received() has no effect when using ssl");
}

class ThrowsAtTheEnd : public Recorder {
public:
    using Recorder::Recorder;
    bool eof_received() override {
        Recorder::eof_received();
        throw ValueError("no end");
    }
};

TEST_F(TlsRulesTest, AProtocolThatThrowsInEofReceivedIsLostByThat) {
    run_net([]() -> Coro<> {
        std::string handled;
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
            handled += context.message + ": " + repr(context.exception);
        });
        TlsByHand client;
        std::string told;
        auto protocol = make_protocol<ThrowsAtTheEnd>(&told);
        co_await serve_by_hand(client, protocol);
        client.say_goodbye();
        co_await settle(told);
        EXPECT_EQ(told, "made;eof;lost by ValueError('no end');");
        EXPECT_EQ(handled, "Error calling eof_received(): ValueError('no end')");
        protocol->transport = Transport();
    });
}

}  // namespace
}  // namespace asyncio
