#include <asyncio/net/create_datagram_endpoint.h>

#include "loop/loop_core.h"
#include "net/connecting.h"
#include "net/datagram_transport.h"
#include "net/new_connection.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/errors/repr.h>
#include <asyncio/net/dns.h>
#include <asyncio/net/sock.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::detail {

namespace {

/// An address that was given, kept.
struct GivenAddress {
    GivenAddress() noexcept = default;
    explicit GivenAddress(const EndpointAddress& address)
        : has_value(address),
          is_path(address.is_path()),
          path(address.path()),
          host(address.host_port().host),
          port(address.host_port().port),
          native(address.address()) {
        if (native.family() != AddressFamily::UNIX) return;
        is_path = true;
        path = native.path();
        has_value = !path.empty();
    }

    std::string repr() const {
        if (native) return asyncio::repr(native);
        if (is_path) return detail::quoted(path);
        Port number = port.get();
        std::string text = number.is_number()   ? std::to_string(number.number())
                           : number.has_value() ? detail::quoted(number.service())
                                                : "None";
        return "(" + (host.get().has_value() ? detail::quoted(host.get().name()) : "None") + ", " + text + ")";
    }

    bool has_value = false;
    bool is_path = false;
    std::string path;
    OwnedHost host;
    OwnedPort port;
    SocketAddress native;  // as it was given; none if it was not
};

struct Opening {
    Ref<ProtocolMaker> maker;
    DatagramEndpointOptions options;
    GivenAddress local;
    GivenAddress remote;
    Socket sock;
};

/// A socket that might do: its family, and its addresses.
struct Candidate {
    AddressFamily family = AddressFamily::UNSPEC;
    int proto = 0;
    SocketAddress local;
    SocketAddress remote;
};

struct OpenedSocket {
    Socket socket;
    SocketAddress target;  // none: any
};

[[noreturn]] void throw_superfluous(const Opening& args) {
    const DatagramEndpointOptions& options = args.options;
    std::string problems;
    auto add = [&](bool given, const char* name, const std::string& value) {
        if (given) problems += (problems.empty() ? "" : ", ") + std::string(name) + "=" + value;
    };
    add(args.local.has_value, "local_addr", args.local.repr());
    add(args.remote.has_value, "remote_addr", args.remote.repr());
    add(options.family != AddressFamily::UNSPEC, "family", std::to_string(static_cast<int>(options.family)));
    add(options.proto != 0, "proto", std::to_string(options.proto));
    add(options.flags != 0, "flags", std::to_string(options.flags));
    add(options.reuse_port.value_or(false), "reuse_port", "True");
    add(options.allow_broadcast.value_or(false), "allow_broadcast", "True");
    throw ValueError("socket modifier keyword arguments can not be used when sock is specified. (" + problems + ")");
}

void check_given_socket(const Opening& args) {
    if (args.sock.type() == SocketKind::STREAM) {
        throw ValueError("A datagram socket was expected, got " + repr(args.sock));
    }
    const DatagramEndpointOptions& options = args.options;
    bool has_more = args.local.has_value || args.remote.has_value || options.family != AddressFamily::UNSPEC ||
                    options.proto != 0 || options.flags != 0 || options.reuse_port.value_or(false) ||
                    options.allow_broadcast.value_or(false);
    if (has_more) throw_superfluous(args);
    if (!args.sock) throw_os_error(EBADF);
}

Candidate unix_candidate(const Opening& args) {
    for (const GivenAddress* address : {&args.local, &args.remote}) {
        if (address->has_value && !address->is_path) throw TypeError("string is expected");
    }
    Candidate candidate{AddressFamily::UNIX, args.options.proto, {}, {}};
    if (args.local.has_value) {
        candidate.local = SocketAddress::unix_path(args.local.path);
        if (args.local.path.front() != '\0') remove_stale_socket(args.local.path);
    }
    if (args.remote.has_value) candidate.remote = SocketAddress::unix_path(args.remote.path);
    return candidate;
}

/// What getaddrinfo() would give for the address's number.
std::vector<AddressInfo> infos_of(const SocketAddress& address, const DatagramEndpointOptions& options) {
    if (options.family != AddressFamily::UNSPEC && options.family != address.family()) return {};
    int proto = options.proto != 0 ? options.proto : IPPROTO_UDP;
    return {AddressInfo{address.family(), SocketKind::DGRAM, proto, {}, address}};
}

/// Those for which there is an address of each kind that was given, in the order in which they were found.
Coro<std::vector<Candidate>> find_candidates(const Opening& args) {
    std::vector<Candidate> all;
    for (const GivenAddress* address : {&args.local, &args.remote}) {
        if (!address->has_value) continue;
        if (address->is_path) throw TypeError("2-tuple is expected");
        std::vector<AddressInfo> infos;
        if (address->native) {
            infos = infos_of(address->native, args.options);
        } else {
            AddressQuery query{address->host,     address->port,      args.options.family,
                               SocketKind::DGRAM, args.options.proto, args.options.flags};
            infos = co_await resolve(std::move(query));
        }
        for (const AddressInfo& info : infos) {
            Candidate* same = nullptr;
            for (Candidate& other : all) {
                if (other.family == info.family && other.proto == info.proto) same = &other;
            }
            if (same == nullptr) same = &all.emplace_back(Candidate{info.family, info.proto, {}, {}});
            (address == &args.local ? same->local : same->remote) = info.address;
        }
    }
    std::vector<Candidate> candidates;
    for (const Candidate& one : all) {
        bool lacks_one = (args.local.has_value && !one.local) || (args.remote.has_value && !one.remote);
        if (!lacks_one) candidates.push_back(one);
    }
    if (candidates.empty()) throw ValueError("can not get address information");
    co_return candidates;
}

void set_reuse_port(Socket& socket) {
    try {
        socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
    } catch (const OSError&) {
        throw ValueError("reuse_port not supported by socket module, SO_REUSEPORT defined but not implemented.");
    }
}

/// What the system refuses names the address, as a server's does.
void bind_to(Socket& socket, const SocketAddress& address) {
    try {
        socket.bind(address);
    } catch (const OSError& error) {
        throw_os_error(error.errno_value(), "error while attempting to bind on address " + repr(address) + ": " +
                                                std::string(error.strerror()));
    }
}

Coro<OpenedSocket> open_socket(const DatagramEndpointOptions& options, Candidate candidate) {
    OpenedSocket opened;
    opened.socket = Socket(candidate.family, SocketKind::DGRAM, candidate.proto);
    bool broadcasts = options.allow_broadcast.value_or(false);
    if (options.reuse_port.value_or(false)) set_reuse_port(opened.socket);
    if (broadcasts) opened.socket.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
    if (candidate.local) bind_to(opened.socket, candidate.local);
    opened.target = candidate.remote;
    if (candidate.remote && !broadcasts) co_await sock_connect(opened.socket, candidate.remote);
    co_return opened;
}

Coro<OpenedSocket> open_first(const Opening& args) {
    std::vector<Candidate> candidates;
    const DatagramEndpointOptions& options = args.options;
    if (!args.local.has_value && !args.remote.has_value) {
        if (options.family == AddressFamily::UNSPEC) throw ValueError("unexpected address family");
        candidates.push_back({options.family, options.proto, {}, {}});
    } else if (options.family == AddressFamily::UNIX) {
        candidates.push_back(unix_candidate(args));
    } else {
        candidates = co_await find_candidates(args);
    }
    std::exception_ptr first_error;
    for (const Candidate& candidate : candidates) {
        try {
            co_return co_await open_socket(options, candidate);
        } catch (const OSError&) {
            if (!first_error) first_error = std::current_exception();
        }
    }
    std::rethrow_exception(first_error);
}

void log_endpoint(const Opening& args, const DatagramTransport& transport, const BaseProtocol& protocol) {
    auto given = [](const GivenAddress& address) { return address.has_value ? address.repr() : "None"; };
    std::string text = "Datagram endpoint ";
    if (args.local.has_value) text += "local_addr=" + given(args.local) + " ";
    text +=
        "remote_addr=" + given(args.remote) + " created: (" + repr(transport) + ", " + repr_or_nothing(protocol) + ")";
    log(args.local.has_value ? LogLevel::info : LogLevel::debug, text);
}

// CPython: base_events.py, BaseEventLoop.create_datagram_endpoint
Coro<DatagramEndpoint<>> open_endpoint(Opening args) {
    OpenedSocket opened;
    if (args.options.sock != nullptr) {
        check_given_socket(args);
        opened.socket = std::move(args.sock);
    } else {
        opened = co_await open_first(args);
    }
    LoopCore& loop = running_core();
    Ref<BaseProtocol> protocol = made_protocol(*args.maker);
    Ref<DatagramProtocol> datagram_protocol(static_cast<DatagramProtocol*>(protocol.get()));
    NewTransport<DatagramTransportState> transport(
        new DatagramTransportState(loop, std::move(opened.socket), datagram_protocol, opened.target));
    if (loop.debug()) log_endpoint(args, DatagramTransport(transport.get()), *protocol);
    co_await WaiterCall<BeginWaiter<DatagramTransportState>, NewTransport<DatagramTransportState>*>(&transport);
    co_return DatagramEndpoint<>{DatagramTransport(transport.get()), std::move(protocol)};
}

}  // namespace

Coro<DatagramEndpoint<>> create_datagram_endpoint(Ref<ProtocolMaker> maker, const DatagramEndpointOptions& options) {
    Opening args;
    args.maker = std::move(maker);
    args.options = options;
    args.local = GivenAddress(options.local_addr);
    args.remote = GivenAddress(options.remote_addr);
    // A SocketAddress says of which family it is.
    for (const GivenAddress* address : {&args.local, &args.remote}) {
        if (address->native.family() == AddressFamily::UNIX && options.family == AddressFamily::UNSPEC) {
            args.options.family = AddressFamily::UNIX;
        }
    }
    if (options.sock != nullptr) args.sock = std::move(*options.sock);
    return open_endpoint(std::move(args));
}

}  // namespace asyncio::detail
