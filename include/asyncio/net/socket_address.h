#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace asyncio {

/// Python's `socket.AF_INET` and its like, which are macros in C: `AddressFamily::INET`.
enum class AddressFamily : int { UNSPEC = 0, UNIX = 1, INET = 2, INET6 = 10 };

/// Python's `socket.SOCK_STREAM` and its like: `SocketKind::STREAM`.
enum class SocketKind : int { ANY = 0, STREAM = 1, DGRAM = 2, RAW = 3, SEQPACKET = 5 };

/// `<AddressFamily.AF_INET: 2>`, `<SocketKind.SOCK_STREAM: 1>`, as Python prints them; the number of any other.
std::string repr(AddressFamily family);
std::string repr(SocketKind kind);

/// Where a socket is: an IPv4 or IPv6 address with a port, or a unix socket's path or abstract name.
///
/// A value of fixed size; nothing is looked up. `repr(address)` is Python's: `('127.0.0.1', 80)`, `('::1', 80, 0, 0)`,
/// `'/run/my.sock'`, `b'\x00abstract'`, `''` for a unix socket without a name, `None` for no address at all.
///
/// Python: the tuples and strings that a socket object takes and gives.
class SocketAddress {
public:
    /// None: tests false.
    SocketAddress() noexcept = default;
    /// The host is a number, `"127.0.0.1"` or `"::1"`; names are for `getaddrinfo()`. Throws ValueError.
    SocketAddress(std::string_view host, std::int64_t port, std::uint32_t flowinfo = 0, std::uint32_t scope_id = 0);
    /// A unix socket's path; an abstract name if its first byte is zero. Throws OSError if it is too long, ValueError
    /// for a zero byte inside a path, which would end it there.
    static SocketAddress unix_path(std::string_view path);
    /// From the operating system's `sockaddr`. Throws ValueError if it is too large.
    static SocketAddress from_native(const void* address, std::size_t size);

    explicit operator bool() const noexcept { return size_ != 0; }
    friend bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept;
    /// For sets and maps: in any order.
    friend bool operator<(const SocketAddress& a, const SocketAddress& b) noexcept;
    friend std::size_t hash_value(const SocketAddress& a) noexcept;

    /// INET, INET6, UNIX …; UNSPEC of none.
    AddressFamily family() const noexcept;
    /// `"127.0.0.1"`; empty if it has none.
    std::string host() const;
    /// Zero if it has none.
    int port() const noexcept;
    /// An IPv6 address's; zero if it has none.
    std::uint32_t flowinfo() const noexcept;
    /// The number of the interface that a link-local IPv6 address belongs to; zero if it has none.
    std::uint32_t scope_id() const noexcept;
    /// A unix socket's path or abstract name, which begins with a zero byte; empty if it has none.
    std::string path() const;

    /// The operating system's `sockaddr`.
    const void* native() const noexcept { return bytes_; }
    /// The bytes of `native()`.
    std::uint32_t native_size() const noexcept { return size_; }

    /// Room for any address; for the library. What the system wrote there is announced by `set_native_size()`.
    static constexpr std::uint32_t capacity = 112;
    /// For the library.
    void* native_room() noexcept { return bytes_; }
    /// For the library.
    void set_native_size(std::uint32_t size) noexcept { size_ = size <= capacity ? size : capacity; }

private:
    alignas(8) unsigned char bytes_[capacity] = {};
    std::uint32_t size_ = 0;
};

std::string repr(const SocketAddress& address);

}  // namespace asyncio

template <>
struct std::hash<asyncio::SocketAddress> {
    std::size_t operator()(const asyncio::SocketAddress& address) const noexcept { return hash_value(address); }
};
