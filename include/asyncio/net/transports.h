#pragma once

#include <asyncio/detail/count.h>
#include <asyncio/detail/counted.h>
#include <asyncio/detail/far_ref.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/shared_bytes.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/socket_address.h>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

class BaseProtocol;
class EventLoop;
struct Datagram;

/// Keeps a protocol, as `std::shared_ptr` would: when the last one is gone the protocol is destroyed. Belongs to the
/// loop's thread. It comes from `make_protocol()`; a protocol makes one of itself by `ref_of(this)`.
template <class P = BaseProtocol>
class ProtocolRef : public detail::Ref<P> {
public:
    constexpr ProtocolRef() noexcept = default;
    constexpr ProtocolRef(decltype(nullptr)) noexcept {}
    template <class Q>
    requires std::is_convertible_v<Q*, P*> ProtocolRef(detail::Ref<Q> other)
    noexcept : detail::Ref<P>(static_cast<detail::Ref<Q>&&>(other)) {}
    template <class Q>
    requires std::is_convertible_v<Q*, P*>
    explicit ProtocolRef(Q*) {
        static_assert(!std::is_same_v<Q, Q>,
                      "a ProtocolRef destroys its protocol: make both by make_protocol<P>(arguments...); inside of a "
                      "protocol, ref_of(this) gives one of itself");
    }
};

/// What `get_extra_info()` gives: an address, a socket, a descriptor or something of TLS, or nothing, which tests
/// false.
class ExtraInfo {
public:
    ExtraInfo() noexcept = default;
    explicit ExtraInfo(const SocketAddress& address) noexcept : address_(address) {}
    explicit ExtraInfo(TransportSocket socket) noexcept : socket_(std::move(socket)) {}
    /// For the library.
    static ExtraInfo of_pipe(int fd) noexcept {
        ExtraInfo info;
        info.pipe_ = fd;
        return info;
    }
    explicit ExtraInfo(detail::Ref<detail::Counted> tls) noexcept : tls_(std::move(tls)) {}

    explicit operator bool() const noexcept { return address_ || socket_ || pipe_ >= 0 || tls_; }
    /// Of `"peername"` and `"sockname"`.
    const SocketAddress& address() const noexcept { return address_; }
    operator SocketAddress() const noexcept { return address_; }
    /// Of `"socket"`.
    const TransportSocket& socket() const noexcept { return socket_; }
    operator TransportSocket() const noexcept { return socket_; }
    /// Of `"pipe"`: its descriptor, -1 for others.
    int pipe() const noexcept { return pipe_; }
    /// For the library: an SSLObject is made of it.
    const detail::Ref<detail::Counted>& tls() const noexcept { return tls_; }

private:
    SocketAddress address_;
    TransportSocket socket_;
    int pipe_ = -1;
    detail::Ref<detail::Counted> tls_;
};

/// As Python prints it, a pipe by its number; `None` for nothing.
std::string repr(const ExtraInfo& info);

/// When a protocol is told to pause its writing, and `drain()` begins to wait, and when it goes on, in bytes.
struct WriteBufferLimits {
    std::size_t high = 0;
    std::size_t low = 0;
};

/// The keyword arguments of `set_write_buffer_limits()`.
struct WriteBufferOptions {
    std::optional<detail::Count> high = {};  ///< none: 64 KiB (512 by TLS), or four times `low`
    std::optional<detail::Count> low = {};   ///< none: a quarter of `high`
};

namespace detail {

class TransportState;

void add_handle(TransportState& transport) noexcept;
void drop_handle(TransportState& transport) noexcept;
/// Keeps what is known of a transport. The connection does not depend on it.
using TransportHandle = FarRef<TransportState>;

}  // namespace detail

/// What all transports can do. A handle: copies name the same transport, and when none is left the connection goes on.
///
/// A handle may be kept for as long as one likes: when the connection is over, and its loop closed, `close()` and the
/// like do nothing. Python: asyncio.BaseTransport.
class BaseTransport {
public:
    /// An empty handle, which tests false; its use throws RuntimeError.
    BaseTransport() noexcept = default;

    explicit operator bool() const noexcept { return transport_.get() != nullptr; }
    friend bool operator==(const BaseTransport& a, const BaseTransport& b) noexcept {
        return a.transport_.get() == b.transport_.get();
    }
    /// For sets and maps: in any order.
    friend bool operator<(const BaseTransport& a, const BaseTransport& b) noexcept {
        return hash_value(a) < hash_value(b);
    }
    friend std::size_t hash_value(const BaseTransport& a) noexcept {
        return reinterpret_cast<std::size_t>(a.transport_.get());
    }

    /// Sends what is kept, then closes. Nothing is received any more. The protocol's `connection_lost()` is called in a
    /// later pass of the loop, with null.
    void close() const;
    /// Whether it is closed, or about to be. Python: transport.is_closing().
    bool is_closing() const;
    /// `"peername"` and `"sockname"` are addresses, `"socket"` the socket under the transport. They stay what they were
    /// when it is closed. `"pipe"` is the descriptor of a pipe's transport, until that is over and the number others'.
    /// With TLS `"ssl_object"` is an SSLObject, and so is `"sslcontext"`, `"cipher"` and `"peercert"`, which it knows.
    /// Nothing for other names.
    ExtraInfo get_extra_info(std::string_view name) const;
    /// From now on this protocol is told what happens, and not that the connection was made. The former one goes when
    /// nobody keeps it. Nothing when the connection is over. Throws TypeError for one of another kind.
    void set_protocol(ProtocolRef<> protocol) const;
    /// Empty when the connection is over.
    ProtocolRef<> get_protocol() const;
    /// The same as a `P`; empty if it is none.
    template <class P>
    ProtocolRef<P> get_protocol() const {
        return detail::Ref<P>(dynamic_cast<P*>(get_protocol().get()));
    }

