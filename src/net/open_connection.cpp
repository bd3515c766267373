#include <asyncio/net/open_connection.h>

#include "loop/loop_core.h"
#include "net/new_connection.h"
#include "net/server_state.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/net/stream_reader_protocol.h>

#include <cerrno>
#include <utility>

namespace asyncio {

namespace detail {

namespace {

// CPython: streams.py, open_connection
Coro<Streams> open_streams(Coro<Socket> connecting, std::int64_t limit, TlsRequest tls) {
    LoopCore& loop = running_core();
    StreamReader reader(Ref<ReaderState>(new ReaderState(loop, limit)));
    try {
        tls.check();
    } catch (...) {
        connecting.close();  // it is not the user's fault that nobody awaits it
        throw;
    }
    Socket socket = co_await std::move(connecting);
    if (!socket) throw_os_error(EBADF);
    Ref<StreamReaderProtocol> protocol(new StreamReaderProtocol(reader.state(), nullptr));
    if (tls) {
        co_await begin_tls(std::move(socket), tls.make_layer(loop, protocol));
        co_return Streams{std::move(reader), StreamWriter(protocol.get())};
    }
    NewTransport transport(new SocketTransport(loop, std::move(socket), protocol, {}, nullptr));
    co_await WaiterCall<BeginWaiter<SocketTransport>, NewTransport<SocketTransport>*>(&transport);
    co_return Streams{std::move(reader), StreamWriter(protocol.get())};
}

}  // namespace
}  // namespace detail

Coro<Streams> open_connection(Host host, Port port, OpenConnectionOptions options) {
    CreateConnectionOptions of_connection = {.family = options.family,
                                             .proto = options.proto,
                                             .flags = options.flags,
                                             .sock = options.sock,
                                             .local_addr = options.local_addr,
                                             .happy_eyeballs_delay = options.happy_eyeballs_delay,
                                             .interleave = options.interleave,
                                             .all_errors = options.all_errors};
    detail::TlsRequest tls = detail::client_tls(options, host);  // throws before there is a coroutine to await
    return detail::open_streams(detail::connected_socket(host, port, of_connection), options.limit, std::move(tls));
}

Coro<Streams> open_connection(OpenConnectionOptions options) { return open_connection({}, {}, options); }

Coro<Streams> open_unix_connection(std::string_view path, OpenUnixConnectionOptions options) {
    detail::TlsRequest tls = detail::unix_client_tls(options);
    return detail::open_streams(detail::connected_unix_socket(path, {.sock = options.sock}), options.limit,
                                std::move(tls));
}

Coro<Streams> open_unix_connection(OpenUnixConnectionOptions options) {
    detail::TlsRequest tls = detail::unix_client_tls(options);
    return detail::open_streams(detail::connected_unix_socket(std::nullopt, {.sock = options.sock}), options.limit,
                                std::move(tls));
}

}  // namespace asyncio
