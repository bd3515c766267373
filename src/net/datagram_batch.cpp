#include "net/datagram_batch.h"

#include <asyncio/net/socket.h>

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace asyncio::detail {

namespace {

// The kernel's limits: a message with its headers has a size of 16 bits, and is cut into 64 at most.
constexpr std::size_t most_together = 64;
constexpr std::size_t most_bytes_together = 65'000;

}  // namespace

bool is_udp(const SocketState& socket) noexcept {
    bool is_internet = socket.family == AddressFamily::INET || socket.family == AddressFamily::INET6;
    return is_internet && socket.kind == SocketKind::DGRAM && (socket.proto == 0 || socket.proto == IPPROTO_UDP);
}

void receive_together(const SocketState& socket) noexcept {
    int on = 1;
    if (is_udp(socket)) ::setsockopt(socket.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
}

// Receiving.

BatchRoom::BatchRoom() : slots_(new char[most_messages * slot_size]) {
    for (std::size_t i = 0; i < most_messages; ++i) {
        parts_[i] = {slots_.get() + i * slot_size, slot_size};
        messages_[i] = {};
        msghdr& message = messages_[i].msg_hdr;
        message.msg_iov = &parts_[i];
        message.msg_iovlen = 1;
        message.msg_name = addresses_[i].native_room();
        message.msg_control = controls_[i].bytes;
    }
}

void BatchRoom::prepare(IoOperation& operation) noexcept {
    for (mmsghdr& entry : messages_) {
        entry.msg_hdr.msg_namelen = SocketAddress::capacity;
        entry.msg_hdr.msg_controllen = sizeof(Control);
    }
    operation.data = messages_;
    operation.size = most_messages;
}

void BatchRoom::begin(std::size_t messages) noexcept {
    messages_come_ = messages;
    message_ = 0;
    offset_ = 0;
    for (std::size_t i = 0; i < messages; ++i) addresses_[i].set_native_size(messages_[i].msg_hdr.msg_namelen);
}

/// Zero if it is one datagram.
std::size_t BatchRoom::segment_size_of(std::size_t message) noexcept {
    msghdr& header = messages_[message].msg_hdr;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != IPPROTO_UDP || part->cmsg_type != UDP_GRO) continue;
        int size = 0;
        std::memcpy(&size, CMSG_DATA(part), sizeof size);
        return size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    return 0;
}

std::span<const ReceivedDatagram> BatchRoom::next() noexcept {
    std::size_t count = 0;
    while (message_ < messages_come_ && count < most_at_once) {
        std::size_t whole = messages_[message_].msg_len;
        std::size_t segment = segment_size_of(message_);
        if (segment == 0) segment = std::max<std::size_t>(whole, 1);
        const char* bytes = slots_.get() + message_ * slot_size;
        bool truncated = (messages_[message_].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        do {
            std::size_t size = std::min(segment, whole - offset_);
            bool is_last = offset_ + size == whole;
            datagrams_[count++] = {{bytes + offset_, size}, addresses_[message_], truncated && is_last};
            offset_ += size;
        } while (offset_ < whole && count < most_at_once);
        if (offset_ < whole) break;
        ++message_;
        offset_ = 0;
    }
    return {datagrams_, count};
}

// Sending.

void SendBatch::fill(std::span<const Datagram> datagrams, To to, bool together) noexcept {
    count_ = part_count_ = 0;
    bool all_the_same_way = to.is_connected || to.target != nullptr;
    datagrams = datagrams.first(std::min(datagrams.size(), most));
    while (!datagrams.empty()) {
        const Datagram& first = datagrams.front();
        std::size_t size = first.data.size();
        std::size_t count = 1;
        if (together && size > 0) {
            std::size_t fitting = std::min({datagrams.size(), most_together, most_bytes_together / size});
            while (count < fitting && datagrams[count].data.size() <= size && datagrams[count].data.size() > 0 &&
                   (all_the_same_way || datagrams[count].address == first.address)) {
                ++count;
                if (datagrams[count - 1].data.size() < size) break;  // only the last may be shorter
            }
        }
        add_message(datagrams.first(count), to);
        datagrams = datagrams.subspan(count);
    }
}

void SendBatch::add_message(std::span<const Datagram> same, To to) noexcept {
    messages_[count_] = {};
    msghdr& message = messages_[count_].msg_hdr;
    message.msg_iov = &parts_[part_count_];
    for (const Datagram& datagram : same) {
        auto* data = const_cast<char*>(datagram.data.data());
        iovec* last = message.msg_iovlen > 0 ? &parts_[part_count_ - 1] : nullptr;
        if (last != nullptr && static_cast<char*>(last->iov_base) + last->iov_len == data) {
            last->iov_len += datagram.data.size();
        } else {
            parts_[part_count_++] = {data, datagram.data.size()};
            ++message.msg_iovlen;
        }
    }
    const SocketAddress& address = to.target != nullptr ? *to.target : same.front().address;
    if (!to.is_connected && address) {
        message.msg_name = const_cast<void*>(address.native());
        message.msg_namelen = address.native_size();
    }
    if (same.size() > 1) {
        message.msg_control = controls_[count_].bytes;
        message.msg_controllen = sizeof controls_[count_].bytes;
        std::memset(controls_[count_].bytes, 0, sizeof controls_[count_].bytes);
        cmsghdr* part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = IPPROTO_UDP;
        part->cmsg_type = UDP_SEGMENT;
        part->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
        auto size = static_cast<std::uint16_t>(same.front().data.size());
        std::memcpy(CMSG_DATA(part), &size, sizeof size);
    }
    sizes_[count_++] = static_cast<std::uint8_t>(same.size());
}

void SendBatch::prepare(IoOperation& operation) noexcept {
    operation.data = messages_;
    operation.size = count_;
}

std::size_t SendBatch::datagrams_in(std::size_t messages) const noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < messages; ++i) count += sizes_[i];
    return count;
}

}  // namespace asyncio::detail
