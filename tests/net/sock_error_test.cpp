#include <asyncio/net/sock.h>

#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <fcntl.h>

#include <string>
#include <vector>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::connected_pair;
using support::fill;
using support::NetTest;
using support::run_net;
using support::send_now;

namespace {

using SockErrorTest = NetTest;

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_client_ops
TEST_F(SockErrorTest, InDebugModeABlockingSocketIsRefused) {
    run_net([]() -> Coro<> {
        get_running_loop().set_debug(true);
        auto [a, b] = socketpair();
        int flags = ::fcntl(a.fileno(), F_GETFL);
        EXPECT_EQ(::fcntl(a.fileno(), F_SETFL, flags & ~O_NONBLOCK), 0);
        std::vector<std::string> said;
        char buffer[1];
        for (int i = 0; i < 5; ++i) {
            try {
                if (i == 0) {
                    co_await sock_recv(a, 1);
                } else if (i == 1) {
                    co_await sock_recv_into(a, buffer);
                } else if (i == 2) {
                    co_await sock_sendall(a, "x");
                } else if (i == 3) {
                    co_await sock_accept(a);
                } else {
                    co_await sock_connect(a, SocketAddress::unix_path("/nowhere"));
                }
            } catch (const ValueError&) {
                said.push_back(caught());
            }
        }
        EXPECT_EQ(said, std::vector<std::string>(5, "ValueError('the socket must be non-blocking')"));
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_client_fail
TEST_F(SockErrorTest, ConnectingWhereNobodyListensNamesTheAddress) {
    run_net([]() -> Coro<> {
        Socket taken(AddressFamily::INET);
        taken.bind(SocketAddress("127.0.0.1", 0));
        Socket client(AddressFamily::INET);
        try {
            co_await sock_connect(client, taken.getsockname());
            ADD_FAILURE();
        } catch (const ConnectionRefusedError& error) {
            EXPECT_EQ(std::string(error.what()), "[Errno 111] Connect call failed " + repr(taken.getsockname()));
        }
        Socket local(AddressFamily::UNIX);
        try {
            co_await sock_connect(local, SocketAddress::unix_path("/nowhere/x.sock"));
            ADD_FAILURE();
        } catch (const FileNotFoundError& error) {
            EXPECT_STREQ(error.what(), "[Errno 2] No such file or directory: '/nowhere/x.sock'");
        }
    });
}

TEST_F(SockErrorTest, AResetAndABrokenPipeAreTheirOwnErrors) {
    run_net([]() -> Coro<> {
        auto pair = co_await connected_pair();
        auto& [a, b] = pair;
        auto receiving = create_task(sock_recv(b, 10));
        co_await sleep(0s);
        linger at_once{1, 0};
        a.setsockopt(SOL_SOCKET, SO_LINGER, BytesLike(&at_once, sizeof at_once));
        a.close();
        try {
            co_await receiving;
            ADD_FAILURE();
        } catch (const ConnectionResetError&) {
            EXPECT_EQ(caught(), "ConnectionResetError(104, 'Connection reset by peer')");
        }
        try {
            co_await sock_sendall(b, "x");
            ADD_FAILURE();
        } catch (const BrokenPipeError&) {  // and no SIGPIPE has ended the test
            EXPECT_EQ(caught(), "BrokenPipeError(32, 'Broken pipe')");
        }
        auto [c, d] = socketpair();
        fill(c);
        auto sending = create_task(sock_sendall(c, "x"));
        co_await sleep(0s);
        d.close();
        try {
            co_await sending;
            ADD_FAILURE();
        } catch (const ConnectionError&) {
        }
    });
}

TEST_F(SockErrorTest, AClosedSocketIsABadDescriptorAlsoForThoseWhoWaitAlready) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair();
        auto receiving = create_task(sock_recv(a, 10));
        auto later = sock_recv(a, 10);
        co_await sleep(0s);
        a.close();
        auto [c, d] = socketpair();  // one of them has the number now
        co_await sock_sendall(c, "for d");
        co_await sock_sendall(d, "for c");
        try {
            co_await receiving;
            ADD_FAILURE();
        } catch (const OSError& error) {
            EXPECT_STREQ(error.what(), "[Errno 9] Bad file descriptor");
        }
        try {
            co_await later;
            ADD_FAILURE();
        } catch (const OSError& error) {
            EXPECT_STREQ(error.what(), "[Errno 9] Bad file descriptor");
        }
        try {
            Socket none;
            co_await sock_recv(none, 10);
            ADD_FAILURE();
        } catch (const OSError& error) {
            EXPECT_STREQ(error.what(), "[Errno 9] Bad file descriptor");
        }
    });
}

TEST_F(SockErrorTest, AWaitSaysForWhichDescriptorItWaits) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair();
        auto receiving = create_task(sock_recv(b, 10));
        co_await sleep(0s);
        WaitEdge edge = static_cast<detail::TaskBase*>(receiving.state_or_null())->waiting_on()->edge();
        EXPECT_EQ(edge.kind, WaitKind::file_descriptor);
        EXPECT_EQ(edge.fd, b.fileno());
        receiving.cancel();
    });
}

TEST_F(SockErrorTest, WithoutARunningLoopNothingCanBeAwaited) {
    auto [a, b] = socketpair();
    EXPECT_EQ(send_now(a, "x"), 1);
    EventLoop loop;
    auto recv = [&]() -> Coro<std::string> { co_return co_await sock_recv(b, 10); };
    EXPECT_EQ(loop.run_until_complete(recv()), "x");
    // A socket can be used in one loop after the other.
    EventLoop other;
    auto task = other.create_task(recv());
    other.call_soon([&, &sender = a] { send_now(sender, "y"); });
    EXPECT_EQ(other.run_until_complete(task), "y");
}

}  // namespace
