#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/loop/io_operation.h>
#include <asyncio/net/datagrams.h>

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace asyncio::detail {

class SocketState;

/// Whether the kernel may take its datagrams together.
bool is_udp(const SocketState& socket) noexcept;
/// From now on the kernel may put together what it receives, if it can.
void receive_together(const SocketState& socket) noexcept;

/// Where many datagrams are received in one call.
class BatchRoom : public Pooled {
public:
    BatchRoom();

    /// For IoCall::receive_many.
    void prepare(IoOperation& operation) noexcept;
    /// Begins to look at what has come in so many messages.
    void begin(std::size_t messages) noexcept;
    /// The next of them, as many as fit; none at the end.
    std::span<const ReceivedDatagram> next() noexcept;

private:
    static constexpr std::size_t most_messages = 32;
    static constexpr std::size_t slot_size = 64 * 1024;
    static constexpr std::size_t most_at_once = 128;
    struct Control {
        alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(int))];
    };
    std::size_t segment_size_of(std::size_t message) noexcept;

    mmsghdr messages_[most_messages];
    iovec parts_[most_messages];
    Control controls_[most_messages];
    SocketAddress addresses_[most_messages];
    std::unique_ptr<char[]> slots_;
    ReceivedDatagram datagrams_[most_at_once];
    std::size_t messages_come_ = 0;
    std::size_t message_ = 0;  // the next to be looked at
    std::size_t offset_ = 0;   // in it
};

/// Datagrams that are sent in one call. What several in a row have in common, size and address, goes as one message
/// that the kernel cuts again.
class SendBatch {
public:
    static constexpr std::size_t most = 64;

    /// Where all of them go: to the addresses that they have, to this one, or where the socket is connected to.
    struct To {
        bool is_connected = false;
        const SocketAddress* target = nullptr;
    };
    /// As many of them as fit. `together`: the kernel can cut.
    void fill(std::span<const Datagram> datagrams, To to, bool together) noexcept;
    /// For IoCall::send_many.
    void prepare(IoOperation& operation) noexcept;
    /// How many datagrams so many messages are.
    std::size_t datagrams_in(std::size_t messages) const noexcept;
    /// Whether the kernel has to cut the message.
    bool is_cut(std::size_t message) const noexcept { return sizes_[message] > 1; }

private:
    void add_message(std::span<const Datagram> same, To to) noexcept;

    struct Control {
        alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(std::uint16_t))];
    };
    mmsghdr messages_[most];
    iovec parts_[most];
    Control controls_[most];
    std::uint8_t sizes_[most];
    std::size_t count_ = 0;
    std::size_t part_count_ = 0;
};

}  // namespace asyncio::detail
