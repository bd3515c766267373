#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/client_callback.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/server.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/tls_option.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The keyword arguments of `start_server()`.
struct StartServerOptions {
    std::int64_t limit = 65536;  ///< see `open_connection()`
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

/// The keyword arguments of `start_unix_server()`.
struct StartUnixServerOptions {
    std::int64_t limit = 65536;
    Socket* sock = nullptr;
    int backlog = 100;
    bool start_serving = true;
    bool cleanup_socket = true;                         ///< remove the path when the server is closed
    TlsOption ssl = {};                                 ///< an SSLContext of `<asyncio/tls.h>`: connections are by TLS
    std::optional<Seconds> ssl_handshake_timeout = {};  ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};   ///< none: 30 s
};

namespace detail {

Coro<Server> start_server(Ref<ClientCallback> callback, OwnedHosts hosts, bool has_address, Port port,
                          const StartServerOptions& options);
Coro<Server> start_unix_server(Ref<ClientCallback> callback, std::optional<std::string_view> path,
                               const StartUnixServerOptions& options);

}  // namespace detail

/// Listens on a host and port by TCP, and calls `callback(reader, writer)` for each connection.
///
/// A coroutine function becomes a task of its own for each; what it throws is told to the loop's exception handler, and
/// its connection is closed. No host, or an empty one, means all interfaces; port 0 a free one, which
/// `server.sockets()[0].getsockname()` tells. All addresses of a host, or of several hosts, are listened on.
///
/// Throws OSError if an address is in use, with the address in the text. If no descriptor is left for a new connection
/// that is told to the exception handler, and tried again a second later. Cancelled, nothing listens.
/// ```cpp
/// asyncio::Server server = co_await asyncio::start_server(handle, "127.0.0.1", 8080);
/// co_await asyncio::with(server, [](asyncio::Server& serving) { return serving.serve_forever(); });
/// ```
/// Python: asyncio.start_server.
template <ClientConnectedCallback F>
Coro<Server> start_server(F&& callback, Host host, Port port, StartServerOptions options = {}) {
    return detail::start_server(detail::client_callback(static_cast<F&&>(callback)), detail::OwnedHosts(host),
                                host.has_value() || port.has_value(), port, options);
}
/// Listens on several hosts, a container of names, each once.
template <ClientConnectedCallback F, detail::HostRange Hosts>
Coro<Server> start_server(F&& callback, const Hosts& hosts, Port port, StartServerOptions options = {}) {
    detail::OwnedHosts all;
    for (const auto& host : hosts) all.add(Host(host));
    return detail::start_server(detail::client_callback(static_cast<F&&>(callback)), std::move(all), true, port,
                                options);
}
/// For a socket that is bound already: `start_server(callback, {.sock = &socket})`.
template <ClientConnectedCallback F>
Coro<Server> start_server(F&& callback, StartServerOptions options) {
    return detail::start_server(detail::client_callback(static_cast<F&&>(callback)), {}, false, {}, options);
}
/// A method of an object, which must be there until the server and the last task of it have ended, or be given by a
/// `std::shared_ptr`.
template <class Method, class Object>
requires detail::BoundClientCallback<Method, Object> Coro<Server> start_server(Method method, Object&& object,
                                                                               Host host, Port port,
                                                                               StartServerOptions options = {}) {
    return start_server(detail::bound_method(method, static_cast<Object&&>(object)), host, port, options);
}
template <class Method, class Object, detail::HostRange Hosts>
requires detail::BoundClientCallback<Method, Object> Coro<Server> start_server(Method method, Object&& object,
                                                                               const Hosts& hosts, Port port,
                                                                               StartServerOptions options = {}) {
    return start_server(detail::bound_method(method, static_cast<Object&&>(object)), hosts, port, options);
}
template <class Method, class Object>
requires detail::BoundClientCallback<Method, Object> Coro<Server> start_server(Method method, Object&& object,
                                                                               StartServerOptions options) {
    return start_server(detail::bound_method(method, static_cast<Object&&>(object)), options);
}

