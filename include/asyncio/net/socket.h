#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/socket_address.h>

#include <cstdint>
#include <string>
#include <utility>

namespace asyncio {

/// Which direction `shutdown()` ends. Python: socket.SHUT_RD and its like, which are macros in C.
enum class Shut : int { RD = 0, WR = 1, RDWR = 2 };

namespace detail {

/// A socket's descriptor, shared by its Socket and by those who use it: they find it closed, and never another that got
/// its number.
class SocketState : public Pooled {
public:
    SocketState(int fd, AddressFamily family, SocketKind kind, int proto) noexcept;
    ~SocketState() { close(); }
    SocketState(const SocketState&) = delete;
    SocketState& operator=(const SocketState&) = delete;

    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
    }
    void close() noexcept;
    int detach() noexcept;

    int fd;  ///< -1 when it is closed
    const std::uint32_t serial;
    const AddressFamily family;
    const SocketKind kind;
    const int proto;

    bool is_byte_stream() const noexcept;
    bool is_tcp() const noexcept;
    SocketAddress getsockname() const;
    SocketAddress getpeername() const;
    int getsockopt(int level, int name) const;
    void setsockopt(int level, int name, const void* value, std::size_t size) const;
    void shutdown(Shut how) const;
    void bind(const SocketAddress& address) const;
    void listen(int backlog) const;
    /// `fd=3, family=2, type=1, proto=0, laddr=('127.0.0.1', 80)`
    std::string describe() const;

private:
    unsigned references_ = 0;
};

}  // namespace detail

/// An endpoint of communication: owns a descriptor, which is non-blocking and closed on exec.
///
/// Closed by its destructor. Operations of tasks that wait for it then end with OSError (EBADF), if that is while their
/// loop runs, in its thread; what others have sent and nobody has received is dropped. Can be moved to another thread,
/// and be used by one at a time. Its methods do not wait; what waits are the `sock_…()` functions. All throw OSError.
///
/// Constants of levels and options are in the system's `<sys/socket.h>`. Python: socket.socket.
class Socket {
public:
    /// Without a descriptor: `fileno()` is -1.
    Socket() noexcept = default;
    explicit Socket(AddressFamily family, SocketKind kind = SocketKind::STREAM, int proto = 0);
    /// Takes over a descriptor, which it makes non-blocking. Python: `socket.socket(fileno=fd)`.
    static Socket from_fd(int fd);
    Socket(Socket&&) noexcept = default;
    Socket& operator=(Socket&& other) noexcept {
        Socket(std::move(other)).swap(*this);
        return *this;
    }
    ~Socket() {
        if (state_) state_->close();
    }

    /// Whether it has a descriptor.
    explicit operator bool() const noexcept { return fileno() >= 0; }
    int fileno() const noexcept { return state_ ? state_->fd : -1; }
    AddressFamily family() const noexcept { return state_ ? state_->family : AddressFamily::UNSPEC; }
    SocketKind type() const noexcept { return state_ ? state_->kind : SocketKind::ANY; }
    int proto() const noexcept { return state_ ? state_->proto : 0; }

    void bind(const SocketAddress& address) { open().bind(address); }
    void listen(int backlog = 128) { open().listen(backlog); }
    SocketAddress getsockname() const { return open().getsockname(); }
    SocketAddress getpeername() const { return open().getpeername(); }
    int getsockopt(int level, int name) const { return open().getsockopt(level, name); }
    void setsockopt(int level, int name, int value) { open().setsockopt(level, name, &value, sizeof value); }
    void setsockopt(int level, int name, BytesLike value) {
        open().setsockopt(level, name, value.data(), value.size());
    }
    void shutdown(Shut how) { open().shutdown(how); }
    /// Nothing if it is closed already.
    void close() noexcept {
        if (state_) state_->close();
    }
    /// Gives the descriptor away and has none any more.
    int detach() noexcept { return state_ ? state_->detach() : -1; }
    void swap(Socket& other) noexcept { state_.swap(other.state_); }

    /// For the library.
    const detail::Ref<detail::SocketState>& state() const noexcept { return state_; }
    detail::Ref<detail::SocketState> release() noexcept { return std::move(state_); }
    explicit Socket(detail::Ref<detail::SocketState> state) noexcept : state_(std::move(state)) {}

private:
    detail::SocketState& open() const;
    detail::Ref<detail::SocketState> state_;
};

namespace detail {
/// Takes over a descriptor that is known to be such a socket; closes it if there is no memory.
Socket socket_of(int fd, AddressFamily family, SocketKind kind, int proto);
}  // namespace detail

/// Two sockets that are connected to each other. Python: socket.socketpair.
std::pair<Socket, Socket> socketpair(AddressFamily family = AddressFamily::UNIX, SocketKind kind = SocketKind::STREAM);

/// `<socket.socket fd=3, family=2, type=1, proto=0, laddr=('127.0.0.1', 80)>`, as Python prints it.
std::string repr(const Socket& socket);

/// The socket under a stream or a server, to look at and to set its options; the stream closes it.
/// Copies name the same one. Python: asyncio.TransportSocket.
class TransportSocket {
public:
    TransportSocket() noexcept = default;
    explicit TransportSocket(detail::Ref<detail::SocketState> state) noexcept : state_(std::move(state)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(state_); }
    /// -1 when it is closed.
    int fileno() const noexcept { return state_ ? state_->fd : -1; }
    AddressFamily family() const noexcept { return state_ ? state_->family : AddressFamily::UNSPEC; }
    SocketKind type() const noexcept { return state_ ? state_->kind : SocketKind::ANY; }
    int proto() const noexcept { return state_ ? state_->proto : 0; }
    SocketAddress getsockname() const { return open().getsockname(); }
    SocketAddress getpeername() const { return open().getpeername(); }
    int getsockopt(int level, int name) const { return open().getsockopt(level, name); }
    void setsockopt(int level, int name, int value) const { open().setsockopt(level, name, &value, sizeof value); }
    void setsockopt(int level, int name, BytesLike value) const {
        open().setsockopt(level, name, value.data(), value.size());
    }
    void shutdown(Shut how) const { open().shutdown(how); }

private:
    friend std::string repr(const TransportSocket& socket);
    const detail::SocketState& open() const;
    detail::Ref<detail::SocketState> state_;
};

/// `<asyncio.TransportSocket fd=8, family=2, type=1, proto=6, laddr=('127.0.0.1', 80)>`, as Python prints it.
std::string repr(const TransportSocket& socket);

}  // namespace asyncio
