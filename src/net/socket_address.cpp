#include <asyncio/net/socket_address.h>

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>

namespace asyncio {

namespace {

static_assert(static_cast<int>(AddressFamily::INET) == AF_INET && static_cast<int>(AddressFamily::INET6) == AF_INET6 &&
              static_cast<int>(AddressFamily::UNIX) == AF_UNIX);
static_assert(static_cast<int>(SocketKind::STREAM) == SOCK_STREAM &&
              static_cast<int>(SocketKind::DGRAM) == SOCK_DGRAM &&
              static_cast<int>(SocketKind::SEQPACKET) == SOCK_SEQPACKET);
static_assert(sizeof(sockaddr_un) <= SocketAddress::capacity && sizeof(sockaddr_in6) <= SocketAddress::capacity);

constexpr std::size_t path_begin = offsetof(sockaddr_un, sun_path);

template <class Native>
Native as(const SocketAddress& address) noexcept {
    Native native;
    std::memcpy(&native, address.native(), sizeof native);
    return native;
}

}  // namespace

std::string repr(AddressFamily family) {
    std::string number = std::to_string(static_cast<int>(family));
    switch (family) {
        case AddressFamily::UNSPEC:
            return "<AddressFamily.AF_UNSPEC: " + number + ">";
        case AddressFamily::UNIX:
            return "<AddressFamily.AF_UNIX: " + number + ">";
        case AddressFamily::INET:
            return "<AddressFamily.AF_INET: " + number + ">";
        case AddressFamily::INET6:
            return "<AddressFamily.AF_INET6: " + number + ">";
    }
    return number;
}

std::string repr(SocketKind kind) {
    std::string number = std::to_string(static_cast<int>(kind));
    switch (kind) {
        case SocketKind::STREAM:
            return "<SocketKind.SOCK_STREAM: " + number + ">";
        case SocketKind::DGRAM:
            return "<SocketKind.SOCK_DGRAM: " + number + ">";
        case SocketKind::RAW:
            return "<SocketKind.SOCK_RAW: " + number + ">";
        case SocketKind::SEQPACKET:
            return "<SocketKind.SOCK_SEQPACKET: " + number + ">";
        case SocketKind::ANY:
            break;
    }
    return number;
}

namespace {

[[noreturn]] void throw_wild_port(std::int64_t port) {
    constexpr std::int64_t cut = std::numeric_limits<int>::max();  // what a text of many digits was cut to
    throw ValueError("port must be 0-65535" + (port < cut ? ", not " + std::to_string(port) : "") + ".");
}

}  // namespace

SocketAddress::SocketAddress(std::string_view host, std::int64_t port, std::uint32_t flowinfo, std::uint32_t scope_id) {
    if (port < 0 || port > 65535) throw_wild_port(port);
    if (flowinfo > 0xfffff) throw ValueError("flowinfo must be 0-1048575.");
    std::string text(host);
    sockaddr_in v4 = {};
    sockaddr_in6 v6 = {};
    bool is_text = host.find('\0') == host.npos;
    if (is_text && ::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(static_cast<std::uint16_t>(port));
        std::memcpy(bytes_, &v4, size_ = sizeof v4);
    } else if (is_text && ::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(static_cast<std::uint16_t>(port));
        v6.sin6_flowinfo = htonl(flowinfo);
        v6.sin6_scope_id = scope_id;
        std::memcpy(bytes_, &v6, size_ = sizeof v6);
    } else {
        throw ValueError(detail::quoted(host) + " is not a numeric address; names are for getaddrinfo()");
    }
}

SocketAddress SocketAddress::unix_path(std::string_view path) {
    sockaddr_un native = {};
    bool is_abstract = !path.empty() && path.front() == '\0';
    std::size_t room = sizeof native.sun_path - (is_abstract ? 0 : 1);  // a path ends with a zero byte
    if (path.size() > room) throw OSError("AF_UNIX path too long");
    if (!is_abstract && path.find('\0') != path.npos) throw ValueError("embedded null character in path");
    native.sun_family = AF_UNIX;
    if (!path.empty()) std::memcpy(native.sun_path, path.data(), path.size());
    SocketAddress address;
    address.size_ = static_cast<std::uint32_t>(path_begin + path.size() + (path.empty() || is_abstract ? 0 : 1));
    std::memcpy(address.bytes_, &native, sizeof native);
    return address;
}

SocketAddress SocketAddress::from_native(const void* native, std::size_t size) {
    if (size > capacity) throw ValueError("this address is too large");
    SocketAddress address;
    if (size > 0) std::memcpy(address.bytes_, native, size);
    address.size_ = static_cast<std::uint32_t>(size);
    return address;
}

bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept {
    return a.size_ == b.size_ && std::memcmp(a.bytes_, b.bytes_, a.size_) == 0;
}

bool operator<(const SocketAddress& a, const SocketAddress& b) noexcept {
    int order = std::memcmp(a.bytes_, b.bytes_, std::min(a.size_, b.size_));
    return order < 0 || (order == 0 && a.size_ < b.size_);
}
std::size_t hash_value(const SocketAddress& a) noexcept {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(a.bytes_), a.size_});
}

