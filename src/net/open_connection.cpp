#include <asyncio/net/open_connection.h>

#include "loop/loop_core.h"
#include "net/connecting.h"
#include "net/server_state.h"
#include "net/socket_transport.h"
#include "net/stream_protocol.h"

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

/// A transport that nobody else knows yet: closed if it comes to nothing.
class NewTransport {
public:
    explicit NewTransport(SocketTransport* transport) noexcept : transport_(transport) {}
    NewTransport(NewTransport&&) noexcept = default;
    NewTransport& operator=(NewTransport&&) = delete;
    ~NewTransport() {
        if (transport_ && !has_begun_) transport_->close();
    }
    SocketTransport* get() const noexcept { return transport_.get(); }
    SocketTransport* operator->() const noexcept { return transport_.get(); }
    void has_begun() noexcept { has_begun_ = true; }

private:
    Ref<SocketTransport> transport_;
    bool has_begun_ = false;
};

/// Waits until a connection has begun.
class BeginWaiter final : public Waiter {
public:
    explicit BeginWaiter(NewTransport* transport) noexcept : transport_(*transport) {}
    ~BeginWaiter() { transport_->forget_waiter(); }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        transport_->begin(1, this);
        suspend(*frame.promise().task(), frame);
    }
    void await_resume() {
        check();
        transport_.has_begun();
    }
    WaitEdge edge() const noexcept override {
        return {WaitKind::file_descriptor, transport_.get(), transport_->fileno()};
    }

private:
    void on_cancel() noexcept override { transport_->forget_waiter(); }
    NewTransport& transport_;
};

// CPython: base_events.py, BaseEventLoop._create_connection_transport
Coro<Streams> open_streams(Socket socket, std::int64_t limit) {
    LoopCore& loop = running_core();
    if (!socket) throw_os_error(EBADF);
    StreamReader reader(Ref<ReaderState>(new ReaderState(loop, limit)));
    Ref<StreamProtocol> protocol(new StreamProtocol(reader.state(), nullptr));
    NewTransport transport(new SocketTransport(loop, std::move(socket), protocol, {}, nullptr));
    co_await WaiterCall<BeginWaiter, NewTransport*>(&transport);
    co_return Streams{std::move(reader), StreamWriter(protocol.get())};
}

/// The arguments of open_connection(), kept.
struct Connecting {
    OpenConnectionOptions options;
    bool has_address = false;
    AddressQuery remote;
    bool has_local = false;
    AddressQuery local;
    Socket sock;
};

// CPython: base_events.py, BaseEventLoop.create_connection
Coro<Streams> connect(Connecting args) {
    const OpenConnectionOptions& options = args.options;
    if (!args.has_address) {
        if (options.sock == nullptr) throw ValueError("host and port was not specified and no sock specified");
        if (args.sock.type() != SocketKind::STREAM) {
            throw ValueError("A Stream Socket was expected, got " + repr(args.sock));
        }
        co_return co_await open_streams(std::move(args.sock), options.limit);
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
    errors.clear();
    co_return co_await open_streams(std::move(socket), options.limit);
}

// CPython: unix_events.py, _UnixSelectorEventLoop.create_unix_connection
Coro<Streams> connect_unix(std::optional<std::string> path, Socket socket, bool has_socket, std::int64_t limit) {
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
    co_return co_await open_streams(std::move(socket), limit);
}

}  // namespace
}  // namespace detail

Coro<Streams> open_connection(Host host, Port port, OpenConnectionOptions options) {
    detail::Connecting args;
    args.options = options;
    args.has_address = host.has_value() || port.has_value();
    args.remote = {detail::OwnedHost(host), detail::OwnedPort(port), options.family,
                   SocketKind::STREAM,      options.proto,           options.flags};
    args.has_local = static_cast<bool>(options.local_addr);
    args.local = {detail::OwnedHost(options.local_addr.host),
                  detail::OwnedPort(options.local_addr.port),
                  options.family,
                  SocketKind::STREAM,
                  options.proto,
                  options.flags};
    if (!args.has_address && options.sock != nullptr) args.sock = std::move(*options.sock);
    return detail::connect(std::move(args));
}

Coro<Streams> open_connection(OpenConnectionOptions options) { return open_connection({}, {}, options); }

Coro<Streams> open_unix_connection(std::string_view path, OpenUnixConnectionOptions options) {
    return detail::connect_unix(std::string(path), Socket(), options.sock != nullptr, options.limit);
}

Coro<Streams> open_unix_connection(OpenUnixConnectionOptions options) {
    Socket socket;
    if (options.sock != nullptr) socket = std::move(*options.sock);
    return detail::connect_unix(std::nullopt, std::move(socket), options.sock != nullptr, options.limit);
}

}  // namespace asyncio