    /// For the library.
    explicit BaseTransport(detail::TransportState* transport) noexcept : transport_(transport) {}
    const detail::TransportHandle& handle() const;

protected:
    detail::TransportState& in_its_thread() const;  // for what changes something

private:
    friend std::string repr(const BaseTransport& transport);
    detail::TransportHandle transport_;
};

/// `<_SelectorSocketTransport fd=9 read=polling write=<idle, bufsize=0>>`, as Python prints it.
std::string repr(const BaseTransport& transport);

/// A transport that receives. Python: asyncio.ReadTransport.
class ReadTransport : public BaseTransport {
public:
    using BaseTransport::BaseTransport;

    /// Whether it receives: not when it is paused, nor when it is closing.
    bool is_reading() const;
    /// Holds the other end up: nothing is received until `resume_reading()`. Both may be called twice.
    void pause_reading() const;
    /// Receives again; nothing if it was not paused. Python: transport.resume_reading().
    void resume_reading() const;
};

/// A transport that sends. Python: asyncio.WriteTransport.
class WriteTransport : public BaseTransport {
public:
    using BaseTransport::BaseTransport;

    /// Sends at once what goes and keeps the rest, which goes as soon as there is room. Throws RuntimeError after
    /// `write_eof()`, and once `start_tls()` has been called. When the connection was lost it does nothing.
    void write(BytesLike data) const;
    /// The same of a string that is given away, `std::move(text)` or a temporary, or of what is shared: a large rest is
    /// kept as it is, and not copied. A string of which nothing has to be kept stays what it was.
    template <std::same_as<std::string> Text>
    void write(Text&& data) const {
        write_given(data);
    }
    template <std::same_as<SharedBytes> Bytes>
    void write(const Bytes& data) const {
        write_given(data);
    }
    /// The same for several pieces, in as few system calls as it takes.
    template <class Range = std::initializer_list<BytesLike>>
    void writelines(const Range& lines) const {
        std::vector<BytesLike> all;
        for (const auto& line : lines) all.emplace_back(line);
        write_all(all.data(), all.size());
    }
    /// Ends this direction when all that was written is sent; the other end reads an end then. Receiving goes on.
    void write_eof() const;
    /// False with TLS, which cannot. Python: transport.can_write_eof().
    bool can_write_eof() const;
    /// Closes at once, and drops what is kept.
    void abort() const;
    /// When the protocol's `pause_writing()` and `resume_writing()` are called. Throws ValueError if `low` is above
    /// `high`.
    void set_write_buffer_limits(WriteBufferOptions options = {}) const;
    /// In bytes. Python: transport.get_write_buffer_limits().
    WriteBufferLimits get_write_buffer_limits() const;
    /// How many bytes are kept.
    std::size_t get_write_buffer_size() const;

private:
    void write_given(std::string& data) const;
    void write_given(const SharedBytes& data) const;
    void write_all(const BytesLike* lines, std::size_t count) const;
};

/// Both directions of a connection, as a `Protocol` is told of it. Python: asyncio.Transport.
class Transport : public WriteTransport {
public:
    using WriteTransport::WriteTransport;

    /// As a ReadTransport's.
    bool is_reading() const { return reading().is_reading(); }
    /// As a ReadTransport's.
    void pause_reading() const { reading().pause_reading(); }
    /// As a ReadTransport's.
    void resume_reading() const { reading().resume_reading(); }
    operator ReadTransport() const { return reading(); }

private:
    ReadTransport reading() const;
};

/// Datagrams to and from elsewhere, as a `DatagramProtocol` is told of them. Python: asyncio.DatagramTransport.
class DatagramTransport : public BaseTransport {
public:
    using BaseTransport::BaseTransport;

    /// Sends one datagram, to the address or to the one that the endpoint was made for, or keeps it until there is
    /// room. It may be empty.
    void sendto(BytesLike data) const;
    void sendto(BytesLike data, const SocketAddress& address) const;
    /// The same for several, in as few calls of the system as it takes. New here.
    void send_batch(std::span<const Datagram> datagrams) const;
    /// Sends the data as datagrams of this size, the last may be shorter: where the kernel can by UDP GSO, which cuts
    /// them late. New here.
    void send_segments(BytesLike data, std::size_t segment_size) const;
    void send_segments(BytesLike data, std::size_t segment_size, const SocketAddress& address) const;
    /// Closes at once, and drops what is kept.
    void abort() const;
    /// As a WriteTransport's.
    void set_write_buffer_limits(WriteBufferOptions options = {}) const;
    /// In bytes. Python: transport.get_write_buffer_limits().
    WriteBufferLimits get_write_buffer_limits() const;
    /// How many bytes are kept.
    std::size_t get_write_buffer_size() const;
};

}  // namespace asyncio

template <class Handle>
requires std::is_base_of_v<asyncio::BaseTransport, Handle>
struct std::hash<Handle> {
    std::size_t operator()(const Handle& handle) const noexcept { return hash_value(handle); }
};
