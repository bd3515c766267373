#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/net/datagrams.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/socket_address.h>
#include <asyncio/net/transports.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {

/// A host and a port, the path of a unix socket, an abstract one if its first byte is zero, or what a SocketAddress
/// says; or None. It is a view: what it is made of has to live until the call. Python: the tuples and strings of
/// `create_datagram_endpoint()`.
class EndpointAddress {
public:
    constexpr EndpointAddress() noexcept = default;
    // Templates, so that a 0 is no null pointer here, and {"127.0.0.1", 0} an address and not the options.
    template <std::same_as<decltype(nullptr)> Null>
    constexpr EndpointAddress(Null) noexcept {}
    constexpr EndpointAddress(std::nullopt_t) noexcept {}
    constexpr EndpointAddress(Host host, Port port) noexcept : host_port_(host, port) {}
    constexpr EndpointAddress(HostPort host_port) noexcept : host_port_(host_port) {}
    template <class Text>
    requires(std::is_convertible_v<Text, const char*> &&
             !std::is_same_v<Text, decltype(nullptr)>) constexpr EndpointAddress(Text path)
        : path_(static_cast<const char*>(path)), is_path_(true) {}
    constexpr EndpointAddress(std::string_view path) noexcept : path_(path), is_path_(true) {}
    EndpointAddress(const std::string& path) noexcept : path_(path), is_path_(true) {}
    EndpointAddress(const SocketAddress& address) noexcept : address_(address ? &address : nullptr) {}

    /// An empty path is none, as in Python.
    constexpr explicit operator bool() const noexcept { return host_port_ || !path_.empty() || address_ != nullptr; }
    /// Whether it is a unix socket's path.
    constexpr bool is_path() const noexcept { return is_path_; }
    /// Where it is none's.
    constexpr HostPort host_port() const noexcept { return host_port_; }
    /// Where it is a path; else empty.
    constexpr std::string_view path() const noexcept { return path_; }
    /// None's, if it was not given as one.
    SocketAddress address() const noexcept { return address_ != nullptr ? *address_ : SocketAddress(); }

private:
    HostPort host_port_;
    std::string_view path_;
    const SocketAddress* address_ = nullptr;
    bool is_path_ = false;
};

/// A transport for datagrams and the protocol that stands on it.
template <class P = BaseProtocol>
struct DatagramEndpoint {
    DatagramTransport transport;
    ProtocolRef<P> protocol;
};

/// The keyword arguments of `create_datagram_endpoint()`.
struct DatagramEndpointOptions {
    EndpointAddress local_addr = {};   ///< where to receive
    EndpointAddress remote_addr = {};  ///< the only one to send to, and to receive from
    AddressFamily family = AddressFamily::UNSPEC;
    int proto = 0;
    int flags = 0;                             ///< of getaddrinfo()
    std::optional<bool> reuse_port = {};       ///< several endpoints may have one port: each sender is one's
    std::optional<bool> allow_broadcast = {};  ///< then the socket is not connected to `remote_addr`
    Socket* sock = nullptr;                    ///< one that there is, which is taken over at once; instead of all these
};

namespace detail {

template <>
inline constexpr bool is_argument<EndpointAddress> = true;

Coro<DatagramEndpoint<>> create_datagram_endpoint(Ref<ProtocolMaker> maker, const DatagramEndpointOptions& options);

}  // namespace detail

/// Opens a socket for datagrams, by UDP or between unix sockets, and puts the protocol that the factory makes on it.
///
/// The protocol's `connection_made()` has been called when this goes on. Throws OSError, gaierror, ValueError for
/// arguments that contradict each other, and what the factory throws. Cancelling closes what was opened.
/// ```cpp
/// auto [transport, protocol] =
///     co_await asyncio::create_datagram_endpoint([] { return Echo(); }, asyncio::HostPort("127.0.0.1", 9999));
/// ```
/// Python: loop.create_datagram_endpoint.
template <class F>
Coro<DatagramEndpoint<detail::DatagramProtocolOf<F>>> create_datagram_endpoint(F&& factory,
                                                                               DatagramEndpointOptions options) {
    return detail::with_protocol_of<DatagramEndpoint, F>(
        detail::create_datagram_endpoint(detail::protocol_maker(static_cast<F&&>(factory)), options));
}
template <class F>
Coro<DatagramEndpoint<detail::DatagramProtocolOf<F>>> create_datagram_endpoint(F&& factory, EndpointAddress local_addr,
                                                                               EndpointAddress remote_addr = {},
                                                                               DatagramEndpointOptions options = {}) {
    options.local_addr = local_addr;
    options.remote_addr = remote_addr;
    return create_datagram_endpoint(static_cast<F&&>(factory), options);
}
template <class F, std::integral Number>
Coro<DatagramEndpoint<>> create_datagram_endpoint(F&&, Host, Number, DatagramEndpointOptions = {}) {
    static_assert(
        detail::never<F>,
        "an address is one argument: create_datagram_endpoint(factory, HostPort(host, port)), and a second one "
        "is whom to send to");
    return Coro<DatagramEndpoint<>>();
}

}  // namespace asyncio
