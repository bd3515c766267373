#include <asyncio/net/sock.h>

#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>

#include <csignal>
#include <string>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::NetTest;
using support::run_net;

namespace {

using SendfileExecutorTest = NetTest;  // the fallback reads on a thread

/// A file with this content, or a pipe that has it.
class File {
public:
    explicit File(const std::string& content) : fd(::memfd_create("test", MFD_CLOEXEC)) {
        EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
        ::lseek(fd, 0, SEEK_SET);
    }
    ~File() { ::close(fd); }
    File(const File&) = delete;
    std::int64_t position() const { return ::lseek(fd, 0, SEEK_CUR); }
    int fd;
};

const std::string content = [] {
    std::string text;
    while (text.size() < 3'000'000) text += "12345abcde\n";
    return text;
}();

/// Runs `body(client)` while all that the client sends is collected.
template <class Body>
std::string sent_by(Body body) {
    std::string received;
    run_net([&]() -> Coro<> {
        Socket server = support::listener();
        Socket client(AddressFamily::INET);
        client.setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);
        co_await sock_connect(client, server.getsockname());
        Accepted accepted = co_await sock_accept(server);
        auto receive = [&]() -> Coro<> {
            for (;;) {
                std::string data = co_await sock_recv(accepted.conn, 100'000);
                if (data.empty()) break;
                received += data;
            }
        };
        auto receiving = create_task(receive());
        co_await body(client);
        client.close();
        co_await receiving;
    });
    return received;
}

// CPython: test_sendfile.py, SockSendfileMixin.test_sock_sendfile_success
// CPython: test_sendfile.py, SockSendfileMixin.test_sock_sendfile_mix_with_regular_send
TEST_F(SendfileExecutorTest, SendsAWholeFileBetweenOtherThings) {
    File file(content);
    std::string received = sent_by([&](Socket& client) -> Coro<> {
        co_await sock_sendall(client, "before ");
        std::size_t size = co_await sock_sendfile(client, file.fd);
        EXPECT_EQ(size, content.size());
        EXPECT_EQ(file.position(), static_cast<std::int64_t>(content.size()));
        co_await sock_sendall(client, " after");
    });
    EXPECT_TRUE(received == "before " + content + " after");
}

// CPython: test_sendfile.py, SockSendfileMixin.test_sock_sendfile_with_offset_and_count
// CPython: test_sendfile.py, SockSendfileMixin.test_sock_sendfile_offset
// CPython: test_base_events.py, BaseLoopSockSendfileTests.test_sock_sendfile_fallback_offset_and_count
TEST_F(SendfileExecutorTest, OffsetAndCountAreHonouredAndThePositionIsBehindThem) {
    File file(content);
    std::string received = sent_by([&](Socket& client) -> Coro<> {
        std::size_t size = co_await sock_sendfile(client, file.fd, 1000, 2000);
        EXPECT_EQ(size, 2000u);
        EXPECT_EQ(file.position(), 3000);
        size = co_await sock_sendfile(client, file.fd, static_cast<std::int64_t>(content.size()) - 10);
        EXPECT_EQ(size, 10u);
        size = co_await sock_sendfile(client, file.fd, static_cast<std::int64_t>(content.size()) - 5, 100);
        EXPECT_EQ(size, 5u);
        size = co_await sock_sendfile(client, file.fd, static_cast<std::int64_t>(content.size()));
        EXPECT_EQ(size, 0u);
    });
    EXPECT_EQ(received,
              content.substr(1000, 2000) + content.substr(content.size() - 10) + content.substr(content.size() - 5));
}

// CPython: test_sendfile.py, SockSendfileMixin.test_sock_sendfile_zero_size
TEST_F(SendfileExecutorTest, AnEmptyFileSendsNothing) {
    File file("");
    EXPECT_EQ(sent_by([&](Socket& client) -> Coro<> {
                  std::size_t size = co_await sock_sendfile(client, file.fd);
                  EXPECT_EQ(size, 0u);
                  EXPECT_EQ(file.position(), 0);
              }),
              "");
}

// CPython: test_base_events.py, BaseLoopSockSendfileTests.test_sock_sendfile_fallback
TEST_F(SendfileExecutorTest, WhatTheKernelCannotSendIsReadAndSent) {
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    EXPECT_EQ(::write(fds[1], "through a pipe", 14), 14);
    ::close(fds[1]);
    std::string received = sent_by([&](Socket& client) -> Coro<> {
        std::size_t size = co_await sock_sendfile(client, fds[0], 0, 9);
        EXPECT_EQ(size, 9u);
        size = co_await sock_sendfile(client, fds[0]);
        EXPECT_EQ(size, 5u);
    });
    EXPECT_EQ(received, "through a pipe");
    ::close(fds[0]);
}

// CPython: test_base_events.py, BaseLoopSockSendfileTests.test_sock_sendfile_no_fallback
// CPython: test_unix_events.py, SelectorEventLoopUnixSockSendfileTests.test_sock_sendfile_not_regular_file
TEST_F(SendfileExecutorTest, WithoutTheFallbackItSaysThatItCannot) {
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    EXPECT_EQ(sent_by([&](Socket& client) -> Coro<> {
                  for (int fd : {fds[0], -1}) {
                      try {
                          co_await sock_sendfile(client, fd, 0, std::nullopt, {.fallback = false});
                          ADD_FAILURE();
                      } catch (const SendfileNotAvailableError& error) {
                          EXPECT_STREQ(error.what(), fd < 0 ? "not a regular file" : "os.sendfile call failed");
                      }
                  }
              }),
              "");
    ::close(fds[0]);
    ::close(fds[1]);
}

// CPython: test_base_events.py, BaseLoopSockSendfileTests.test_blocking_socket
TEST_F(SendfileExecutorTest, InDebugModeABlockingSocketIsRefused) {
    File file("x");
    std::string said;
    run_net([&]() -> Coro<> {
        get_running_loop().set_debug(true);
        auto [a, b] = socketpair();
        ::fcntl(a.fileno(), F_SETFL, ::fcntl(a.fileno(), F_GETFL) & ~O_NONBLOCK);
        try {
            co_await sock_sendfile(a, file.fd);
        } catch (const ValueError& error) {
            said = error.what();
        }
        EXPECT_EQ(support::receive_now(b), "");
    });
    EXPECT_EQ(said, "the socket must be non-blocking");
}

// CPython: test_base_events.py, BaseLoopSockSendfileTests.test_nonstream_socket
// CPython: test_base_events.py, BaseLoopSockSendfileTests.test_negative_count
// CPython: test_base_events.py, BaseLoopSockSendfileTests.test_negative_offset
TEST_F(SendfileExecutorTest, BadArgumentsAreRefused) {
    File file("x");
    run_net([&]() -> Coro<> {
        auto [a, b] = socketpair();
        Socket datagrams(AddressFamily::INET, SocketKind::DGRAM);
        std::string said;
        for (int i = 0; i < 4; ++i) {
            try {
                if (i == 0) {
                    co_await sock_sendfile(datagrams, file.fd);
                } else if (i == 1) {
                    co_await sock_sendfile(a, file.fd, 0, 0);
                } else if (i == 2) {
                    co_await sock_sendfile(a, file.fd, 0, -1);
                } else {
                    co_await sock_sendfile(a, file.fd, -1);
                }
            } catch (const ValueError& error) {
                said += std::string(error.what()) + "\n";
            }
        }
        EXPECT_EQ(said,
                  "only SOCK_STREAM type sockets are supported\n"
                  "count must be a positive integer (got 0)\n"
                  "count must be a positive integer (got -1)\n"
                  "offset must be a non-negative integer (got -1)\n");
    });
}

TEST_F(SendfileExecutorTest, ToWhoIsGoneIsAnErrorAndNoSignal) {
    File file(content);
    run_net([&]() -> Coro<> {
        auto [a, b] = socketpair();
        b.close();
        try {
            co_await sock_sendfile(a, file.fd);
            ADD_FAILURE();
        } catch (const BrokenPipeError&) {
        }
        auto [c, d] = socketpair();
        auto sending = create_task(sock_sendfile(c, file.fd));
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_FALSE(sending.done());
        d.close();
        try {
            co_await sending;
            ADD_FAILURE();
        } catch (const ConnectionError&) {
        }
    });
    sigset_t pending;
    ::sigpending(&pending);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_F(SendfileExecutorTest, CancellingItLeavesThePositionBehindWhatWasSent) {
    File file(content);
    run_net([&]() -> Coro<> {
        auto [a, b] = socketpair();
        auto sending = create_task(sock_sendfile(a, file.fd));
        for (int i = 0; i < 5; ++i) {
            co_await sleep(0s);
        }
        sending.cancel();
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_TRUE(sending.cancelled());
        a.close();
        std::size_t received = 0;
        for (;;) {
            std::string data = co_await sock_recv(b, 100'000);
            if (data.empty()) break;
            received += data.size();
        }
        EXPECT_EQ(file.position(), static_cast<std::int64_t>(received));
        EXPECT_GT(received, 0u);
    });
}

}  // namespace
