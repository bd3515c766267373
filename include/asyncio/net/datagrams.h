#pragma once

#include <asyncio/net/bytes_like.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/socket_address.h>

#include <span>
#include <string_view>

namespace asyncio {

/// A datagram to be sent, to the address or, without one, to that which the endpoint was made for. New here.
struct Datagram {
    BytesLike data;
    SocketAddress address = {};
};

/// A datagram that was received with others. New here.
struct ReceivedDatagram {
    std::string_view data;
    SocketAddress address;
    bool truncated = false;  ///< it was longer than 64 KiB, and the rest is lost
};

/// A protocol over datagrams that takes all that have come at once: many in one call of the system, where the kernel
/// can by UDP GRO, too. New here.
///
/// `datagram_received()` is not called. Between two calls the loop makes a pass. 2 MiB of address space belong to each
/// endpoint, of which so much is memory as datagrams have needed.
class DatagramBatchProtocol : public DatagramProtocol {
public:
    /// At least one, in the order in which they came. The bytes are gone when it returns.
    virtual void datagrams_received(std::span<const ReceivedDatagram> datagrams) = 0;
};

}  // namespace asyncio
