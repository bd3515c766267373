#pragma once

#include "loop/choose_backend.h"

#include <asyncio/loop/io_backend.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// A descriptor that closes itself, with a serial number as the library's own have.
class OwnedFd {
public:
    explicit OwnedFd(int fd) : descriptor{fd, next_descriptor_serial()} { EXPECT_GE(fd, 0) << std::strerror(errno); }
    OwnedFd(OwnedFd&& other) noexcept : descriptor(std::exchange(other.descriptor, IoDescriptor{})) {}
    ~OwnedFd() { close(); }
    void close() {
        if (descriptor.fd >= 0) ::close(std::exchange(descriptor.fd, -1));
    }
    int fd() const { return descriptor.fd; }
    void put(const std::string& text) const {
        EXPECT_EQ(::send(fd(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    }
    std::string take(std::size_t most = 100) const {
        std::string text(most, '\0');
        ssize_t size = ::recv(fd(), text.data(), most, MSG_DONTWAIT);
        text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return text;
    }

    IoDescriptor descriptor;
};

struct Pair {
    OwnedFd first;
    OwnedFd second;
};

inline Pair unix_pair(int type = SOCK_STREAM) {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}

/// A socket that listens on a port of the loopback interface, and its address.
struct Listener {
    explicit Listener(int backlog = 10) : socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        if (backlog > 0) {
            EXPECT_EQ(::listen(socket.fd(), backlog), 0);
        }
    }
    OwnedFd connect() {
        OwnedFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::fcntl(client.fd(), F_SETFL, O_NONBLOCK), 0);
        return client;
    }
    OwnedFd socket;
    sockaddr_in address = {};
    socklen_t size = sizeof address;
};

inline Pair tcp_pair() {
    Listener listener;
    OwnedFd client = listener.connect();
    OwnedFd server(::accept4(listener.socket.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return {std::move(client), std::move(server)};
}

/// A receive into a buffer of its own.
struct Receive : IoOperation {
    explicit Receive(const OwnedFd& from, std::size_t room = 100) : IoOperation(IoCall::receive), buffer(room, '\0') {
        descriptor = from.descriptor;
        data = buffer.data();
        size = room;
    }
    std::string text() const { return result > 0 ? buffer.substr(0, static_cast<std::size_t>(result)) : ""; }
    std::string buffer;
};

/// As a stream does it: not tried at once, and again and again.
struct StreamReceive : Receive {
    StreamReceive(const OwnedFd& from, bool tcp, std::size_t room = 100) : Receive(from, room) {
        at_once = false;
        repeats = tells_empty = true;
        is_tcp = tcp;
    }
};

struct Send : IoOperation {
    Send(const OwnedFd& to, std::string what) : IoOperation(IoCall::send), text(std::move(what)) {
        descriptor = to.descriptor;
        data = text.data();
        size = text.size();
    }
    std::string text;
};

/// As many bytes as fit.
inline std::size_t fill(const OwnedFd& socket) {
    std::string block(65536, ' ');
    std::size_t size = 0;
    ssize_t sent = 0;
    while ((sent = ::send(socket.fd(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT)) > 0) {
        size += static_cast<std::size_t>(sent);
    }
    while (::send(socket.fd(), block.data(), 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) ++size;
    return size;
}

/// All that is there.
inline std::size_t empty(const OwnedFd& socket) {
    std::string block(65536, ' ');
    std::size_t size = 0;
    ssize_t got = 0;
    while ((got = ::recv(socket.fd(), block.data(), block.size(), MSG_DONTWAIT)) > 0) {
        size += static_cast<std::size_t>(got);
    }
    return size;
}

/// Runs a test with each backend of the library.
class IoBackendTest : public testing::TestWithParam<const char*> {
protected:
    IoBackendTest()
        : backend_(
              make_io_backend(std::string(GetParam()) == "epoll" ? IoBackendKind::epoll : IoBackendKind::io_uring)) {}
    void SetUp() override {
        if (backend().name() != GetParam()) GTEST_SKIP() << "there is no " << GetParam() << " here";
    }
    IoBackend& backend() { return *backend_; }

    /// What one wait names: operations are pushed out of the loop's queue, as the loop would do.
    std::vector<IoEvent> wait(std::chrono::nanoseconds timeout = std::chrono::nanoseconds(0)) {
        std::vector<IoEvent> events;
        backend().wait(timeout, events);
        return events;
    }
    /// Whether one of the next waits names this operation and nothing else.
    bool names(IoOperation& operation) {
        for (int i = 0; i < 20; ++i) {
            std::vector<IoEvent> events = wait(std::chrono::milliseconds(50));
            if (events.empty()) continue;
            return events.size() == 1 && events[0].operation == &operation;
        }
        return false;
    }
    bool names_nothing() {
        for (int i = 0; i < 3; ++i) {
            if (!wait().empty()) return false;
        }
        return true;
    }

    std::unique_ptr<IoBackend> backend_;
};

}  // namespace asyncio::detail
