#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/server.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/tls_option.h>

#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The keyword arguments of `create_server()`.
struct CreateServerOptions {
    AddressFamily family = AddressFamily::UNSPEC;
    std::optional<int> flags = {};  ///< of getaddrinfo(); none: AI_PASSIVE
    Socket* sock = nullptr;  ///< one that is bound already, which is taken over at once; instead of host and port
    int backlog = 100;       ///< how many connections may wait to be accepted
    std::optional<bool> reuse_address = {};             ///< none: yes
    std::optional<bool> reuse_port = {};                ///< none: no
    std::optional<bool> keep_alive = {};                ///< none: no
    bool start_serving = true;                          ///< else by `server.start_serving()` or `serve_forever()`
    TlsOption ssl = {};                                 ///< an SSLContext of `<asyncio/tls.h>`: connections are by TLS
    std::optional<Seconds> ssl_handshake_timeout = {};  ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};   ///< none: 30 s
};

/// The keyword arguments of `create_unix_server()`.
struct CreateUnixServerOptions {
    Socket* sock = nullptr;
    int backlog = 100;
    bool start_serving = true;
    bool cleanup_socket = true;                         ///< remove the path when the server is closed
    TlsOption ssl = {};                                 ///< an SSLContext of `<asyncio/tls.h>`: connections are by TLS
    std::optional<Seconds> ssl_handshake_timeout = {};  ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};   ///< none: 30 s
};

namespace detail {

Coro<Server> create_server(Ref<ProtocolMaker> maker, OwnedHosts hosts, bool has_address, Port port,
                           const CreateServerOptions& options);
Coro<Server> create_unix_server(Ref<ProtocolMaker> maker, std::optional<std::string_view> path,
                                const CreateUnixServerOptions& options);

}  // namespace detail

/// Listens on a host and port by TCP, and puts a protocol that the factory makes on each connection.
///
/// Hosts, ports and errors are as with `start_server()`. What the factory throws is told to the loop's exception
/// handler, and the connection is closed. Cancelled, nothing listens.
/// ```cpp
/// asyncio::Server server = co_await asyncio::create_server([] { return Echo(); }, "127.0.0.1", 8080);
/// ```
/// Python: loop.create_server.
template <class F>
Coro<Server> create_server(F&& factory, Host host, Port port, CreateServerOptions options = {}) {
    return detail::create_server(detail::stream_protocol_maker(static_cast<F&&>(factory)), detail::OwnedHosts(host),
                                 host.has_value() || port.has_value(), port, options);
}
/// Listens on several hosts, a container of names, each once.
template <class F, detail::HostRange Hosts>
Coro<Server> create_server(F&& factory, const Hosts& hosts, Port port, CreateServerOptions options = {}) {
    detail::OwnedHosts all;
    for (const auto& host : hosts) all.add(Host(host));
    return detail::create_server(detail::stream_protocol_maker(static_cast<F&&>(factory)), std::move(all), true, port,
                                 options);
}
/// For a socket that is bound already: `create_server(factory, {.sock = &socket})`.
template <class F>
Coro<Server> create_server(F&& factory, CreateServerOptions options) {
    return detail::create_server(detail::stream_protocol_maker(static_cast<F&&>(factory)), {}, false, {}, options);
}
/// Listens on a unix socket's path, or on an abstract name, which begins with a zero byte. A socket that is left over
/// at this path is replaced. Cancelled, nothing listens.
/// Python: loop.create_unix_server.
template <class F>
Coro<Server> create_unix_server(F&& factory, std::string_view path, CreateUnixServerOptions options = {}) {
    return detail::create_unix_server(detail::stream_protocol_maker(static_cast<F&&>(factory)), path, options);
}
template <class F>
Coro<Server> create_unix_server(F&& factory, CreateUnixServerOptions options) {
    return detail::create_unix_server(detail::stream_protocol_maker(static_cast<F&&>(factory)), std::nullopt, options);
}

}  // namespace asyncio
