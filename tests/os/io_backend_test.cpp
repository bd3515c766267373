#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>

#include "os/io_backend_support.h"

namespace asyncio::detail {
namespace {

struct Accept : IoOperation {
    explicit Accept(const OwnedFd& listener) : IoOperation(IoCall::accept) { descriptor = listener.descriptor; }
};

struct Connect : IoOperation {
    Connect(const OwnedFd& from, const Listener& to) : IoOperation(IoCall::connect), where(to.address) {
        descriptor = from.descriptor;
        address = &where;
        address_size = sizeof where;
    }
    sockaddr_in where;
};

TEST_P(IoBackendTest, ConnectsAndAccepts) {
    Listener listener;
    Accept accept(listener.socket);
    sockaddr_in peer = {};
    accept.address = &peer;
    accept.address_size = sizeof peer;
    EXPECT_FALSE(accept.start(backend()));
    OwnedFd client(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    Connect connect(client, listener);
    bool connected = connect.start(backend());
    while (accept.is_waiting() || connect.is_waiting()) {
        std::vector<IoEvent> events = wait(std::chrono::seconds(5));
        ASSERT_FALSE(events.empty());
        for (const IoEvent& event : events) connected |= event.operation->finish() && event.operation == &connect;
    }
    EXPECT_TRUE(connected);
    EXPECT_EQ(connect.result, 0);
    ASSERT_GE(accept.result, 0);
    OwnedFd server(static_cast<int>(accept.result));
    EXPECT_EQ(::fcntl(server.fd(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(::fcntl(server.fd(), F_GETFL) & O_NONBLOCK, 0);
    sockaddr_in own = {};
    socklen_t size = sizeof own;
    ASSERT_EQ(::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&own), &size), 0);
    EXPECT_EQ(peer.sin_port, own.sin_port);
}

TEST_P(IoBackendTest, AConnectThatIsRefusedSaysSo) {
    Listener nobody(0);
    OwnedFd client(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    Connect connect(client, nobody);
    if (!connect.start(backend())) {
        EXPECT_TRUE(names(connect));
        EXPECT_TRUE(connect.finish());
    }
    EXPECT_EQ(connect.result, -ECONNREFUSED);
}

TEST_P(IoBackendTest, AUnixConnectToAFullLineIsNoConnection) {
    OwnedFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    ASSERT_EQ(::bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    ASSERT_EQ(::listen(listener.fd(), 0), 0);
    std::vector<OwnedFd> clients;
    std::int64_t result = 0;
    while (result == 0 && clients.size() < 10) {
        clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        IoOperation connect(IoCall::connect);
        connect.descriptor = clients.back().descriptor;
        connect.address = &address;
        connect.address_size = size;
        ASSERT_TRUE(connect.start(backend()));
        result = connect.result;
    }
    EXPECT_EQ(result, -EAGAIN);
}

TEST_P(IoBackendTest, ACancelledAcceptLeavesItsConnectionToTheNext) {
    Listener listener;
    Accept first(listener.socket);
    EXPECT_FALSE(first.start(backend()));
    OwnedFd client = listener.connect();
    EXPECT_TRUE(names(first));
    first.stop();
    Accept second(listener.socket);
    bool over = second.start(backend());
    if (!over) {
        EXPECT_TRUE(names(second));
        EXPECT_TRUE(second.finish());
    }
    ASSERT_GE(second.result, 0);
    OwnedFd server(static_cast<int>(second.result));
}

// As a socket that another thread closes.
TEST_P(IoBackendTest, AFileThatNobodyWaitsForAnyMoreIsNotHeldOpen) {
    Pair pair = unix_pair();
    Receive receive(pair.first);
    EXPECT_FALSE(receive.start(backend()));
    EXPECT_TRUE(names_nothing());
    receive.stop();
    EXPECT_TRUE(names_nothing());
    pair.first.close();
    pollfd end{pair.second.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&end, 1, 5000), 1);
}

TEST_P(IoBackendTest, AServersAcceptsGetAllConnections) {
    Listener listener(100);
    Accept accept(listener.socket);
    accept.repeats = true;
    accept.at_once = false;
    EXPECT_FALSE(accept.start(backend()));
    accept.at_once = true;
    std::vector<OwnedFd> clients;
    std::vector<OwnedFd> servers;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 20; ++i) clients.push_back(listener.connect());
        while (servers.size() < clients.size()) {
            ASSERT_TRUE(names(accept)) << servers.size();
            bool over = accept.finish();
            while (over) {
                ASSERT_GE(accept.result, 0);
                servers.emplace_back(static_cast<int>(accept.result));
                over = accept.start(backend());
            }
        }
    }
    EXPECT_TRUE(names_nothing());
    for (std::size_t i = 0; i < clients.size(); ++i) {
        clients[i].put("x");
        EXPECT_EQ(servers[i].take(), "x");
    }
}

TEST_P(IoBackendTest, ClosingADescriptorEndsWhatWaitsForIt) {
    Pair pair = tcp_pair();
    fill(pair.first);
    Receive receive(pair.first);
    Receive behind(pair.first);
    Send send(pair.first, "abc");
    EXPECT_FALSE(receive.start(backend()));
    EXPECT_FALSE(behind.start(backend()));
    EXPECT_FALSE(send.start(backend()));
    EXPECT_TRUE(names_nothing());
    behind.stop();
    backend().closing(pair.first.descriptor);
    pair.first.close();
    EXPECT_EQ(wait().size(), 2u);
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.result, -EBADF);
    EXPECT_TRUE(send.finish());
    EXPECT_EQ(send.result, -EBADF);
    // The other end hears of it: nothing holds the socket open.
    empty(pair.second);
    EXPECT_EQ(::recv(pair.second.fd(), receive.buffer.data(), 1, 0), 0);
}

TEST_P(IoBackendTest, ClosingAListenerFreesItsPort) {
    Listener listener;
    Accept accept(listener.socket);
    accept.repeats = true;
    accept.at_once = false;
    EXPECT_FALSE(accept.start(backend()));
    EXPECT_TRUE(names_nothing());
    backend().closing(listener.socket.descriptor);
    listener.socket.close();
    EXPECT_TRUE(names(accept));
    EXPECT_TRUE(accept.finish());
    EXPECT_EQ(accept.result, -EBADF);
    OwnedFd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(other.fd(), reinterpret_cast<sockaddr*>(&listener.address), listener.size), 0);
}

TEST_P(IoBackendTest, ANumberThatIsGivenOutAgainIsAnotherDescriptor) {
    for (bool announced : {true, false}) {
        Pair former = tcp_pair();
        int number = former.first.fd();
        StreamReceive old(former.first, true);
        EXPECT_FALSE(old.start(backend()));
        former.second.put("for the former");
        EXPECT_TRUE(names(old));
        if (announced) {
            backend().closing(former.first.descriptor);
        }
        Pair pair = tcp_pair();
        ASSERT_EQ(::dup3(pair.first.fd(), number, O_CLOEXEC), number);  // closes the former
        former.first.descriptor.fd = -1;
        OwnedFd again(number);

        StreamReceive receive(again, true);
        EXPECT_FALSE(receive.start(backend()));
        pair.second.put("for the new");
        while (!receive.reported) ASSERT_FALSE(wait(std::chrono::seconds(1)).empty());
        EXPECT_TRUE(receive.finish());
        EXPECT_EQ(receive.text(), "for the new");
        if (old.is_waiting()) {
            EXPECT_TRUE(old.finish());
            EXPECT_EQ(old.result, -EBADF);
        }
    }
}

TEST_P(IoBackendTest, AFileThatIsOpenElsewhereTooDoesNotDisturbWhoGetsItsNumber) {
    Pair former = unix_pair();
    int number = former.first.fd();
    backend().watch(number, true, false);
    OwnedFd copy(::dup(number));
    Pair pair = unix_pair();
    ASSERT_EQ(::dup3(pair.first.fd(), number, O_CLOEXEC), number);
    former.first.descriptor.fd = -1;
    OwnedFd again(number);
    Receive receive(again);
    EXPECT_FALSE(receive.start(backend()));
    former.second.put("x");  // readable for ever, under a number that means another file
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(wait().empty());
    // And the loop can sleep again, though signals may disturb it, and the end of rings of earlier tests.
    auto longest = std::chrono::steady_clock::duration::zero();
    for (int i = 0; i < 100 && longest < std::chrono::milliseconds(20); ++i) {
        auto start = std::chrono::steady_clock::now();
        EXPECT_TRUE(wait(std::chrono::milliseconds(20)).empty());
        longest = std::max(longest, std::chrono::steady_clock::now() - start);
    }
    EXPECT_GE(longest, std::chrono::milliseconds(20));
    pair.second.put("y");
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.text(), "y");
}

