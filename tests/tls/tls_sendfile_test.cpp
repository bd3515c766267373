#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "net/stream_support.h"
#include "support/said_of.h"
#include "tls/engine_support.h"
#include "tls/tls_ends.h"

// Files over TLS, which are read on a thread and written.

namespace asyncio {
namespace {

using support::connect_by_tls;
using support::Ends;
using support::outcome_of;
using support::run_net;
using support::server_context;

class TlsSendfileExecutorTest : public support::NetTest {};

/// A file of a megabyte that is gone at the end.
class TemporaryFile {
public:
    TemporaryFile() : file_(std::tmpfile()) {
        for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + ";";
        std::fwrite(text.data(), 1, text.size(), file_);
        std::fflush(file_);
    }
    ~TemporaryFile() { std::fclose(file_); }
    TemporaryFile(const TemporaryFile&) = delete;
    int fd() const { return ::fileno(file_); }
    std::string text;

private:
    std::FILE* file_;
};

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_ssl
// CPython: test_sendfile.py, SendfileMixin.test_sendfile_ssl_pre_and_post_data
// CPython: test_sendfile.py, SendfileMixin.test_sendfile_ssl_partial
TEST_F(TlsSendfileExecutorTest, SendsAFileBehindWhatWasWritten) {
    run_net([]() -> Coro<> {
        TemporaryFile file;
        SSLContext server = server_context();
        Ends ends = co_await connect_by_tls();
        auto send = [&]() -> Coro<> {
            ends.client.writer.write("before");
            std::size_t sent = co_await sendfile(ends.client.writer.transport(), file.fd());
            EXPECT_EQ(sent, file.text.size());
            EXPECT_EQ(::lseek(file.fd(), 0, SEEK_CUR), static_cast<off_t>(file.text.size()));
            ends.client.writer.write("between");
            sent = co_await sendfile(ends.client.writer.transport(), file.fd(), 1000, 100);
            EXPECT_EQ(sent, 100U);
            EXPECT_EQ(::lseek(file.fd(), 0, SEEK_CUR), 1100);
            ends.client.writer.write("after");
            ends.client.writer.close();
        };
        auto sending = create_task(send);
        std::string all = co_await ends.server.reader.read();
        EXPECT_TRUE(all == "before" + file.text + "between" + file.text.substr(1000, 100) + "after") << all.size();
        co_await sending;
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_ssl_close_peer_after_receiving
TEST_F(TlsSendfileExecutorTest, SendsAFileToOneWhoClosesWhenHeHasIt) {
    run_net([]() -> Coro<> {
        TemporaryFile file;
        Ends ends = co_await connect_by_tls();
        auto receive = [&]() -> Coro<std::string> {
            std::string all = co_await ends.server.reader.readexactly(file.text.size());
            ends.server.writer.close();
            co_return all;
        };
        auto receiving = create_task(receive);
        std::size_t sent = co_await sendfile(ends.client.writer.transport(), file.fd());
        EXPECT_EQ(sent, file.text.size());
        std::string all = co_await receiving;
        EXPECT_TRUE(all == file.text);
        EXPECT_EQ(::lseek(file.fd(), 0, SEEK_CUR), static_cast<off_t>(file.text.size()));
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_no_fallback_for_fallback_transport
TEST_F(TlsSendfileExecutorTest, ATaskSaysThatItWaitsForRoom) {
    run_net([]() -> Coro<> {
        TemporaryFile file;
        Ends ends = co_await connect_by_tls();
        ends.client.writer.set_write_buffer_limits({.high = 0});
        ends.client.writer.write(std::string(64'000'000, 'x'));
        std::string number = std::to_string(ends.client.writer.get_extra_info("socket").socket().fileno());
        auto send = [&]() -> Coro<> { co_await sendfile(ends.client.writer.transport(), file.fd()); };
        std::string said = co_await support::said_of(send, std::chrono::milliseconds(100));
        EXPECT_TRUE(said.starts_with("<file descriptor " + number + " in sendfile(), peer ('127.0.0.1', ")) << said;
        ends.client.writer.abort();
        ends.server.writer.abort();
    });
}

TEST_F(TlsSendfileExecutorTest, CannotHaveTheKernelSendIt) {
    run_net([]() -> Coro<> {
        TemporaryFile file;
        Ends ends = co_await connect_by_tls();
        Transport transport = ends.client.writer.transport();
        SendfileOptions options = {.fallback = false};
        std::string outcome = co_await outcome_of(sendfile(transport, file.fd(), 0, std::nullopt, options));
        EXPECT_NE(outcome.find("fallback is disabled and native sendfile is not supported for transport"), outcome.npos)
            << outcome;
        outcome = co_await outcome_of(sendfile(transport, file.fd(), -1));
        EXPECT_EQ(outcome, "ValueError('offset must be a non-negative integer (got -1)')");
        outcome = co_await outcome_of(sendfile(transport, -1));
        EXPECT_EQ(outcome, "OSError(9, 'Bad file descriptor')");
        ends.client.writer.close();
        outcome = co_await outcome_of(sendfile(transport, file.fd()));
        EXPECT_EQ(outcome, "RuntimeError('Transport is closing')");
        ends.server.writer.abort();
        co_await sleep(0.01);
    });
}

TEST_F(TlsSendfileExecutorTest, SendsOneFileAtOnceAndNothingBetween) {
    run_net([]() -> Coro<> {
        TemporaryFile file;
        Ends ends = co_await connect_by_tls();
        Transport transport = ends.client.writer.transport();
        auto send = [&]() -> Coro<std::size_t> { co_return co_await sendfile(transport, file.fd()); };
        auto sending = create_task(send);
        co_await sleep(0);
        std::string outcome = co_await outcome_of(sendfile(transport, file.fd()));
        EXPECT_EQ(outcome, "RuntimeError('unable to send a file; sendfile is in progress')");
        try {
            transport.write("in the middle");
            ADD_FAILURE() << "it was taken";
        } catch (const RuntimeError& error) {
            EXPECT_STREQ(error.what(), "unable to write; sendfile is in progress");
        }
        std::vector<BytesLike> lines = {"in", "the", "middle"};
        EXPECT_THROW(transport.writelines(lines), RuntimeError);
        std::string all = co_await ends.server.reader.readexactly(file.text.size());
        EXPECT_TRUE(all == file.text);
        std::size_t sent = co_await sending;
        EXPECT_EQ(sent, file.text.size());
        transport.write("after");
        all = co_await ends.server.reader.readexactly(5);
        EXPECT_EQ(all, "after");
        ends.client.writer.close();
        ends.server.writer.close();
        co_await ends.client.writer.wait_closed();
    });
}

TEST_F(TlsSendfileExecutorTest, TellsThatTheOtherEndIsGone) {
    run_net([]() -> Coro<> {
        TemporaryFile file;
        Ends ends = co_await connect_by_tls();
        ends.client.writer.set_write_buffer_limits({.high = 1000});
        EXPECT_EQ(::ftruncate(file.fd(), off_t{1} << 34), 0);  // it is not over before
        auto send = [&]() -> Coro<> { co_await sendfile(ends.client.writer.transport(), file.fd()); };
        auto sending = create_task(send);
        co_await sleep(0.05);
        ends.server.writer.abort();
        std::string outcome = co_await outcome_of(sending);
        EXPECT_TRUE(outcome.starts_with("ConnectionError('Connection is closed by peer")) << outcome;
        co_await sleep(0.01);
    });
}

}  // namespace
}  // namespace asyncio
