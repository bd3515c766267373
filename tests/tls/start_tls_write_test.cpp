#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "net/protocol_support.h"
#include "net/stream_support.h"
#include "tls/engine_support.h"

// What is written to the transport below, while start_tls() shakes hands over it and later: never in the clear.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::connect_ends;
using support::Ends;
using support::outcome;
using support::outcome_of;
using support::run_net;

class StartTlsWriteTest : public support::NetTest {};

const std::string begins =
    "RuntimeError('start_tls() is under way: what is written before it is over would go out in the clear')";
const std::string is_over =
    "RuntimeError('TLS has begun on this transport: what is written to it would go out in the clear; write to the one "
    "that start_tls() gives')";

/// A file that has words in it, and is gone at the end.
class SecretFile {
public:
    explicit SecretFile(std::size_t size = 6) : file_(std::tmpfile()) {
        std::string text;
        while (text.size() < size) text += "SECRET";
        std::fwrite(text.data(), 1, text.size(), file_);
        std::fflush(file_);
    }
    ~SecretFile() { std::fclose(file_); }
    SecretFile(const SecretFile&) = delete;
    int fd() const { return ::fileno(file_); }

private:
    std::FILE* file_;
};

/// What each way to write says.
Coro<> expect_refusal(Transport transport, std::string why) {
    SecretFile file;
    EXPECT_EQ(outcome([&] { transport.write("SECRET"); }), why);
    EXPECT_EQ(outcome([&] { transport.writelines(std::vector<std::string>{"SEC", "RET"}); }), why);
    EXPECT_EQ(outcome([&] { transport.write(std::string(100'000, 'S')); }), why);
    EXPECT_EQ(outcome([&] { transport.write(SharedBytes("SECRET")); }), why);
    std::string told = co_await outcome_of(sendfile(transport, file.fd()));
    EXPECT_EQ(told, why);
}

TEST_F(StartTlsWriteTest, IsRefusedByAStreamsTransport) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        StreamWriter writer = ends.client.writer;
        Transport below = writer.transport();
        auto begin = [&]() -> Coro<> {
            StartTlsOptions options = {.server_hostname = "localhost"};
            co_await writer.start_tls(support::for_clients(), options);
        };
        auto beginning = create_task(begin);
        for (int pass = 0; pass < 4; ++pass) {
            co_await sleep(0);
            co_await expect_refusal(below, begins);
            co_await expect_refusal(writer.transport(), begins);
        }
        co_await ends.server.writer.start_tls(support::for_servers());
        co_await beginning;
        co_await expect_refusal(below, is_over);
        writer.transport().write("by TLS\n");
        std::string line = co_await ends.server.reader.readline();
        EXPECT_EQ(line, "by TLS\n");
        writer.close();
        co_await writer.wait_closed();
        EXPECT_EQ(outcome([&] { below.write("SECRET"); }), is_over);
        ends.server.writer.close();
        co_await ends.server.writer.wait_closed();
    });
}

TEST_F(StartTlsWriteTest, IsRefusedByAProtocolsTransport) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::string told;
        auto protocol = make_protocol<support::Recorder>(&told);
        Transport below = ends.client.writer.transport();
        below.set_protocol(protocol);
        auto begin = [&]() -> Coro<Transport> {
            StartTlsOptions options = {.server_hostname = "localhost"};
            co_return co_await start_tls(below, protocol, support::for_clients(), options);
        };
        auto beginning = create_task(begin);
        co_await sleep(0.005);
        co_await expect_refusal(below, begins);
        co_await ends.server.writer.start_tls(support::for_servers());
        Transport by_tls = co_await beginning;
        co_await expect_refusal(below, is_over);
        by_tls.write("by TLS\n");
        std::string line = co_await ends.server.reader.readline();
        EXPECT_EQ(line, "by TLS\n");
        by_tls.close();
        ends.server.writer.close();
        co_await ends.server.writer.wait_closed();
        co_await sleep(0.01);
    });
}

/// The connection is about to be closed, but what it has still to send is sent.
TEST_F(StartTlsWriteTest, IsRefusedWhenTheHandshakeHasFailed) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        Transport below = ends.client.writer.transport();
        StartTlsOptions options = {.server_hostname = "localhost", .ssl_handshake_timeout = 10ms};
        std::string failure = co_await outcome_of(ends.client.writer.start_tls(support::for_clients(), options));
        EXPECT_NE(failure.find("taking longer than"), failure.npos) << failure;
        EXPECT_EQ(outcome([&] { below.write("SECRET"); }), is_over);
        EXPECT_EQ(outcome([&] { below.write_eof(); }), is_over);
        std::string all;
        std::string reading = co_await outcome_of([&]() -> Coro<> { all = co_await ends.server.reader.read(); }());
        EXPECT_EQ(all.find("SECRET"), all.npos) << reading;
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

