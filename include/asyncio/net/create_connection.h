#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/tls_option.h>
#include <asyncio/net/transports.h>

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {

/// A transport and the protocol that stands on it.
template <class P = BaseProtocol>
struct Connection {
    Transport transport;
    ProtocolRef<P> protocol;
};

/// The keyword arguments of `create_connection()`.
struct CreateConnectionOptions {
    AddressFamily family = AddressFamily::UNSPEC;
    int proto = 0;
    int flags = 0;             ///< of getaddrinfo()
    Socket* sock = nullptr;    ///< one that is connected already, which is taken over at once; instead of host and port
    HostPort local_addr = {};  ///< where to connect from
    /// How long to wait for one address before the next is tried beside it; none: one after the other. 0.25 is usual.
    std::optional<Seconds> happy_eyeballs_delay = {};
    /// How many addresses of the first family come before families alternate; none: 1 with a delay, else no reordering.
    std::optional<int> interleave = {};
    bool all_errors = false;  ///< throw an ExceptionGroup of all that went wrong
    TlsOption ssl = {};       ///< an SSLContext of `<asyncio/tls.h>`: the connection is by TLS
    /// Whom the certificate has to be for; none: the host.
    std::optional<std::string_view> server_hostname = {};
    std::optional<Seconds> ssl_handshake_timeout = {};  ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};   ///< none: 30 s
    const SSLSession* session = nullptr;                ///< of an earlier connection; the call copies it
};

/// The keyword arguments of `create_unix_connection()`.
struct CreateUnixConnectionOptions {
    Socket* sock = nullptr;
    TlsOption ssl = {};  ///< an SSLContext of `<asyncio/tls.h>`: the connection is by TLS
    std::optional<std::string_view> server_hostname = {};  ///< whom the certificate has to be for; needed with `ssl`
    std::optional<Seconds> ssl_handshake_timeout = {};     ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};      ///< none: 30 s
    const SSLSession* session = nullptr;                   ///< of an earlier connection; the call copies it
};

/// The keyword arguments of `connect_accepted_socket()`.
struct ConnectAcceptedSocketOptions {
    TlsOption ssl = {};                                 ///< an SSLContext of `<asyncio/tls.h>`: connections are by TLS
    std::optional<Seconds> ssl_handshake_timeout = {};  ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};   ///< none: 30 s
};

namespace detail {

Coro<Connection<>> create_connection(Ref<ProtocolMaker> maker, Host host, Port port,
                                     const CreateConnectionOptions& options);
Coro<Connection<>> create_unix_connection(Ref<ProtocolMaker> maker, std::optional<std::string_view> path,
                                          const CreateUnixConnectionOptions& options);
Coro<Connection<>> connect_accepted_socket(Ref<ProtocolMaker> maker, Socket socket,
                                           const ConnectAcceptedSocketOptions& options);

}  // namespace detail

/// Connects to a host by TCP, and puts the protocol that the factory makes on the connection.
///
/// The protocol's `connection_made()` has been called when this goes on. Throws what `open_connection()` does, and
/// what the factory throws. Cancelling closes what was opened.
/// ```cpp
/// auto [transport, protocol] = co_await asyncio::create_connection([] { return Echo(); }, "127.0.0.1", 8080);
/// ```
/// Python: loop.create_connection.
template <class F>
Coro<Connection<detail::StreamProtocolOf<F>>> create_connection(F&& factory, Host host, Port port,
                                                                CreateConnectionOptions options = {}) {
    return detail::with_protocol_of<Connection, F>(
        detail::create_connection(detail::protocol_maker(static_cast<F&&>(factory)), host, port, options));
}
/// For a socket that is connected already: `create_connection(factory, {.sock = &socket})`.
template <class F>
Coro<Connection<detail::StreamProtocolOf<F>>> create_connection(F&& factory, CreateConnectionOptions options) {
    return create_connection(static_cast<F&&>(factory), {}, {}, options);
}
/// Connects to a unix socket; an abstract one if the path's first byte is zero. Cancelling closes what was opened.
/// Python: loop.create_unix_connection.
template <class F>
Coro<Connection<detail::StreamProtocolOf<F>>> create_unix_connection(F&& factory, std::string_view path,
                                                                     CreateUnixConnectionOptions options = {}) {
    return detail::with_protocol_of<Connection, F>(
        detail::create_unix_connection(detail::protocol_maker(static_cast<F&&>(factory)), path, options));
}
template <class F>
Coro<Connection<detail::StreamProtocolOf<F>>> create_unix_connection(F&& factory, CreateUnixConnectionOptions options) {
    return detail::with_protocol_of<Connection, F>(
        detail::create_unix_connection(detail::protocol_maker(static_cast<F&&>(factory)), std::nullopt, options));
}

/// Puts a protocol on a connection that somebody else has accepted. Cancelling closes it. Python:
/// loop.connect_accepted_socket.
template <class F>
Coro<Connection<detail::StreamProtocolOf<F>>> connect_accepted_socket(F&& factory, Socket sock,
                                                                      ConnectAcceptedSocketOptions options = {}) {
    return detail::with_protocol_of<Connection, F>(
        detail::connect_accepted_socket(detail::protocol_maker(static_cast<F&&>(factory)), std::move(sock), options));
}

}  // namespace asyncio
