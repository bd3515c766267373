#include <asyncio/net/create_connection.h>

#include "loop/loop_core.h"
#include "net/connecting.h"
#include "net/new_connection.h"
#include "net/protocol_calls.h"
#include "net/server_state.h"
#include "net/socket_transport.h"
#include "net/tls_layer.h"

#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/sock.h>

#include <netinet/in.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

namespace {

/// The arguments of create_connection(), kept.
struct Connecting {
    CreateConnectionOptions options;
    bool has_address = false;
    AddressQuery remote;
    bool has_local = false;
    AddressQuery local;
    Socket sock;
};

// CPython: base_events.py, BaseEventLoop.create_connection
Coro<Socket> connect(Connecting args) {
    const CreateConnectionOptions& options = args.options;
    if (!args.has_address) {
        if (options.sock == nullptr) throw ValueError("host and port was not specified and no sock specified");
        if (args.sock.type() != SocketKind::STREAM) {
            throw ValueError("A Stream Socket was expected, got " + repr(args.sock));
        }
        co_return std::move(args.sock);
    }
    if (options.sock != nullptr) {
        throw ValueError("host/port and sock can not be specified at the same time");
    }
    std::vector<AddressInfo> infos = co_await resolve(args.remote);
    std::vector<AddressInfo> local;
    if (args.has_local) local = co_await resolve(args.local);
    const std::vector<AddressInfo>* local_or_null = args.has_local ? &local : nullptr;
    int interleave = options.interleave.value_or(options.happy_eyeballs_delay ? 1 : 0);
    if (interleave != 0) infos = interleave_families(infos, interleave);

    ConnectErrors errors;
    Socket socket;
    if (options.happy_eyeballs_delay) {
        std::optional<Socket> winner =
            co_await connect_staggered(errors, infos, local_or_null, *options.happy_eyeballs_delay);
        if (winner) socket = std::move(*winner);
    } else {
        for (const AddressInfo& info : infos) {
            try {
                socket = co_await connect_socket(errors, info, local_or_null);
                break;
            } catch (const OSError&) {
            }
        }
    }
    if (!socket) throw_connect_errors(errors, options.all_errors);
    co_return socket;
}

// CPython: unix_events.py, _UnixSelectorEventLoop.create_unix_connection
Coro<Socket> connect_unix(std::optional<std::string> path, Socket socket, bool has_socket) {
    if (path) {
        if (has_socket) throw ValueError("path and sock can not be specified at the same time");
        socket = Socket(AddressFamily::UNIX);
        co_await sock_connect(socket, SocketAddress::unix_path(*path));
    } else {
        if (!has_socket) throw ValueError("no path and sock were specified");
        if (socket.family() != AddressFamily::UNIX || socket.type() != SocketKind::STREAM) {
            throw ValueError("A UNIX Domain Stream Socket was expected, got " + repr(socket));
        }
    }
    co_return socket;
}

Coro<Socket> accepted_socket(Socket socket) {
    if (socket.type() != SocketKind::STREAM) throw ValueError("A Stream Socket was expected, got " + repr(socket));
    co_return socket;
}

// CPython: base_events.py, BaseEventLoop._create_connection_transport
Coro<Connection<>> make_connection(Coro<Socket> connecting, Ref<ProtocolMaker> maker, TlsRequest tls) {
    try {
        tls.check();
    } catch (...) {
        connecting.close();  // it is not the user's fault that nobody awaits it
        throw;
    }
    Socket socket = co_await std::move(connecting);
    if (!socket) throw_os_error(EBADF);
    Ref<BaseProtocol> protocol = made_protocol(*maker);
    if (tls) {
        Ref<TlsLayer> layer = tls.make_layer(running_core(), protocol);
        co_await begin_tls(std::move(socket), layer);
        co_return Connection<>{Transport(layer.get()), std::move(protocol)};
    }
    NewTransport transport(new SocketTransport(running_core(), std::move(socket), protocol, {}, nullptr));
    co_await WaiterCall<BeginWaiter<SocketTransport>, NewTransport<SocketTransport>*>(&transport);
    co_return Connection<>{Transport(transport.get()), std::move(protocol)};
}

}  // namespace

Coro<Socket> connected_socket(Host host, Port port, const CreateConnectionOptions& options) {
    Connecting args;
    args.options = options;
    args.has_address = host.has_value() || port.has_value();
    args.remote = {OwnedHost(host), OwnedPort(port), options.family, SocketKind::STREAM, options.proto, options.flags};
    args.has_local = static_cast<bool>(options.local_addr);
    args.local = {OwnedHost(options.local_addr.host),
                  OwnedPort(options.local_addr.port),
                  options.family,
                  SocketKind::STREAM,
                  options.proto,
                  options.flags};
    if (!args.has_address && options.sock != nullptr) args.sock = std::move(*options.sock);
    return connect(std::move(args));
}

Coro<Socket> connected_unix_socket(std::optional<std::string_view> path, const CreateUnixConnectionOptions& options) {
    Socket socket;
    if (!path && options.sock != nullptr) socket = std::move(*options.sock);
    std::optional<std::string> owned_path;
    if (path) owned_path.emplace(*path);
    return connect_unix(std::move(owned_path), std::move(socket), options.sock != nullptr);
}

Coro<Connection<>> create_connection(Ref<ProtocolMaker> maker, Host host, Port port,
                                     const CreateConnectionOptions& options) {
    TlsRequest tls = client_tls(options, host);  // throws before there is a coroutine that nobody would await
    return make_connection(connected_socket(host, port, options), std::move(maker), std::move(tls));
}

Coro<Connection<>> create_unix_connection(Ref<ProtocolMaker> maker, std::optional<std::string_view> path,
                                          const CreateUnixConnectionOptions& options) {
    TlsRequest tls = unix_client_tls(options);
    return make_connection(connected_unix_socket(path, options), std::move(maker), std::move(tls));
}

Coro<Connection<>> connect_accepted_socket(Ref<ProtocolMaker> maker, Socket socket,
                                           const ConnectAcceptedSocketOptions& options) {
    return make_connection(accepted_socket(std::move(socket)), std::move(maker), TlsRequest::from(options, true));
}

}  // namespace detail
}  // namespace asyncio
