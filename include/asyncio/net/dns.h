#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/socket_address.h>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// A name could not be looked up. `errno_value()` is one of the system's `EAI_…`, and the text names the host.
/// Python: socket.gaierror.
class gaierror : public OSError {
public:
    using OSError::OSError;
};

/// One of the answers of `getaddrinfo()`: what to make a socket with, and where to connect it.
struct AddressInfo {
    AddressFamily family = AddressFamily::UNSPEC;
    SocketKind type = SocketKind::ANY;
    int proto = 0;
    std::string canonname;
    SocketAddress address;
};

/// The keyword arguments of `getaddrinfo()`. `flags` are the system's, from `<netdb.h>`.
struct AddressOptions {
    AddressFamily family = AddressFamily::UNSPEC;
    SocketKind type = SocketKind::ANY;
    int proto = 0;
    int flags = 0;
    std::optional<Seconds> timeout = {};  ///< then TimeoutError; none: as long as the system's own limits let it take
};

/// What `getnameinfo()` gives.
struct NameInfo {
    std::string host;
    std::string service;
};

namespace detail {

/// The arguments of a look-up, kept.
struct AddressQuery {
    OwnedHost host;
    OwnedPort port;
    AddressFamily family = AddressFamily::UNSPEC;
    SocketKind type = SocketKind::ANY;
    int proto = 0;
    int flags = 0;
};

/// The address that the host's number itself is, for a stream or a datagram socket; nothing if the host is a name.
std::optional<AddressInfo> literal_address(const AddressQuery& query);
/// The same, or all that are found. As CPython's `_ensure_resolved`.
Coro<std::vector<AddressInfo>> resolve(AddressQuery query);

Coro<std::vector<AddressInfo>> getaddrinfo(AddressQuery query);
Coro<std::vector<AddressInfo>> getaddrinfo_in_time(AddressQuery query, Seconds timeout);
Coro<NameInfo> getnameinfo(SocketAddress address, int flags);

}  // namespace detail

/// Looks up the addresses of a host, at least one. Numbers do not suspend. Throws gaierror.
///
/// The C library's call blocks, so it runs on one of a few threads that the loop has for look-ups alone, or on the
/// executor that you have given the loop. Tasks that ask the same at the same time share a look-up. Cancelling ends the
/// wait at once; a look-up that has begun ends unseen, and nobody waits for it, neither `run()` nor the end of the
/// program. Python: loop.getaddrinfo, on the default executor, without `timeout`.
inline Coro<std::vector<AddressInfo>> getaddrinfo(Host host, Port port, AddressOptions options = {}) {
    detail::AddressQuery query{
        detail::OwnedHost(host), detail::OwnedPort(port), options.family, options.type, options.proto, options.flags};
    if (options.timeout) return detail::getaddrinfo_in_time(std::move(query), *options.timeout);
    return detail::getaddrinfo(std::move(query));
}

/// The names of a host and a service, on such a thread as well, unless `flags` ask for numbers only. Cancelling ends
/// the wait at once. Python: loop.getnameinfo.
inline Coro<NameInfo> getnameinfo(const SocketAddress& address, int flags = 0) {
    return detail::getnameinfo(address, flags);
}

}  // namespace asyncio
