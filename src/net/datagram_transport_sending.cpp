#include "net/datagram_transport.h"

#include "loop/loop_core.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace asyncio::detail {

namespace {
constexpr int sends_before_warning = 5;  // CPython: LOG_THRESHOLD_FOR_CONNLOST_WRITES

/// They are larger than the way allows, or nobody can cut on it.
bool cannot_be_cut(std::int64_t result) noexcept {
    return result == -EINVAL || result == -EIO || result == -EMSGSIZE || result == -EOPNOTSUPP ||
           result == -ENOPROTOOPT;
}
}  // namespace

/// Where it goes: null if the socket knows. Throws ValueError if the endpoint was made for another.
const SocketAddress* DatagramTransportState::check_address(const SocketAddress* given) const {
    bool is_given = given != nullptr && *given;
    if (target_) {
        if (is_given && !(*given == target_)) {
            throw ValueError("Invalid address: must be None or " + asyncio::repr(target_));
        }
        return is_connected_ ? nullptr : &target_;
    }
    return is_connected_ || !is_given ? nullptr : given;
}

/// True if it is closed, so that sending would be in vain.
bool DatagramTransportState::note_vain_send() noexcept {
    if (!is_over() && (conn_lost_ == 0 || !target_)) return false;
    if (conn_lost_ < sends_before_warning) {
        ++conn_lost_;
    } else if (target_) {
        log(LogLevel::warning, "socket.send() raised exception.");
    }
    return true;
}

// CPython: selector_events.py, _SelectorDatagramTransport.sendto
void DatagramTransportState::sendto(std::string_view data, const SocketAddress* given) {
    const SocketAddress* address = check_address(given);
    if (note_vain_send()) return;
    if (!has_to_wait()) {
        IoOperation send(IoCall::send_to);
        send.descriptor = receive_.descriptor;
        send.data = const_cast<char*>(data.data());
        send.size = data.size();
        if (address != nullptr) {
            send.address = const_cast<void*>(address->native());
            send.address_size = address->native_size();
        }
        if (send.start(loop_->io())) {
            if (send.result < 0) tell_error(send.result);
            return;
        }
    }
    keep(data, address);
    wait_for_room();
    pause_protocol_if_full();
}

void DatagramTransportState::send_batch(std::span<const Datagram> datagrams) {
    for (const Datagram& datagram : datagrams) check_address(&datagram.address);
    if (datagrams.empty() || note_vain_send()) return;
    if (!has_to_wait()) datagrams = datagrams.subspan(send_now(datagrams));
    if (datagrams.empty() || conn_lost_ > 0) return;
    for (const Datagram& datagram : datagrams) keep(datagram.data.view(), check_address(&datagram.address));
    wait_for_room();
    pause_protocol_if_full();
}

void DatagramTransportState::send_segments(std::string_view data, std::size_t segment_size,
                                           const SocketAddress* given) {
    if (segment_size == 0) throw ValueError("segment_size must be positive");
    const SocketAddress* address = check_address(given);
    while (!data.empty()) {
        Datagram datagrams[SendBatch::most];
        std::size_t count = 0;
        while (count < SendBatch::most && !data.empty()) {
            datagrams[count].data = BytesLike(data.substr(0, segment_size));
            if (address != nullptr) datagrams[count].address = *address;
            ++count;
            data.remove_prefix(std::min(data.size(), segment_size));
        }
        send_batch({datagrams, count});
    }
}

/// Sends what goes without waiting, and tells of errors; gives how many it is done with.
std::size_t DatagramTransportState::send_now(std::span<const Datagram> datagrams) {
    std::size_t done = 0;
    bool together = can_cut_;
    while (done < datagrams.size() && conn_lost_ == 0 && !is_over()) {
        SendBatch batch;
        batch.fill(datagrams.subspan(done), where_all_go(), together);
        IoOperation send(IoCall::send_many);
        send.descriptor = receive_.descriptor;
        batch.prepare(send);
        if (!send.start(loop_->io())) return done;
        if (send.result >= 0) {
            done += batch.datagrams_in(static_cast<std::size_t>(send.result));
        } else if (batch.is_cut(0) && cannot_be_cut(send.result)) {
            together = false;
        } else {
            ++done;
            tell_error(send.result);
            together = can_cut_;
        }
    }
    return done;
}