TEST_P(IoBackendTest, WatchingAndWaitingForTheSameDescriptorGoTogether) {
    Pair pair = unix_pair();
    Receive receive(pair.first);
    EXPECT_FALSE(receive.start(backend()));
    backend().watch(pair.first.fd(), false, true);
    std::vector<IoEvent> events = wait();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_TRUE(events[0].fd == pair.first.fd() && events[0].writable && !events[0].readable);
    backend().watch(pair.first.fd(), true, true);
    pair.second.put("abc");
    bool watched = false;
    bool named = false;
    for (int i = 0; i < 10 && !(watched && named); ++i) {
        for (const IoEvent& event : wait()) {
            named |= event.operation == &receive;
            watched |= event.operation == nullptr && event.readable && event.writable;
        }
    }
    EXPECT_TRUE(watched && named);
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.text(), "abc");
    EXPECT_FALSE(receive.start(backend()));
    backend().watch(pair.first.fd(), false, false);
    EXPECT_TRUE(names_nothing());
    pair.second.put("d");
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.text(), "d");
}

TEST_P(IoBackendTest, ReadinessIsAskedForAndNotRemembered) {
    int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    OwnedFd event(fd);
    IoOperation readable(IoCall::readable);
    readable.descriptor = event.descriptor;
    EXPECT_FALSE(readable.start(backend()));
    EXPECT_TRUE(names_nothing());
    EXPECT_EQ(::eventfd_write(fd, 1), 0);
    EXPECT_TRUE(names(readable));
    EXPECT_TRUE(readable.finish());
    EXPECT_EQ(readable.result, 0);
    EXPECT_TRUE(readable.start(backend()));
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(fd, &value), 0);
    EXPECT_FALSE(readable.start(backend()));
    EXPECT_TRUE(names_nothing());
    IoOperation writable(IoCall::writable);
    writable.descriptor = event.descriptor;
    EXPECT_TRUE(writable.start(backend()));
}