template <ClientConnectedCallback F, class First, class... More>
requires(sizeof...(More) > 0 ||
         !std::is_same_v<std::remove_cvref_t<First>, StartServerOptions>) Coro<Server> start_server(F&&, Host, Port,
                                                                                                    First&&,
                                                                                                    More&&...) {
    static_assert(detail::never<F>, "options are given by name: start_server(f, host, port, {.backlog = 1000})");
    return Coro<Server>();
}
template <class Method, class Object, class First, class... More>
requires(detail::BoundClientCallback<Method, Object> &&
         (sizeof...(More) > 0 || !std::is_same_v<std::remove_cvref_t<First>, StartServerOptions>))
    Coro<Server> start_server(Method, Object&&, Host, Port, First&&, More&&...) {
    static_assert(detail::never<Method>,
                  "options are given by name: start_server(&Class::f, this, host, port, {.backlog = 1000})");
    return Coro<Server>();
}
template <class F, class... Rest>
requires(!ClientConnectedCallback<F> &&
         !detail::is_bound_client_callback<F, Rest...>) Coro<Server> start_server(F&&, Rest&&...) {
    static_assert(
        detail::never<F>,
        "start_server() calls its callback with a StreamReader and a StreamWriter, by value; a method has its "
        "object behind it: start_server(&Class::f, this, host, port)");
    return Coro<Server>();
}

/// Listens on a unix socket's path, or on an abstract name, which begins with a zero byte. A socket that is left over
/// at this path is replaced. Cancelled, nothing listens. Python: asyncio.start_unix_server.
template <ClientConnectedCallback F>
Coro<Server> start_unix_server(F&& callback, std::string_view path, StartUnixServerOptions options = {}) {
    return detail::start_unix_server(detail::client_callback(static_cast<F&&>(callback)), path, options);
}
template <ClientConnectedCallback F>
Coro<Server> start_unix_server(F&& callback, StartUnixServerOptions options) {
    return detail::start_unix_server(detail::client_callback(static_cast<F&&>(callback)), std::nullopt, options);
}
/// A method of an object, as with start_server().
template <class Method, class Object>
requires detail::BoundClientCallback<Method, Object> Coro<Server> start_unix_server(
    Method method, Object&& object, std::string_view path, StartUnixServerOptions options = {}) {
    return start_unix_server(detail::bound_method(method, static_cast<Object&&>(object)), path, options);
}
template <class Method, class Object>
requires detail::BoundClientCallback<Method, Object> Coro<Server> start_unix_server(Method method, Object&& object,
                                                                                    StartUnixServerOptions options) {
    return start_unix_server(detail::bound_method(method, static_cast<Object&&>(object)), options);
}
template <ClientConnectedCallback F, class First, class... More>
requires(sizeof...(More) > 0 || !std::is_same_v<std::remove_cvref_t<First>, StartUnixServerOptions>)
    Coro<Server> start_unix_server(F&&, std::string_view, First&&, More&&...) {
    static_assert(detail::never<F>, "options are given by name: start_unix_server(f, path, {.backlog = 1000})");
    return Coro<Server>();
}
template <class Method, class Object, class First, class... More>
requires(detail::BoundClientCallback<Method, Object> &&
         (sizeof...(More) > 0 || !std::is_same_v<std::remove_cvref_t<First>, StartUnixServerOptions>))
    Coro<Server> start_unix_server(Method, Object&&, std::string_view, First&&, More&&...) {
    static_assert(detail::never<Method>,
                  "options are given by name: start_unix_server(&Class::f, this, path, {.backlog = 1000})");
    return Coro<Server>();
}
template <class F, class... Rest>
requires(!ClientConnectedCallback<F> &&
         !detail::is_bound_client_callback<F, Rest...>) Coro<Server> start_unix_server(F&&, Rest&&...) {
    static_assert(
        detail::never<F>,
        "start_unix_server() calls its callback with a StreamReader and a StreamWriter, by value; a method has "
        "its object behind it: start_unix_server(&Class::f, this, path)");
    return Coro<Server>();
}

}  // namespace asyncio