void DatagramTransportState::keep(std::string_view data, const SocketAddress* address) {
    if (!backlog_) backlog_ = std::make_unique<Backlog>(*this);
    backlog_->datagrams.push_back({std::string(data), address != nullptr ? *address : SocketAddress()});
    backlog_->size += data.size() + header_size;
}

void DatagramTransportState::wait_for_room() noexcept {
    if (conn_lost_ > 0 || !backlog_ || backlog_->send.is_waiting()) return;
    backlog_->send.at_once = false;
    if (backlog_->send.start(loop_->io())) fail(static_cast<int>(-backlog_->send.result));
}

void DatagramTransportState::is_writable(ReadyNode& node) {
    DatagramTransportState& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    Ref<TransportState> keep(&self);
    Ref<DatagramProtocol> protocol = self.protocol_;
    try {
        CallContext context(self);
        ContextScope scope(self.loop_->current_context(), context.slot);
        self.flush();
    } catch (...) {
        tell_failed_call("Exception in callback _SelectorDatagramTransport._sendto_ready()", *protocol, self);
    }
}

/// There is room, or there was an error a pass ago.
// CPython: selector_events.py, _SelectorDatagramTransport._sendto_ready
void DatagramTransportState::flush() {
    bool at_once = false;
    if (!has_to_wait()) backlog_->send.stop();
    while (has_to_wait()) {
        Datagram datagrams[SendBatch::most];
        std::size_t count = 0;
        for (const Kept& kept : backlog_->datagrams) {
            if (count == SendBatch::most) break;
            datagrams[count++] = {BytesLike(kept.data), kept.address};
        }
        SendBatch batch;
        batch.fill({datagrams, count}, where_all_go(), false);
        IoOperation& send = backlog_->send;
        batch.prepare(send);
        send.at_once = true;
        bool over = at_once ? send.start(loop_->io()) : send.finish();
        if (!over) break;
        at_once = true;
        if (send.result < 0) {
            drop_first(1);
            std::int64_t error = send.result;
            wait_for_room();
            return tell_error(error);
        }
        drop_first(static_cast<std::size_t>(send.result));
    }
    if (marks_.has_fallen(write_buffer_size())) {
        Ref<DatagramProtocol> protocol = protocol_;
        try {
            call_resume_writing(*protocol, *this);
        } catch (...) {  // what leaves the loop
            end_of_flush();
            throw;
        }
    }
    end_of_flush();
}

/// The protocol may have sent more, or closed.
void DatagramTransportState::end_of_flush() {
    if (conn_lost_ > 0 || is_over()) return;
    if (has_to_wait()) return wait_for_room();
    backlog_.reset();
    if (!closing_) return;
    conn_lost_ = 1;
    context_ = ContextSlot::copy_current();
    lose_connection(nullptr);
}

void DatagramTransportState::drop_first(std::size_t count) noexcept {
    for (; count > 0; --count) {
        backlog_->size -= backlog_->datagrams.front().data.size() + header_size;
        backlog_->datagrams.pop_front();
    }
}

void DatagramTransportState::set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) {
    marks_.set(high, low);
    pause_protocol_if_full();
}

/// It may be over already.
void DatagramTransportState::pause_protocol_if_full() {
    if (is_over() || !marks_.has_risen(write_buffer_size())) return;
    Ref<DatagramProtocol> protocol = protocol_;
    call_pause_writing(*protocol, *this);
}

}  // namespace asyncio::detail
