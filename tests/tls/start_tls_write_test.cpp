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

// What is written to the transport below, while start_tls() shakes hands over it and later: never in the clear. When it
// is closed it is as any other that is.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::connect_ends;
using support::Ends;
using support::outcome;
using support::outcome_of;
using support::run_net;

std::string logged;

class StartTlsWriteTest : public support::NetTest {
protected:
    StartTlsWriteTest() { logged.clear(); }
    ~StartTlsWriteTest() override { set_log_handler(former_); }

private:
    LogHandler former_ = set_log_handler([](LogLevel, std::string_view text) { logged.append(text) += "\n"; });
};

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
    EXPECT_EQ(outcome([&] { transport.write_eof(); }), why);
    std::string told = co_await outcome_of(sendfile(transport, file.fd()));
    EXPECT_EQ(told, why);
}

/// What each way to write does to one that is closed. CPython: as any transport's.
Coro<> expect_in_vain(Transport transport) {
    SecretFile file;
    EXPECT_TRUE(transport.is_closing());
    EXPECT_EQ(outcome([&] { transport.write("SECRET"); }), "nothing");
    EXPECT_EQ(outcome([&] { transport.writelines(std::vector<std::string>{"SEC", "RET"}); }), "nothing");
    EXPECT_EQ(outcome([&] { transport.write(std::string(100'000, 'S')); }), "nothing");
    EXPECT_EQ(outcome([&] { transport.write(SharedBytes("SECRET")); }), "nothing");
    EXPECT_EQ(outcome([&] { transport.write_eof(); }), "nothing");
    EXPECT_EQ(outcome([&] { transport.close(); }), "nothing");
    std::string told = co_await outcome_of(sendfile(transport, file.fd()));
    EXPECT_EQ(told, "RuntimeError('Transport is closing')");
}

/// Takes the client's part.
Coro<> begin(StreamWriter writer) {
    StartTlsOptions options = {.server_hostname = "localhost"};
    co_await writer.start_tls(support::for_clients(), options);
}

/// What comes to the server until the connection ends.
Coro<std::string> all_that_came(StreamReader reader) {
    std::string all;
    for (std::string part = "x"; !part.empty(); all += part) {
        try {
            part = co_await reader.read(65536);
        } catch (const ConnectionResetError&) {
            part.clear();
        }
    }
    co_return all;
}

TEST_F(StartTlsWriteTest, IsRefusedByAStreamsTransport) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        StreamWriter writer = ends.client.writer;
        Transport below = writer.transport();
        auto beginning = create_task(begin(writer));
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
        EXPECT_EQ(outcome([&] { below.write("SECRET"); }), is_over) << "the goodbye is on its way";
        co_await writer.wait_closed();
        co_await expect_in_vain(below);
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

TEST_F(StartTlsWriteTest, IsInVainWhenTheHandshakeHasFailed) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        Transport below = ends.client.writer.transport();
        StartTlsOptions options = {.server_hostname = "localhost", .ssl_handshake_timeout = 10ms};
        std::string failure = co_await outcome_of(ends.client.writer.start_tls(support::for_clients(), options));
        EXPECT_NE(failure.find("taking longer than"), failure.npos) << failure;
        co_await expect_in_vain(below);
        EXPECT_EQ(logged, "");
        ends.client.writer.write("SECRET");
        EXPECT_EQ(logged, "socket.send() raised exception.\n") << "the fifth";
        std::string all = co_await all_that_came(ends.server.reader);
        EXPECT_EQ(all.find("SECRET"), all.npos);
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

/// CPython sends it in the clear. What the connection has still to send is sent.
TEST_F(StartTlsWriteTest, IsInVainBehindABacklogWhenTheHandshakeWasCancelled) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        StreamWriter writer = ends.client.writer;
        ends.server.writer.transport().pause_reading();
        co_await sleep(0.005);  // an io_uring receives on for a while
        std::size_t size = 0;
        for (; writer.get_write_buffer_size() < 20'000; size += 16'384) writer.write(std::string(16'384, 'x'));
        auto beginning = create_task(begin(writer));
        for (int pass = 0; pass < 5; ++pass) co_await sleep(0);
        beginning.cancel();
        std::string told = co_await outcome_of(wait(beginning));
        EXPECT_EQ(told, "nothing");
        EXPECT_TRUE(beginning.cancelled());
        std::size_t kept = writer.get_write_buffer_size();
        EXPECT_GT(kept, 0u);
        co_await expect_in_vain(writer.transport());
        EXPECT_EQ(writer.get_write_buffer_size(), kept);
        ends.server.writer.transport().resume_reading();
        std::string all = co_await all_that_came(ends.server.reader);
        EXPECT_EQ(all.find_first_not_of('x'), size);
        EXPECT_EQ(all.find("SECRET"), all.npos);
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

/// It has failed before it has begun: the other end has ended its half, but may still read.
TEST_F(StartTlsWriteTest, IsInVainBehindABacklogWhenItCameTooLate) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::string told;
        auto protocol = make_protocol<support::Recorder>(&told, true);
        Transport below = ends.client.writer.transport();
        below.set_protocol(protocol);
        ends.server.writer.transport().pause_reading();
        ends.server.writer.write_eof();
        co_await sleep(0.005);
        while (below.get_write_buffer_size() < 20'000) below.write(std::string(16'384, 'x'));
        co_await sleep(0.005);
        StartTlsOptions options = {.server_hostname = "localhost"};
        std::string failure = co_await outcome_of(start_tls(below, protocol, support::for_clients(), options));
        EXPECT_TRUE(failure.starts_with("ConnectionResetError(")) << failure;
        EXPECT_GT(below.get_write_buffer_size(), 0u);
        co_await expect_in_vain(below);
        ends.server.writer.transport().resume_reading();
        std::string all = co_await all_that_came(ends.server.reader);
        EXPECT_EQ(all.find_first_not_of('x'), all.npos);
        ends.server.writer.abort();
        co_await sleep(0.001);
    });
}

/// Its closing is that of those above, too, which CPython asks. What is written there goes behind what is kept.
TEST_F(StartTlsWriteTest, IsInVainWhenItWasClosedUnderTls) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        StreamWriter writer = ends.client.writer;
        Transport below = writer.transport(), of_server = ends.server.writer.transport(), middle;
        for (int layer = 0; layer < 2; ++layer) {
            middle = writer.transport();
            auto beginning = create_task(begin(writer));
            co_await ends.server.writer.start_tls(support::for_servers());
            co_await beginning;
        }
        of_server.pause_reading();
        while (below.get_write_buffer_size() == 0) writer.write(std::string(16'384, 'x'));
        EXPECT_FALSE(writer.is_closing());
        below.close();
        EXPECT_TRUE(writer.is_closing());
        EXPECT_TRUE(writer.transport().is_closing());
        std::size_t kept = below.get_write_buffer_size();
        writer.write("by TLS");
        EXPECT_GT(below.get_write_buffer_size(), kept);
        kept = below.get_write_buffer_size();
        co_await expect_in_vain(below);
        EXPECT_EQ(outcome([&] { middle.write("SECRET"); }), "nothing");
        EXPECT_EQ(outcome([&] { middle.writelines(std::vector<std::string>{"SEC", "RET"}); }), "nothing");
        EXPECT_EQ(below.get_write_buffer_size(), kept);
        ends.server.writer.abort();
        writer.abort();
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
        std::string told = co_await outcome_of(wait_for(begin(ends.client.writer), 5.0));
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
        auto beginning = create_task(begin(ends.client.writer));
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
        std::string told = co_await outcome_of(wait_for(begin(ends.client.writer), 5.0));
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
        auto first = create_task(begin(writer)), second = create_task(begin(writer));
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
