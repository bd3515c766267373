#include "os/io_calls.h"

#include "os/without_sigpipe.h"

#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <span>

namespace asyncio::detail {
namespace {

static_assert(sizeof(IoBuffer) == sizeof(iovec) && offsetof(IoBuffer, size) == offsetof(iovec, iov_len),
              "an array of IoBuffers is given to the kernel as iovecs");

constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

template <class Call>
std::int64_t without_interruption(Call call) noexcept {
    std::int64_t result = 0;
    do {
        result = call();
    } while (result < 0 && errno == EINTR);
    return result;
}

sockaddr* address_of(IoOperation& operation) noexcept { return static_cast<sockaddr*>(operation.address); }

std::int64_t receive(IoOperation& operation) noexcept {
    std::int64_t size = 0;
    bool nothing_but_bytes = true;
    if (operation.is_tcp || !operation.tells_empty) {
        size = without_interruption(
            [&] { return ::recv(operation.descriptor.fd, operation.data, operation.size, MSG_DONTWAIT); });
    } else {
        // A unix socket also stops at what was sent along with bytes, such as descriptors. They are dropped, and this
        // is how it tells.
        iovec part{operation.data, operation.size};
        msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        size = without_interruption([&] { return ::recvmsg(operation.descriptor.fd, &message, MSG_DONTWAIT); });
        nothing_but_bytes = (message.msg_flags & MSG_CTRUNC) == 0;
    }
    operation.emptied =
        operation.tells_empty && nothing_but_bytes && size > 0 && static_cast<std::size_t>(size) < operation.size;
    return size;
}

std::int64_t receive_from(IoOperation& operation) noexcept {
    socklen_t room = operation.address_size;
    std::int64_t size = without_interruption([&] {
        int flags = MSG_DONTWAIT | (operation.tells_size ? MSG_TRUNC : 0);
        return ::recvfrom(operation.descriptor.fd, operation.data, operation.size, flags, address_of(operation), &room);
    });
    if (size >= 0) operation.address_size = room;
    return size;
}

std::int64_t accept(IoOperation& operation) noexcept {
    socklen_t room = operation.address_size;
    std::int64_t fd = without_interruption([&] {
        return ::accept4(operation.descriptor.fd, address_of(operation), operation.address != nullptr ? &room : nullptr,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
    });
    if (fd >= 0) operation.address_size = room;
    return fd;
}

std::int64_t send(IoOperation& operation) noexcept {
    if (!operation.gathers) {
        return without_interruption(
            [&] { return ::send(operation.descriptor.fd, operation.data, operation.size, send_flags); });
    }
    msghdr message = {};
    message.msg_iov = static_cast<iovec*>(operation.data);
    message.msg_iovlen = std::min(operation.size, std::size_t{IOV_MAX});
    return without_interruption([&] { return ::sendmsg(operation.descriptor.fd, &message, send_flags); });
}

static_assert(sizeof(off_t) == 8);  // by _FILE_OFFSET_BITS, where a long has 32 bits

std::int64_t send_file(IoOperation& operation) noexcept {
    WithoutSigpipe without_sigpipe;
    off_t offset = operation.offset;
    return without_interruption(
        [&] { return ::sendfile(operation.descriptor.fd, operation.file, &offset, operation.size); });
}

std::int64_t connect(IoOperation& operation) noexcept {
    int fd = operation.descriptor.fd;
    if (!operation.begun) {
        int failed = ::connect(fd, address_of(operation), operation.address_size);
        // A unix socket that says EAGAIN has not begun to connect: the line of those who wait for accept() is full.
        operation.begun = failed != 0 && (errno == EINPROGRESS || errno == EINTR);
        if (operation.begun) errno = EAGAIN;
        return failed;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

std::int64_t look(int fd, short events) noexcept {
    pollfd entry{fd, events, 0};
    std::int64_t count = without_interruption([&] { return ::poll(&entry, 1, 0); });
    if (count > 0 && (entry.revents & POLLNVAL) != 0) {
        errno = EBADF;
        return -1;
    }
    if (count == 0) errno = EAGAIN;
    return count > 0 ? 0 : -1;
}

std::int64_t call(IoOperation& operation) noexcept {
    switch (operation.call) {
        case IoCall::readable:
            return look(operation.descriptor.fd, POLLIN);
        case IoCall::receive:
            return receive(operation);
        case IoCall::receive_from:
            return receive_from(operation);
        case IoCall::receive_many:
            return without_interruption([&] {
                return ::recvmmsg(operation.descriptor.fd, static_cast<mmsghdr*>(operation.data),
                                  static_cast<unsigned>(operation.size), MSG_DONTWAIT, nullptr);
            });
        case IoCall::accept:
            return accept(operation);
        case IoCall::writable:
            return look(operation.descriptor.fd, POLLOUT);
        case IoCall::send:
            return send(operation);
        case IoCall::send_to:
            return without_interruption([&] {
                return ::sendto(operation.descriptor.fd, operation.data, operation.size, send_flags,
                                address_of(operation), operation.address_size);
            });
        case IoCall::send_many:
            return without_interruption([&] {
                return ::sendmmsg(operation.descriptor.fd, static_cast<mmsghdr*>(operation.data),
                                  static_cast<unsigned>(operation.size), send_flags);
            });
        case IoCall::send_file:
            return send_file(operation);
        case IoCall::connect:
            return connect(operation);
    }
    errno = EINVAL;
    return -1;
}

}  // namespace

bool perform(IoOperation& operation) noexcept {
    std::int64_t result = call(operation);
    if (result >= 0) {
        operation.result = result;
        return true;
    }
    operation.result = -std::int64_t{errno};
    bool would_wait = errno == EAGAIN && (operation.call != IoCall::connect || operation.begun);
    return !would_wait;
}

bool was_cut_short(const IoOperation& operation) noexcept {
    if (operation.call != IoCall::send || operation.result < 0) return false;
    std::size_t wanted = operation.size;
    if (operation.gathers) {
        wanted = 0;
        for (const IoBuffer& part : std::span(static_cast<IoBuffer*>(operation.data), operation.size)) {
            wanted += part.size;
        }
    }
    return static_cast<std::size_t>(operation.result) < wanted;
}

bool is_lack_of_means_to_accept(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

bool lacked_means_to_accept(const IoOperation& operation) noexcept {
    return operation.call == IoCall::accept && is_lack_of_means_to_accept(static_cast<int>(-operation.result));
}

socklen_t peer_name(int fd, void* address, socklen_t room) noexcept {
    auto* name = static_cast<sockaddr*>(address);
    socklen_t size = room;
    if (::getpeername(fd, name, &size) == 0) return size;
    // Linux knows it still; but only who asks for no more than it has is told. Both ends have names of one size.
    size = room;
    if (::getsockname(fd, name, &size) != 0 || size > room) return 0;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, name, &size) == 0 ? size : 0;
}

}  // namespace asyncio::detail