TEST_F(StartTlsWriteTest, IsRefusedBehindABacklogWhenTheHandshakeWasCancelled) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        StreamWriter writer = ends.client.writer;
        ends.server.writer.transport().pause_reading();
        while (writer.get_write_buffer_size() == 0) writer.write(std::string(16'384, 'x'));
        auto begin = [&]() -> Coro<> {
            StartTlsOptions options = {.server_hostname = "localhost"};
            co_await writer.start_tls(support::for_clients(), options);
        };
        auto beginning = create_task(begin);
        for (int pass = 0; pass < 5; ++pass) co_await sleep(0);
        beginning.cancel();
        std::string told = co_await outcome_of(wait(beginning));
        EXPECT_EQ(told, "nothing");
        EXPECT_TRUE(beginning.cancelled());
        EXPECT_GT(writer.get_write_buffer_size(), 0u);
        EXPECT_EQ(outcome([&] { writer.write("SECRET"); }), is_over);
        ends.server.writer.abort();
        writer.transport().abort();
        co_await sleep(0.001);
    });
}

/// A file goes whole, or the connection ends: the handshake does not get between its parts.
TEST_F(StartTlsWriteTest, OfAFileKeepsAHandshakeFromBeginning) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        SecretFile file(8'000'000);  // far more than the system keeps on its way
        ends.client.writer.get_extra_info("socket").socket().setsockopt(SOL_SOCKET, SO_SNDBUF, 10'000);
        ends.server.writer.get_extra_info("socket").socket().setsockopt(SOL_SOCKET, SO_RCVBUF, 10'000);
        Transport below = ends.client.writer.transport();
        auto sending = create_task(sendfile(below, file.fd()));
        co_await sleep(0.005);
        EXPECT_FALSE(sending.done());
        auto begin = [&]() -> Coro<> {
            StartTlsOptions options = {.server_hostname = "localhost", .ssl_handshake_timeout = 5s};
            co_await ends.client.writer.start_tls(support::for_clients(), options);
        };
        std::string told = co_await outcome_of(begin());
        EXPECT_EQ(told, "RuntimeError('unable to write; sendfile is in progress')");
        std::string all;
        std::string reading = co_await outcome_of([&]() -> Coro<> { all = co_await ends.server.reader.read(); }());
        EXPECT_EQ(all.find_first_not_of("SECRET"), all.npos) << reading;
        told = co_await outcome_of(sending);
        EXPECT_NE(told.find("Error("), told.npos) << told;
        ends.client.writer.abort();
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

/// One that was called before TLS began, and is awaited when it has.
TEST_F(StartTlsWriteTest, OfAFileThatWasMeantForTheClearIsRefused) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        SecretFile file;
        Coro<std::size_t> later = sendfile(ends.client.writer.transport(), file.fd());
        auto begin = [&]() -> Coro<> {
            StartTlsOptions options = {.server_hostname = "localhost"};
            co_await ends.client.writer.start_tls(support::for_clients(), options);
        };
        auto beginning = create_task(begin);
        co_await sleep(0.005);
        std::string told = co_await outcome_of(std::move(later));
        EXPECT_EQ(told, begins);
        co_await ends.server.writer.start_tls(support::for_servers());
        co_await beginning;
        ends.client.writer.abort();
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

/// Nothing can be sent any more, so neither can a hello: that is told at once.
TEST_F(StartTlsWriteTest, ComesTooLateBehindAnEnd) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.writer.write_eof();
        StartTlsOptions options = {.server_hostname = "localhost"};
        auto begin = [&]() -> Coro<> { co_await ends.client.writer.start_tls(support::for_clients(), options); };
        std::string told = co_await outcome_of(wait_for(begin(), 5.0));
        EXPECT_EQ(told, "RuntimeError('Cannot call write() after write_eof()')");
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

/// The first still waits until all is sent: who ends it does not let others write while the second goes on.
TEST_F(StartTlsWriteTest, IsRefusedToTheEndOfTheFirstOfTwo) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        StreamWriter writer = ends.client.writer;
        WriteBufferOptions limits = {.high = 10};
        writer.set_write_buffer_limits(limits);
        support::fill(writer);
        auto begin = [&]() -> Coro<> {
            StartTlsOptions options = {.server_hostname = "localhost"};
            co_await writer.start_tls(support::for_clients(), options);
        };
        auto first = create_task(begin), second = create_task(begin);
        std::string told = co_await outcome_of(second);
        EXPECT_TRUE(told.starts_with("RuntimeError('start_tls() was called before for transport <")) << told;
        EXPECT_EQ(outcome([&] { writer.write("SECRET"); }), begins);
        first.cancel();
        told = co_await outcome_of(first);
        EXPECT_TRUE(told.starts_with("CancelledError(")) << told;
        EXPECT_EQ(outcome([&] { writer.write("in the clear"); }), "nothing") << "it is as it was before";
        EXPECT_FALSE(writer.is_closing());
        writer.abort();
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

}  // namespace
}  // namespace asyncio
