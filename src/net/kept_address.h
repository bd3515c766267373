#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/net/socket_address.h>

#include <cstdint>
#include <cstring>

namespace asyncio::detail {

/// An address that is seldom asked for, in little more room than it takes: a fourth of a SocketAddress for IP.
class KeptAddress {
public:
    explicit KeptAddress(const SocketAddress& address) : size_(static_cast<std::uint8_t>(address.native_size())) {
        if (size_ > sizeof bytes_) {
            void* block = allocate(size_);
            std::memcpy(bytes_, &block, sizeof block);
        }
        std::memcpy(place(), address.native(), size_);
    }
    ~KeptAddress() {
        if (size_ > sizeof bytes_) deallocate(place(), size_);
    }
    KeptAddress(const KeptAddress&) = delete;
    KeptAddress& operator=(const KeptAddress&) = delete;

    SocketAddress get() const noexcept {
        SocketAddress address;
        std::memcpy(address.native_room(), place(), size_);
        address.set_native_size(size_);
        return address;
    }

private:
    void* place() const noexcept {
        if (size_ <= sizeof bytes_) return const_cast<unsigned char*>(bytes_);
        void* block = nullptr;
        std::memcpy(&block, bytes_, sizeof block);
        return block;
    }

    unsigned char bytes_[28];  // an IPv6 address fits; of what is longer, where it is
    std::uint8_t size_;
};
static_assert(SocketAddress::capacity <= UINT8_MAX);

}  // namespace asyncio::detail
