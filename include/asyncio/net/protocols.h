#pragma once

#include <asyncio/detail/counted.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/socket_address.h>
#include <asyncio/net/transports.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace asyncio {

/// What stands on a transport and is told what happens to it: the base of all protocols.
///
/// The transport keeps it until the connection is over, and whoever has a `ProtocolRef` of it does; the last one
/// destroys it. All of its methods are called on the loop's thread, in the context in which the connection was made.
///
/// A method that throws does not stop the loop: the exception handler is told, and where that leaves the connection
/// useless it is closed. Python: asyncio.BaseProtocol, but `connection_made()` is declared by those that derive from
/// it, each with its own kind of transport.
class BaseProtocol : public detail::Counted {
public:
    ~BaseProtocol() override;

    /// The connection is over, by this error, or null if it was closed. Called once, and last. What it throws is told.
    virtual void connection_lost(std::exception_ptr error);
    /// More is kept to be sent than the high-water mark. Called inside `write()`. What it throws is told.
    virtual void pause_writing();
    /// No more is kept than the low-water mark. What it throws is told.
    virtual void resume_writing();

    /// For the library.
    enum class Kind : std::uint8_t { protocol, buffered, datagram, stream, subprocess };
    Kind kind() const noexcept { return kind_; }

    /// The transport lets go of it. The only thing that is told when the loop is closed.
    virtual void detached() noexcept {}

protected:
    explicit BaseProtocol(Kind kind) noexcept : kind_(kind) {}
    /// One more reference of this protocol, which `make_protocol()` or a factory has made: `ref_of(this)`.
    template <class P>
    static ProtocolRef<P> ref_of(P* self) noexcept {
        return detail::Ref<P>(self);
    }

private:
    const Kind kind_;
};

/// A protocol over a stream of bytes: derive from it, and override what you need.
///
/// The order is `connection_made()`, any number of `data_received()`, perhaps `eof_received()`, `connection_lost()`.
/// ```cpp
/// class Echo : public asyncio::Protocol {
///     void connection_made(asyncio::Transport transport) override { transport_ = transport; }
///     void data_received(std::string_view data) override { transport_.write(data); }
///     asyncio::Transport transport_;
/// };
/// ```
/// Python: asyncio.Protocol.
class Protocol : public BaseProtocol {
public:
    Protocol() noexcept : BaseProtocol(Kind::protocol) {}

    /// What it throws is told, and the connection goes on.
    virtual void connection_made(Transport transport);
    /// The bytes are gone when it returns. What it throws ends the connection.
    virtual void data_received(std::string_view data);
    /// The other end sends no more. False: then the transport closes itself. What it throws ends the connection.
    virtual bool eof_received();

protected:
    explicit Protocol(Kind kind) noexcept : BaseProtocol(kind) {}
};

/// A protocol over a stream of bytes that says where they are to be received. Python: asyncio.BufferedProtocol.
class BufferedProtocol : public BaseProtocol {
public:
    BufferedProtocol() noexcept : BaseProtocol(Kind::buffered) {}

    /// As a Protocol's.
    virtual void connection_made(Transport transport);
    /// Where the next bytes are to be received. It has to stay until `buffer_updated()`, which is called at once, or
    /// not at all if nothing was there. `sizehint` is how large it should be, or -1. An empty one, or an exception,
    /// ends the connection.
    virtual WritableBytes get_buffer(std::ptrdiff_t sizehint) = 0;
    /// So many bytes were received there. What it throws ends the connection.
    virtual void buffer_updated(std::size_t nbytes) = 0;
    /// The other end sends no more. False: then the transport closes itself. What it throws ends the connection.
    virtual bool eof_received();
};

/// A protocol over datagrams. Python: asyncio.DatagramProtocol.
class DatagramProtocol : public BaseProtocol {
public:
    DatagramProtocol() noexcept : BaseProtocol(Kind::datagram) {}

    /// The endpoint is there. What it throws is told, and it goes on.
    virtual void connection_made(DatagramTransport transport);
    /// The bytes are gone when it returns.
    virtual void datagram_received(std::string_view data, const SocketAddress& address);
    /// A former send, or a receive, has failed: ConnectionRefusedError, for example.
    virtual void error_received(std::exception_ptr error);
};

/// Makes a protocol that is kept by whoever has a reference of it: `make_protocol<Mine>(arguments...)`.
template <class P, class... Args>
ProtocolRef<P> make_protocol(Args&&... args) {
    return detail::Ref<P>(new P(static_cast<Args&&>(args)...));
}

}  // namespace asyncio
