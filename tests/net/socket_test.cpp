#include <asyncio/net/socket.h>

#include <asyncio/errors/os_errors.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "net/net_support.h"

using namespace asyncio;
using support::NetTest;
using support::outcome;
using support::receive_now;
using support::send_now;

namespace {

using SocketTest = NetTest;

TEST_F(SocketTest, IsNonBlockingAndClosedOnExecAndByItsDestructor) {
    int fd = -1;
    {
        Socket socket(AddressFamily::INET);
        fd = socket.fileno();
        EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(socket.family(), AddressFamily::INET);
        EXPECT_EQ(socket.type(), SocketKind::STREAM);
        EXPECT_EQ(socket.proto(), 0);
    }
    EXPECT_LT(::fcntl(fd, F_GETFD), 0);
}

TEST_F(SocketTest, CanBeMovedDetachedAndTakenOver) {
    auto [first, second] = socketpair();
    Socket moved = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(first.fileno(), -1);
    EXPECT_EQ(send_now(moved, "abc"), 3);
    second = Socket(AddressFamily::INET6, SocketKind::DGRAM);  // closes what it was
    EXPECT_EQ(send_now(moved, "abc"), -1);

    int fd = moved.detach();
    EXPECT_FALSE(moved);
    moved.close();
    ASSERT_EQ(::fcntl(fd, F_SETFL, 0), 0);
    Socket again = Socket::from_fd(fd);
    EXPECT_EQ(again.fileno(), fd);
    EXPECT_EQ(again.family(), AddressFamily::UNIX);
    EXPECT_EQ(again.type(), SocketKind::STREAM);
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(outcome([] { return Socket::from_fd(-1); }), "OSError(9, 'Bad file descriptor')");
}

// What is no struct of the system's would be sent as it lies in memory: 30s as 30 of whatever the option counts.
static_assert(detail::SocketOption<linger> && detail::SocketOption<int>);
static_assert(!detail::SocketOption<std::chrono::seconds> && !detail::SocketOption<Seconds>);
static_assert(!detail::SocketOption<std::span<const int>> && !detail::SocketOption<std::optional<int>>);

TEST_F(SocketTest, HasAnAddressOptionsAndTwoDirections) {
    Socket server = support::listener();
    EXPECT_EQ(server.getsockname().host(), "127.0.0.1");
    EXPECT_GT(server.getsockname().port(), 0);
    EXPECT_EQ(outcome([&] { return server.getpeername(); }), "OSError(107, 'Transport endpoint is not connected')");
    server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    EXPECT_EQ(server.getsockopt(SOL_SOCKET, SO_REUSEADDR), 1);
    linger wait{1, 2};
    server.setsockopt(SOL_SOCKET, SO_LINGER, BytesLike(&wait, sizeof wait));
    EXPECT_EQ(server.getsockopt<linger>(SOL_SOCKET, SO_LINGER).l_linger, 2);
    server.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 3});
    linger kept = server.getsockopt<linger>(SOL_SOCKET, SO_LINGER);
    EXPECT_EQ(kept.l_onoff, 1);
    EXPECT_EQ(kept.l_linger, 3);
    EXPECT_EQ(server.getsockopt(SOL_SOCKET, SO_LINGER, 1024), std::string("\1\0\0\0\3\0\0\0", 8));
    EXPECT_EQ(server.getsockopt(SOL_SOCKET, SO_LINGER, 5), std::string("\1\0\0\0\3", 5));
    EXPECT_EQ(outcome([&] { return server.getsockopt(SOL_SOCKET, SO_LINGER, 1025); }),
              "OSError('getsockopt buflen out of range')");

    auto [first, second] = socketpair();
    first.shutdown(Shut::WR);
    EXPECT_EQ(send_now(first, "x"), -1);
    EXPECT_EQ(send_now(second, "x"), 1);
    EXPECT_EQ(receive_now(first), "x");
}

TEST_F(SocketTest, ErrorsArePythonsAndAClosedOneSaysSo) {
    Socket server = support::listener();
    Socket other(AddressFamily::INET);
    EXPECT_EQ(outcome([&] { other.bind(server.getsockname()); }), "OSError(98, 'Address already in use')");
    other.close();
    other.close();
    EXPECT_EQ(other.fileno(), -1);
    EXPECT_EQ(outcome([&] { other.listen(); }), "OSError(9, 'Bad file descriptor')");
    EXPECT_EQ(outcome([&] { Socket().listen(); }), "OSError(9, 'Bad file descriptor')");
    EXPECT_EQ(outcome([] { return Socket(AddressFamily(250)); }),
              "OSError(97, 'Address family not supported by protocol')");
}

TEST_F(SocketTest, IsPrintedAsPythonPrintsIt) {
    Socket server = support::listener();
    EXPECT_EQ(repr(server), "<socket.socket fd=" + std::to_string(server.fileno()) +
                                ", family=2, type=1, proto=0, laddr=('127.0.0.1', " +
                                std::to_string(server.getsockname().port()) + ")>");
    server.close();
    EXPECT_EQ(repr(server), "<socket.socket [closed] fd=-1, family=2, type=1, proto=0>");
    Socket unix_socket(AddressFamily::UNIX);
    EXPECT_EQ(repr(unix_socket),
              "<socket.socket fd=" + std::to_string(unix_socket.fileno()) + ", family=1, type=1, proto=0>");
}

}  // namespace