AddressFamily SocketAddress::family() const noexcept {
    if (size_ < sizeof(sa_family_t)) return AddressFamily::UNSPEC;
    return static_cast<AddressFamily>(as<sockaddr>(*this).sa_family);
}

std::string SocketAddress::host() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (family() == AddressFamily::INET) {
        auto native = as<sockaddr_in>(*this);
        ::inet_ntop(AF_INET, &native.sin_addr, text, sizeof text);
    } else if (family() == AddressFamily::INET6) {
        auto native = as<sockaddr_in6>(*this);
        ::inet_ntop(AF_INET6, &native.sin6_addr, text, sizeof text);
    }
    return text;
}

int SocketAddress::port() const noexcept {
    if (family() == AddressFamily::INET) return ntohs(as<sockaddr_in>(*this).sin_port);
    if (family() == AddressFamily::INET6) return ntohs(as<sockaddr_in6>(*this).sin6_port);
    return 0;
}

std::uint32_t SocketAddress::flowinfo() const noexcept {
    return family() == AddressFamily::INET6 ? ntohl(as<sockaddr_in6>(*this).sin6_flowinfo) : 0;
}

std::uint32_t SocketAddress::scope_id() const noexcept {
    return family() == AddressFamily::INET6 ? as<sockaddr_in6>(*this).sin6_scope_id : 0;
}

std::string SocketAddress::path() const {
    if (family() != AddressFamily::UNIX || size_ <= path_begin) return {};
    std::string_view name(reinterpret_cast<const char*>(bytes_) + path_begin, size_ - path_begin);
    if (name.front() != '\0') name = name.substr(0, name.find('\0'));
    return std::string(name);
}

std::string repr(const SocketAddress& address) {
    switch (address.family()) {
        case AddressFamily::INET:
            return "('" + address.host() + "', " + std::to_string(address.port()) + ")";
        case AddressFamily::INET6:
            return "('" + address.host() + "', " + std::to_string(address.port()) + ", " +
                   std::to_string(address.flowinfo()) + ", " + std::to_string(address.scope_id()) + ")";
        case AddressFamily::UNIX: {
            std::string path = address.path();
            return !path.empty() && path.front() == '\0' ? detail::quoted_bytes(path) : detail::quoted(path);
        }
        case AddressFamily::UNSPEC:
            break;
    }
    if (!address) return "None";
    std::string_view bytes(static_cast<const char*>(address.native()), address.native_size());
    return "(" + std::to_string(static_cast<int>(address.family())) + ", " +
           detail::quoted_bytes(bytes.substr(sizeof(sa_family_t))) + ")";
}

}  // namespace asyncio
