#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/socket_address.h>
#include <asyncio/net/socket_waiter.h>
#include <asyncio/net/waiter_call.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

/// What `sock_recvfrom()` gives.
struct ReceivedFrom {
    std::string data;
    SocketAddress address;
};
/// What `sock_recvfrom_into()` gives.
struct ReceivedFromInto {
    std::size_t size = 0;
    SocketAddress address;
};
/// What `sock_accept()` gives.
struct Accepted {
    Socket conn;
    SocketAddress address;
};

/// The keyword arguments of `sock_sendfile()`.
struct SendfileOptions {
    bool fallback = true;  ///< read and send where the kernel's sendfile() cannot
};

/// The kernel's sendfile() cannot do this, and no fallback was wanted. Python: asyncio.SendfileNotAvailableError.
class SendfileNotAvailableError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
};

namespace detail {

class [[nodiscard]] [[gnu::warn_unused]] RecvWaiter final : public SocketWaiter {
public:
    RecvWaiter(Ref<SocketState> socket, std::size_t most) noexcept;
    std::string await_resume() {
        check_outcome();
        return std::move(data_);
    }

private:
    void prepare() override;
    bool advance() override;
    bool check_arguments() override;
    std::size_t most_;
    std::string data_;
};

class [[nodiscard]] [[gnu::warn_unused]] RecvIntoWaiter final : public SocketWaiter {
public:
    RecvIntoWaiter(Ref<SocketState> socket, WritableBytes buffer) noexcept;
    std::size_t await_resume() {
        check_outcome();
        return static_cast<std::size_t>(operation().result);
    }

private:
    void prepare() noexcept override;
    bool check_arguments() override;
    WritableBytes buffer_;
};

class [[nodiscard]] [[gnu::warn_unused]] RecvFromWaiter final : public SocketWaiter {
public:
    RecvFromWaiter(Ref<SocketState> socket, std::size_t most) noexcept;
    ReceivedFrom await_resume() {
        check_outcome();
        return {std::move(data_), address_};
    }

private:
    void prepare() override;
    bool advance() override;
    std::size_t most_;
    std::string data_;
    SocketAddress address_;
};

class [[nodiscard]] [[gnu::warn_unused]] RecvFromIntoWaiter final : public SocketWaiter {
public:
    RecvFromIntoWaiter(Ref<SocketState> socket, WritableBytes buffer, std::size_t most) noexcept;
    ReceivedFromInto await_resume() {
        check_outcome();
        return {static_cast<std::size_t>(operation().result), address_};
    }

private:
    void prepare() noexcept override;
    bool advance() override;
    bool check_arguments() override;
    WritableBytes buffer_;
    std::size_t most_;
    SocketAddress address_;
};

/// Whether something to be sent waits for its turn, or is a part of something whose turn it is.
enum class SendTurn : bool { of_its_own, goes_on };

class [[nodiscard]] [[gnu::warn_unused]] SendAllWaiter final : public SocketWaiter {
public:
    SendAllWaiter(Ref<SocketState> socket, KeptBytes data, SendTurn turn = SendTurn::of_its_own) noexcept;
    void await_resume() { check_outcome(); }

private:
    void prepare() noexcept override;
    bool advance() override;
    KeptBytes data_;
    std::size_t sent_ = 0;
};

class [[nodiscard]] [[gnu::warn_unused]] SendToWaiter final : public SocketWaiter {
public:
    SendToWaiter(Ref<SocketState> socket, KeptBytes data, const SocketAddress& address) noexcept;
    std::size_t await_resume() {
        check_outcome();
        return static_cast<std::size_t>(operation().result);
    }

private:
    void prepare() noexcept override;
    KeptBytes data_;
    SocketAddress address_;
};

class [[nodiscard]] [[gnu::warn_unused]] AcceptWaiter final : public SocketWaiter {
public:
    explicit AcceptWaiter(Ref<SocketState> socket) noexcept;
    Accepted await_resume() {
        check_outcome();
        return {std::move(conn_), address_};
    }

private:
    void prepare() noexcept override;
    bool advance() override;
    Socket conn_;
    SocketAddress address_;
};

class [[nodiscard]] [[gnu::warn_unused]] ConnectWaiter final : public SocketWaiter {
public:
    ConnectWaiter(Ref<SocketState> socket, const SocketAddress& address) noexcept;
    bool await_ready() { return begin() && !must_try_again(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        SocketWaiter::await_suspend(frame);
        if (must_try_again()) [[unlikely]]
            try_later();
    }
    void await_resume() { check_outcome(); }

private:
    void prepare() noexcept override;
    [[noreturn]] void throw_error() const override;
    bool must_try_again() const noexcept;
    void try_later() noexcept;
    static void is_due(ReadyNode& node);
    SocketAddress address_;
    double delay_ = 0.001;
};

template <class Waiter, class... Args>
using SocketCall = WaiterCall<Waiter, Ref<SocketState>, Args...>;

Coro<> sock_connect_to_host(Ref<SocketState> socket, OwnedHost host, OwnedPort port);
Coro<std::size_t> sock_sendfile(Ref<SocketState> socket, int file, std::int64_t offset,
                                std::optional<std::int64_t> count, SendfileOptions options);

}  // namespace detail

// In all of these: what can succeed at once does not suspend. Several tasks may wait for one socket, and are served in
// the order in which they came. Cancelling ends the wait in the loop's next pass; what was not received yet is still
// there for the next. Throws OSError and those that derive from it, as ConnectionResetError. The socket must be one of
// this thread; if it is closed in the meantime they throw OSError (EBADF), if a stream has it RuntimeError. In debug
// mode ValueError if somebody has made it blocking.

/// Receives up to `size` bytes; nothing means that the other end has ended. Needs memory for what is there, however
/// large `size` is. Python: loop.sock_recv.
inline auto sock_recv(const Socket& sock, std::size_t size) {
    return detail::SocketCall<detail::RecvWaiter, std::size_t>(sock.state(), size);
}
/// Receives into `buffer`, which must stay until it is over, and gives how many bytes. Python: loop.sock_recv_into.
inline auto sock_recv_into(const Socket& sock, WritableBytes buffer) {
    return detail::SocketCall<detail::RecvIntoWaiter, WritableBytes>(sock.state(), buffer);
}
/// Receives one datagram, what is longer than `size` is cut off, and whom it is from. Python: loop.sock_recvfrom.
inline auto sock_recvfrom(const Socket& sock, std::size_t size) {
    return detail::SocketCall<detail::RecvFromWaiter, std::size_t>(sock.state(), size);
}
/// The same into a buffer, or into the first `nbytes` of it. ValueError if it is smaller. Python:
/// loop.sock_recvfrom_into.
inline auto sock_recvfrom_into(const Socket& sock, WritableBytes buffer, std::size_t nbytes = 0) {
    return detail::SocketCall<detail::RecvFromIntoWaiter, WritableBytes, std::size_t>(sock.state(), buffer, nbytes);
}
/// Sends all of the bytes, which must stay until it is over, or are kept if they are a string that is given away. After
/// an error or a cancellation nobody knows how many were sent. Python: loop.sock_sendall.
inline auto sock_sendall(const Socket& sock, BytesLike data) {
    return detail::SocketCall<detail::SendAllWaiter, detail::KeptBytes>(sock.state(), detail::KeptBytes(data));
}
inline auto sock_sendall(const Socket& sock, std::string&& data) {
    return detail::SocketCall<detail::SendAllWaiter, detail::KeptBytes>(sock.state(),
                                                                        detail::KeptBytes(std::move(data)));
}
inline auto sock_sendall(const Socket& sock, const char* data) { return sock_sendall(sock, BytesLike(data)); }
/// Sends one datagram and gives how many bytes it has. Python: loop.sock_sendto.
inline auto sock_sendto(const Socket& sock, BytesLike data, const SocketAddress& address) {
    return detail::SocketCall<detail::SendToWaiter, detail::KeptBytes, SocketAddress>(sock.state(),
                                                                                      detail::KeptBytes(data), address);
}
inline auto sock_sendto(const Socket& sock, std::string&& data, const SocketAddress& address) {
    return detail::SocketCall<detail::SendToWaiter, detail::KeptBytes, SocketAddress>(
        sock.state(), detail::KeptBytes(std::move(data)), address);
}
inline auto sock_sendto(const Socket& sock, const char* data, const SocketAddress& address) {
    return sock_sendto(sock, BytesLike(data), address);
}
/// Connects. A unix socket whose server's line is full waits for a place in it.
///
/// Throws ConnectionRefusedError and the like, with the address in the text. A host that is a name is looked up
/// as by `getaddrinfo()`, and its first address taken. Cancelled, the socket may be connected later all the same.
/// Python: loop.sock_connect.
inline auto sock_connect(const Socket& sock, const SocketAddress& address) {
    return detail::SocketCall<detail::ConnectWaiter, SocketAddress>(sock.state(), address);
}
inline Coro<> sock_connect(const Socket& sock, Host host, Port port) {
    return detail::sock_connect_to_host(sock.state(), detail::OwnedHost(host), detail::OwnedPort(port));
}
/// Accepts a connection on a listening socket: `conn`, a new Socket, and the `address` of the other end. A connection
/// that a cancelled accept has not taken is the next one's. Python: loop.sock_accept.
inline auto sock_accept(const Socket& sock) { return detail::SocketCall<detail::AcceptWaiter>(sock.state()); }

/// Sends a file, given by its descriptor, from `offset` on, up to `count` bytes or to its end, and gives how many bytes
/// it sent. The kernel does it; where it cannot, as with a file that is no regular one, the file is read on a thread
/// and sent. Leaves the file's position behind what was sent.
///
/// ValueError for a socket that is no stream, and for negative numbers; SendfileNotAvailableError, without the
/// fallback, where the kernel cannot. Cancelled, a part of the file may have been sent. Python: loop.sock_sendfile.
inline Coro<std::size_t> sock_sendfile(const Socket& sock, int file, std::int64_t offset = 0,
                                       std::optional<std::int64_t> count = std::nullopt, SendfileOptions options = {}) {
    return detail::sock_sendfile(sock.state(), file, offset, count, options);
}

}  // namespace asyncio
