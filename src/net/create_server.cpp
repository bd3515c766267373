#include <asyncio/net/create_server.h>

#include "loop/loop_core.h"
#include "net/connecting.h"
#include "net/server_state.h"
#include "net/tls_layer.h"

#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/dns.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace asyncio::detail {

namespace {

/// The arguments of create_server(), kept.
struct Serving {
    Ref<ProtocolMaker> maker;
    CreateServerOptions options;
    TlsRequest tls;
    bool has_address = false;
    std::vector<AddressQuery> queries;
    Socket sock;
};

Coro<Server> serve(std::vector<Socket> sockets, Ref<ProtocolMaker> maker, int backlog, bool start, bool remove_path) {
    Server server(new ServerState(running_core(), std::move(sockets), std::move(maker), backlog));
    if (remove_path) server.handle().get()->remove_path_at_close();
    if (start) {
        try {
            server.handle().get()->start_serving();
            co_await sleep(0);  // as in CPython
        } catch (...) {
            server.close();  // nobody else can
            throw;
        }
    }
    co_return server;
}

void set_option(Socket& socket, int level, int name) { socket.setsockopt(level, name, 1); }

/// A socket that is bound to this address; nothing if the address is none of this machine's.
std::optional<Socket> bound_socket(const AddressInfo& info, const CreateServerOptions& options) {
    Socket socket;
    try {
        socket = Socket(info.family, info.type, info.proto);
    } catch (const OSError& error) {  // a family that this machine has not
        if (running_core().debug()) {
            log(LogLevel::warning,
                "create_server() failed to create a socket for " + repr(info.address) + ": " + error.what());
        }
        return std::nullopt;
    }
    bool is_internet = info.family == AddressFamily::INET || info.family == AddressFamily::INET6;
    if (options.reuse_address.value_or(true)) set_option(socket, SOL_SOCKET, SO_REUSEADDR);
    if (options.reuse_port.value_or(false) && is_internet) set_option(socket, SOL_SOCKET, SO_REUSEPORT);
    if (options.keep_alive.value_or(false)) set_option(socket, SOL_SOCKET, SO_KEEPALIVE);
    if (info.family == AddressFamily::INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY);
    try {
        socket.bind(info.address);
    } catch (const OSError& error) {
        std::exception_ptr told = bind_error(error, info.address);
        if (error.errno_value() != EADDRNOTAVAIL) std::rethrow_exception(told);
        if (running_core().debug()) log(LogLevel::warning, str(told));
        return std::nullopt;
    }
    return socket;
}

// CPython: base_events.py, BaseEventLoop.create_server
Coro<Server> listen(Serving args) {
    const CreateServerOptions options = args.options;
    args.tls.check();
    Ref<ProtocolMaker> maker = over_tls(std::move(args.maker), std::move(args.tls));
    std::vector<Socket> sockets;
    if (!args.has_address) {
        if (options.sock == nullptr) throw ValueError("Neither host/port nor sock were specified");
        if (args.sock.type() != SocketKind::STREAM) {
            throw ValueError("A Stream Socket was expected, got " + repr(args.sock));
        }
        sockets.push_back(std::move(args.sock));
        co_return co_await serve(std::move(sockets), std::move(maker), options.backlog, options.start_serving, false);
    }
    if (options.sock != nullptr) throw ValueError("host/port and sock can not be specified at the same time");

    std::vector<Coro<std::vector<AddressInfo>>> looking;
    looking.reserve(args.queries.size());
    for (AddressQuery& query : args.queries) looking.push_back(resolve(std::move(query)));
    std::vector<std::vector<AddressInfo>> found = co_await gather(std::move(looking));
    std::vector<AddressInfo> infos;
    for (std::vector<AddressInfo>& list : found) {
        for (AddressInfo& info : list) {
            auto same = [&](const AddressInfo& other) {
                return other.family == info.family && other.type == info.type && other.proto == info.proto &&
                       other.address == info.address;
            };
            if (std::none_of(infos.begin(), infos.end(), same)) infos.push_back(std::move(info));
        }
    }
    std::string tried;
    for (const AddressInfo& info : infos) {
        tried += (tried.empty() ? "" : ", ") + repr(info.address);
        if (std::optional<Socket> socket = bound_socket(info, options)) sockets.push_back(std::move(*socket));
    }
    if (sockets.empty()) throw OSError("could not bind on any address out of [" + tried + "]");
    co_return co_await serve(std::move(sockets), std::move(maker), options.backlog, options.start_serving, false);
}

Socket bound_unix_socket(const std::string& path) {
    Socket socket(AddressFamily::UNIX);
    bool is_path = !path.empty() && path.front() != '\0';
    if (is_path && path.find('\0') != path.npos) throw ValueError("stat: embedded null character in path");
    SocketAddress address = SocketAddress::unix_path(path);
    if (is_path) remove_stale_socket(path);
    try {
        socket.bind(address);
    } catch (const OSError& error) {
        if (error.errno_value() == EADDRINUSE) {
            throw_os_error(EADDRINUSE, "Address " + detail::quoted(path) + " is already in use");
        }
        throw_os_error(error.errno_value(), {}, path);
    }
    return socket;
}

// CPython: unix_events.py, _UnixSelectorEventLoop.create_unix_server
Coro<Server> listen_at_path(Ref<ProtocolMaker> maker, std::optional<std::string> path, Socket socket,
                            CreateUnixServerOptions options, TlsRequest tls) {
    tls.check();
    maker = over_tls(std::move(maker), std::move(tls));
    if (path) {
        if (options.sock != nullptr) throw ValueError("path and sock can not be specified at the same time");
        socket = bound_unix_socket(*path);
    } else {
        if (options.sock == nullptr) throw ValueError("path was not specified, and no sock specified");
        if (socket.family() != AddressFamily::UNIX || socket.type() != SocketKind::STREAM) {
            throw ValueError("A UNIX Domain Stream Socket was expected, got " + repr(socket));
        }
    }
    std::vector<Socket> sockets;
    sockets.push_back(std::move(socket));
    co_return co_await serve(std::move(sockets), std::move(maker), options.backlog, options.start_serving,
                             options.cleanup_socket);
}

}  // namespace

Coro<Server> create_server(Ref<ProtocolMaker> maker, OwnedHosts hosts, bool has_address, Port port,
                           const CreateServerOptions& options) {
    Serving args;
    args.maker = std::move(maker);
    args.options = options;
    args.tls = TlsRequest::from(options, true);
    args.has_address = has_address;
    for (OwnedHost& host : hosts.take()) {
        bool is_all = host.get().has_value() && host.get().name().empty();
        args.queries.push_back({is_all ? OwnedHost() : std::move(host), OwnedPort(port), options.family,
                                SocketKind::STREAM, 0, options.flags.value_or(AI_PASSIVE)});
    }
    if (!has_address && options.sock != nullptr) args.sock = std::move(*options.sock);
    return listen(std::move(args));
}

Coro<Server> create_unix_server(Ref<ProtocolMaker> maker, std::optional<std::string_view> path,
                                const CreateUnixServerOptions& options) {
    Socket socket;
    if (!path && options.sock != nullptr) socket = std::move(*options.sock);
    std::optional<std::string> owned_path;
    if (path) owned_path.emplace(*path);
    return listen_at_path(std::move(maker), std::move(owned_path), std::move(socket), options,
                          TlsRequest::from(options, true));
}

}  // namespace asyncio::detail
