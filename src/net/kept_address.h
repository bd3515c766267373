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
        if (size_ > sizeof bytes_) block_ = allocate(size_);
        std::memcpy(size_ > sizeof bytes_ ? block_ : bytes_, address.native(), size_);
    }
    ~KeptAddress() {
        if (size_ > sizeof bytes_) deallocate(block_, size_);
    }
    KeptAddress(const KeptAddress&) = delete;
    KeptAddress& operator=(const KeptAddress&) = delete;

    SocketAddress get() const noexcept {
        SocketAddress address;
        std::memcpy(address.native_room(), size_ > sizeof bytes_ ? block_ : bytes_, size_);
        address.set_native_size(size_);
        return address;
    }

private:
    union {
        unsigned char bytes_[28];  // an IPv6 address fits
        void* block_;
    };
    std::uint8_t size_;
};
static_assert(SocketAddress::capacity <= UINT8_MAX);

}  // namespace asyncio::detail
