#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/socket_address.h>

#include <cstdint>
#include <string>
#include <type_traits>
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
    /// Gives the number of bytes that the system has written.
    std::size_t getsockopt(int level, int name, void* value, std::size_t size) const;
    void setsockopt(int level, int name, const void* value, std::size_t size) const;
    void shutdown(Shut how) const;
    void bind(const SocketAddress& address) const;
    void listen(int backlog) const;
    /// `fd=3, family=2, type=1, proto=0, laddr=('127.0.0.1', 80)`
    std::string describe() const;

private:
    unsigned references_ = 0;
};

/// What an option of a socket can be beside bytes: an int, or one of the system's structs, which are aggregates: a
/// duration, a span, an optional would be sent as they lie in memory.
template <class Value>
concept SocketOption = std::is_same_v<Value, int> ||
    (std::is_class_v<Value>&& std::is_aggregate_v<Value>&& std::is_trivially_copyable_v<Value> &&
     !std::is_convertible_v<const Value&, BytesLike>);

namespace bases {

/// What a Socket and a TransportSocket have in common.
class SocketMethods {
public:
    SocketMethods() noexcept = default;
    explicit SocketMethods(Ref<SocketState> state) noexcept : state_(std::move(state)) {}

    /// -1 without a descriptor, and when it is closed.
    int fileno() const noexcept { return state_ ? state_->fd : -1; }
    /// What it was made with; UNSPEC of an empty one. Python: sock.family.
    AddressFamily family() const noexcept { return state_ ? state_->family : AddressFamily::UNSPEC; }
    /// STREAM, DGRAM …; ANY of an empty one. Python: sock.type.
    SocketKind type() const noexcept { return state_ ? state_->kind : SocketKind::ANY; }
    /// The protocol's number; 0 of an empty one. Python: sock.proto.
    int proto() const noexcept { return state_ ? state_->proto : 0; }

    /// Its own address. Throws OSError. Python: sock.getsockname().
    SocketAddress getsockname() const { return open().getsockname(); }
    /// The other end's. Throws OSError if it is not connected. Python: sock.getpeername().
    SocketAddress getpeername() const { return open().getpeername(); }
    /// An int, or a struct: `getsockopt<linger>(SOL_SOCKET, SO_LINGER)`. What the system does not fill is zero.
    template <SocketOption Value = int>
    Value getsockopt(int level, int name) const {
        Value value{};
        open().getsockopt(level, name, &value, sizeof value);
        return value;
    }
    /// Its first `buflen` bytes, up to 1024; OSError for more.
    std::string getsockopt(int level, int name, std::size_t buflen) const;
    /// An int, bytes, or a struct of the system's. Throws OSError. Python: sock.setsockopt().
    void setsockopt(int level, int name, int value) const { open().setsockopt(level, name, &value, sizeof value); }
    void setsockopt(int level, int name, BytesLike value) const {
        open().setsockopt(level, name, value.data(), value.size());
    }
    template <SocketOption Value>
    requires std::is_class_v<Value>
    void setsockopt(int level, int name, const Value& value) const {
        open().setsockopt(level, name, &value, sizeof value);
    }
    /// Ends one direction, or both, while the descriptor stays. Throws OSError. Python: sock.shutdown().
    void shutdown(Shut how) const { open().shutdown(how); }

protected:
    SocketState& open() const;
    Ref<SocketState> state_;
};

}  // namespace bases
}  // namespace detail

/// An endpoint of communication: owns a descriptor, which is non-blocking and closed on exec.
///
/// Closed by its destructor. Operations of tasks that wait for it then end with OSError (EBADF), if that is while their
/// loop runs, in its thread; what others have sent and nobody has received is dropped. Can be moved to another thread,
/// and be used by one at a time. Its methods do not wait; what waits are the `sock_…()` functions. All throw OSError.
///
/// Constants of levels and options are in the system's `<sys/socket.h>`. Python: socket.socket.
class Socket : public detail::bases::SocketMethods {
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
    /// Gives it an address of its own. Throws OSError. Python: sock.bind().
    void bind(const SocketAddress& address) { open().bind(address); }
    /// Lets others connect; so many may wait to be accepted. Throws OSError. Python: sock.listen().
    void listen(int backlog = 128) { open().listen(backlog); }
    /// Nothing if it is closed already.
    void close() noexcept {
        if (state_) state_->close();
    }
    /// Gives the descriptor away and has none any more.
    int detach() noexcept { return state_ ? state_->detach() : -1; }
    void swap(Socket& other) noexcept { state_.swap(other.state_); }

    /// For the library.
    const detail::Ref<detail::SocketState>& state() const noexcept { return state_; }
    /// For the library.
    detail::Ref<detail::SocketState> release() noexcept { return std::move(state_); }
    explicit Socket(detail::Ref<detail::SocketState> state) noexcept : SocketMethods(std::move(state)) {}
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
class TransportSocket : public detail::bases::SocketMethods {
public:
    using SocketMethods::SocketMethods;

    explicit operator bool() const noexcept { return static_cast<bool>(state_); }

private:
    friend std::string repr(const TransportSocket& socket);
};

/// `<asyncio.TransportSocket fd=8, family=2, type=1, proto=6, laddr=('127.0.0.1', 80)>`, as Python prints it.
std::string repr(const TransportSocket& socket);

}  // namespace asyncio
