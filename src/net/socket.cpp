#include <asyncio/net/socket.h>

#include "loop/loop_core.h"

#include <asyncio/errors/os_errors.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace asyncio {
namespace detail {

static_assert(static_cast<int>(Shut::RD) == SHUT_RD && static_cast<int>(Shut::WR) == SHUT_WR &&
              static_cast<int>(Shut::RDWR) == SHUT_RDWR);

namespace {

/// The loop that runs in this thread may have operations on it, or know it from earlier.
void announce_close(int fd, std::uint32_t serial) noexcept {
    if (LoopCore* loop = running_core_or_null()) loop->io().closing({fd, serial});
}

}  // namespace

SocketState::SocketState(int the_fd, AddressFamily the_family, SocketKind the_kind, int the_proto) noexcept
    : fd(the_fd), serial(next_descriptor_serial()), family(the_family), kind(the_kind), proto(the_proto) {}

void SocketState::close() noexcept {
    if (fd < 0) return;
    announce_close(fd, serial);
    ::close(std::exchange(fd, -1));
}

int SocketState::detach() noexcept {
    if (fd >= 0) announce_close(fd, serial);
    return std::exchange(fd, -1);
}

bool SocketState::is_byte_stream() const noexcept {
    return kind == SocketKind::STREAM && (is_tcp() || family == AddressFamily::UNIX);
}

bool SocketState::is_tcp() const noexcept {
    bool is_internet = family == AddressFamily::INET || family == AddressFamily::INET6;
    return is_internet && kind == SocketKind::STREAM && (proto == 0 || proto == IPPROTO_TCP);
}

namespace {

template <class Function>
SocketAddress ask_name(Function function, int fd) {
    SocketAddress address;
    socklen_t size = SocketAddress::capacity;
    if (function(fd, static_cast<sockaddr*>(address.native_room()), &size) != 0) throw_os_error(errno);
    address.set_native_size(size);
    return address;
}

}  // namespace

SocketAddress SocketState::getsockname() const { return ask_name(::getsockname, fd); }
SocketAddress SocketState::getpeername() const { return ask_name(::getpeername, fd); }

std::size_t SocketState::getsockopt(int level, int name, void* value, std::size_t size) const {
    if (size > INT_MAX) throw_os_error(EINVAL);
    auto length = static_cast<socklen_t>(size);
    if (::getsockopt(fd, level, name, value, &length) != 0) throw_os_error(errno);
    return std::min<std::size_t>(length, size);
}

std::string bases::SocketMethods::getsockopt(int level, int name, std::size_t buflen) const {
    if (buflen == 0 || buflen > 1024) throw OSError("getsockopt buflen out of range");
    std::string bytes(buflen, '\0');
    bytes.resize(open().getsockopt(level, name, bytes.data(), bytes.size()));
    return bytes;
}

SocketState& bases::SocketMethods::open() const {
    if (!state_) throw_os_error(EBADF);
    return *state_;
}

void SocketState::setsockopt(int level, int name, const void* value, std::size_t size) const {
    if (size > INT_MAX) throw_os_error(EINVAL);
    if (::setsockopt(fd, level, name, value, static_cast<socklen_t>(size)) != 0) throw_os_error(errno);
}

void SocketState::shutdown(Shut how) const {
    if (::shutdown(fd, static_cast<int>(how)) != 0) throw_os_error(errno);
}

void SocketState::bind(const SocketAddress& address) const {
    if (::bind(fd, static_cast<const sockaddr*>(address.native()), address.native_size()) != 0) throw_os_error(errno);
}

void SocketState::listen(int backlog) const {
    if (::listen(fd, backlog < 0 ? 0 : backlog) != 0) throw_os_error(errno);
}

std::string SocketState::describe() const {
    std::string text = "fd=" + std::to_string(fd) + ", family=" + std::to_string(static_cast<int>(family)) +
                       ", type=" + std::to_string(static_cast<int>(kind)) + ", proto=" + std::to_string(proto);
    if (fd < 0) return text;
    auto add = [&](const char* label, auto function) {
        try {
            SocketAddress address = ask_name(function, fd);
            if (address.family() == AddressFamily::UNIX && address.path().empty()) return;
            text += label + repr(address);
        } catch (const OSError&) {
        }
    };
    add(", laddr=", ::getsockname);
    add(", raddr=", ::getpeername);
    return text;
}

}  // namespace detail

Socket::Socket(AddressFamily family, SocketKind kind, int proto) {
    int fd = ::socket(static_cast<int>(family), static_cast<int>(kind) | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);
    if (fd < 0) throw_os_error(errno);
    *this = detail::socket_of(fd, family, kind, proto);
}

Socket detail::socket_of(int fd, AddressFamily family, SocketKind kind, int proto) {
    try {
        return Socket(Ref<SocketState>(new SocketState(fd, family, kind, proto)));
    } catch (...) {
        ::close(fd);
        throw;
    }
}

Socket Socket::from_fd(int fd) {
    auto ask = [fd](int name) {
        int value = 0;
        socklen_t size = sizeof value;
        if (::getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0) throw_os_error(errno);
        return value;
    };
    auto family = static_cast<AddressFamily>(ask(SO_DOMAIN));
    auto kind = static_cast<SocketKind>(ask(SO_TYPE));
    int proto = ask(SO_PROTOCOL);
    int flags = ::fcntl(fd, F_GETFL);
    bool done = flags >= 0 && ((flags & O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    if (!done || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) throw_os_error(errno);
    return Socket(detail::Ref<detail::SocketState>(new detail::SocketState(fd, family, kind, proto)));
}

std::pair<Socket, Socket> socketpair(AddressFamily family, SocketKind kind) {
    int fds[2];
    int type = static_cast<int>(kind) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (::socketpair(static_cast<int>(family), type, 0, fds) != 0) throw_os_error(errno);
    Socket one;
    try {
        one = detail::socket_of(fds[0], family, kind, 0);
    } catch (...) {
        ::close(fds[1]);
        throw;
    }
    return {std::move(one), detail::socket_of(fds[1], family, kind, 0)};
}

std::string repr(const Socket& socket) {
    if (!socket.state()) return "<socket.socket [closed] fd=-1>";
    return std::string("<socket.socket ") + (socket ? "" : "[closed] ") + socket.state()->describe() + ">";
}

std::string repr(const TransportSocket& socket) {
    if (!socket) return "None";
    return "<asyncio.TransportSocket " + socket.state_->describe() + ">";
}

}  // namespace asyncio