TEST_P(IoBackendTest, WhatCannotBeWaitedForFailsAtOnce) {
    OwnedFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    StreamReceive receive(file, true);
    if (!receive.start(backend())) {
        EXPECT_TRUE(names(receive));
        EXPECT_TRUE(receive.finish());
    }
    EXPECT_LT(receive.result, 0);
    IoOperation nothing(IoCall::receive);
    EXPECT_TRUE(nothing.start(backend()));
    EXPECT_EQ(nothing.result, -EBADF);
    nothing.at_once = false;
    EXPECT_TRUE(nothing.start(backend()));
    EXPECT_EQ(nothing.result, -EBADF);
}

TEST_P(IoBackendTest, OperationsOutliveTheirBackend) {
    Pair pair = tcp_pair();
    Receive receive(pair.first);
    StreamReceive stream(pair.second, true);
    EXPECT_FALSE(receive.start(backend()));
    EXPECT_FALSE(stream.start(backend()));
    pair.first.put("x");
    EXPECT_TRUE(names(stream));
    backend_.reset();
    EXPECT_FALSE(receive.is_waiting());
    EXPECT_FALSE(stream.is_waiting());
}

TEST_P(IoBackendTest, LeavesNoDescriptorOpen) {
    auto count = [] {
        int open = 0;
        for (int fd = 0; fd < 256; ++fd) open += ::fcntl(fd, F_GETFD) >= 0;
        return open;
    };
    backend_.reset();
    int before = count();
    {
        std::unique_ptr<IoBackend> other =
            make_io_backend(std::string(GetParam()) == "epoll" ? IoBackendKind::epoll : IoBackendKind::io_uring);
        std::vector<IoEvent> events;
        other->wait(std::chrono::nanoseconds(1), events);
        EXPECT_GT(count(), before);
    }
    EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace asyncio::detail
