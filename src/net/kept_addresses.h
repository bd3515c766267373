#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/socket_address.h>

#include <cstdint>
#include <cstring>

namespace asyncio::detail {

/// The two addresses of a connection, which are seldom asked for, in little more room than they take: a tenth of two
/// SocketAddresses for IPv4.
class KeptAddresses {
public:
    KeptAddresses(const SocketAddress& first, const SocketAddress& second)
        : sizes_{kept_size(first), kept_size(second)} {
        if (!fits()) {
            void* block = allocate(size());
            std::memcpy(bytes_, &block, sizeof block);
        }
        std::memcpy(place(), first.native(), sizes_[0]);
        std::memcpy(place() + sizes_[0], second.native(), sizes_[1]);
    }
    /// A socket's own, and its peer's: the one that is given, or what it says. Empty where it does not know.
    KeptAddresses(const SocketState& socket, const SocketAddress& peer = {})
        : KeptAddresses(asked(socket, &SocketState::getsockname),
                        peer ? peer : asked(socket, &SocketState::getpeername)) {}
    ~KeptAddresses() {
        if (!fits()) deallocate(place(), size());
    }
    KeptAddresses(const KeptAddresses&) = delete;
    KeptAddresses& operator=(const KeptAddresses&) = delete;

    SocketAddress first() const noexcept { return address(place(), sizes_[0]); }
    SocketAddress second() const noexcept { return address(place() + sizes_[0], sizes_[1]); }

private:
    static constexpr std::uint8_t ipv4_size = 16;
    static constexpr std::uint8_t ipv4_used = 8;  // family, port and number; the rest is zero

    static SocketAddress asked(const SocketState& socket, SocketAddress (SocketState::*ask)() const) noexcept {
        try {
            return (socket.*ask)();
        } catch (...) {
            return {};
        }
    }
    static std::uint8_t kept_size(const SocketAddress& address) noexcept {
        bool is_ipv4 = address.family() == AddressFamily::INET;
        return is_ipv4 ? ipv4_used : static_cast<std::uint8_t>(address.native_size());
    }
    static SocketAddress address(const unsigned char* bytes, std::uint8_t size) noexcept {
        SocketAddress address;
        std::memcpy(address.native_room(), bytes, size);
        address.set_native_size(size);
        if (address.family() == AddressFamily::INET) address.set_native_size(ipv4_size);
        return address;
    }
    std::size_t size() const noexcept { return std::size_t{sizes_[0]} + sizes_[1]; }
    bool fits() const noexcept { return size() <= sizeof bytes_; }
    unsigned char* place() const noexcept {
        if (fits()) return const_cast<unsigned char*>(bytes_);
        unsigned char* block = nullptr;
        std::memcpy(&block, bytes_, sizeof block);
        return block;
    }

    unsigned char bytes_[2 * ipv4_used];  // of what is longer, where it is
    std::uint8_t sizes_[2];
};
static_assert(SocketAddress::capacity <= UINT8_MAX);

}  // namespace asyncio::detail
