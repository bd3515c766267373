#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "net/stream_support.h"
#include "tls/engine_support.h"
#include "tls/tls_ends.h"

// What comes before the stream knows that it goes on by TLS.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::close_both;
using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::run_net;

class StartTlsEarlyTest : public support::NetTest {};

/// A line before TLS, and the beginning of TLS behind it in one packet, as a proxy sends them.
// CPython: test_streams.py, StreamTests.test_start_tls_buffered_data
TEST_F(StartTlsEarlyTest, FeedsWhatWasReadBefore) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        auto serve = [&]() -> Coro<> {
            {
                std::string got = co_await ends.server.reader.readline();
                EXPECT_EQ(got, "PROXY\n");
            }
            co_await sleep(0.02);
            co_await ends.server.writer.start_tls(support::for_servers());
        };
        auto serving = create_task(serve);
        ends.client.writer.write("PROXY\n");
        StartTlsOptions options = {.server_hostname = "localhost"};
        co_await ends.client.writer.start_tls(support::for_clients(), options);
        co_await serving;
        ends.client.writer.write("hello\n");
        {
            std::string got = co_await ends.server.reader.readline();
            EXPECT_EQ(got, "hello\n");
        }
        co_await close_both(ends);
    });
}

/// The beginning of TLS has filled the reader, which has paused its transport. Nobody reads later.
TEST_F(StartTlsEarlyTest, SeesTheEndThoughTheReaderWasFullBefore) {
    run_net([]() -> Coro<> {
        StartServerOptions small = {.limit = 16};
        Ends ends = co_await connect_ends(small);
        StartTlsOptions options = {.server_hostname = "localhost"};
        auto upgrading = create_task(ends.client.writer.start_tls(support::for_clients(), options));
        co_await sleep(0.02);
        EXPECT_NE(repr(ends.server.reader).find(" paused"), std::string::npos);
        co_await ends.server.writer.start_tls(support::for_servers());
        EXPECT_EQ(repr(ends.server.reader).find(" paused"), std::string::npos);
        co_await upgrading;
        ends.client.writer.close();
        co_await wait_for(ends.server.writer.wait_closed(), 10s);
        co_await wait_for(ends.client.writer.wait_closed(), 10s);
    });
}

/// Somebody on the way has put a command in front of TLS: it must not be read as if it had come by TLS.
TEST_F(StartTlsEarlyTest, NeverReadsWhatCameBeforeAsIfItWereSecret) {
    run_net([]() -> Coro<> {
        for (BufferedBytes what : {BufferedBytes::feed, BufferedBytes::refuse}) {
            Ends ends = co_await connect_ends();
            ends.client.writer.write("STARTTLS\nRCPT TO:<mallory>\n");
            {
                std::string got = co_await ends.server.reader.readline();
                EXPECT_EQ(got, "STARTTLS\n");
            }
            StartTlsOptions options = {.buffered = what};
            std::string outcome = co_await outcome_of(ends.server.writer.start_tls(support::for_servers(), options));
            if (what == BufferedBytes::feed) {
                EXPECT_TRUE(outcome.starts_with("SSLError('[SSL: ")) << outcome;
            } else {
                EXPECT_EQ(outcome, "SSLError('18 bytes came before TLS, and were not asked for')");
            }
            EXPECT_TRUE(ends.server.writer.is_closing());
            std::string left = co_await ends.client.reader.read();
            EXPECT_EQ(left.find("250"), left.npos);
            ends.client.writer.close();
            co_await sleep(0.01);
        }
    });
}

/// It comes with the end of the handshake, before the stream knows of its new transport.
TEST_F(StartTlsEarlyTest, GoesOnThoughMoreComesAtOnceThanAReaderKeeps) {
    run_net([]() -> Coro<> {
        auto [plain, by_tls] = socketpair();
        OpenConnectionOptions of_server = {.sock = &plain};
        OpenConnectionOptions of_client = {
            .sock = &by_tls, .ssl = support::for_clients(), .server_hostname = "localhost"};
        std::string much(8'000'000, 'm');  // an io_uring has taken up to 4 MiB of it
        auto write = [&]() -> Coro<StreamWriter> {
            Streams streams = co_await open_connection(of_client);
            streams.writer.write(much);
            co_return streams.writer;
        };
        Streams server = co_await open_connection(of_server);
        StartTlsOptions options = {.server_side = true};
        auto writing = create_task(write);
        co_await server.writer.start_tls(support::for_servers(), options);
        StreamWriter writer = co_await writing;
        co_await sleep(0.02);
        EXPECT_GT(writer.get_write_buffer_size(), 1'000'000U);  // nobody reads
        std::string got = co_await wait_for(server.reader.readexactly(much.size()), 10s);
        EXPECT_TRUE(got == much);
        writer.close();
        server.writer.close();
        co_await writer.wait_closed();
    });
}

}  // namespace
}  // namespace asyncio
