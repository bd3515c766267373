#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "net/socket_transport.h"

#include <asyncio/net/stream_reader_protocol.h>

#include <cstdint>
#include <utility>

namespace asyncio::detail {

void SocketTransport::start_receiving() noexcept {
    if (!is_reading() || conn_lost_ > 0 || read_to_end_ || receive_.is_waiting()) return;
    if (receive_.start(loop_->io())) fail(static_cast<int>(-receive_.result));
}

void SocketTransport::pause_reading() {
    if (!is_reading()) return;
    paused_ = true;
    if (!offered_ && !asking_) receive_.stop();
}

void SocketTransport::resume_reading() {
    if (closing_ || !paused_) return;
    paused_ = false;
    renew_context();
    start_receiving();
}

/// From now on the protocol is called in a copy of the current one, as CPython's new handle would be.
void SocketTransport::renew_context() noexcept {
    if (!protocol_ || is_stream()) return;
    context_ = ContextSlot::copy_current();
    context_is_new_ = true;
}

void SocketTransport::is_readable(ReadyNode& node) {
    SocketTransport& self = receiver(node);
    if (!self.is_stream()) return self.receive_for_protocol();
    self.offered_ = static_cast<StreamReaderProtocol&>(*self.protocol_).reader()->offer();
    if (!self.offered_) self.receive_for_stream();
}

void SocketTransport::receive_late() noexcept {
    if (!std::exchange(offered_, false) || receive_for_stream()) return;
    // A pass ago the loss would have been scheduled for now.
    receive_.ReadyNode::unlink();
    lose_connection(std::exchange(lost_by_, nullptr));
}

/// False if that failed: then the connection is about to be lost.
bool SocketTransport::receive_for_stream() noexcept {
    try {
        if (try_to_receive_for_stream()) return true;
        fail(static_cast<int>(-receive_.result));
    } catch (...) {  // no memory for what has come
        force_close(std::current_exception());
    }
    return false;
}

bool SocketTransport::try_to_receive_for_stream() {
    auto& stream = static_cast<StreamReaderProtocol&>(*protocol_);
    WritableBytes room = stream.reader()->room();
    bool directly = room.size() > 0;
    receive_.data = directly ? room.data() : loop_->receive_buffer().memory();
    receive_.size = directly ? room.size() : ReceiveBuffer::size;
    if (!receive_.finish()) return true;  // it was not there after all
    std::int64_t size = receive_.result;
    if (size < 0) return false;
    if (size == 0) {
        read_to_end_ = true;
        stream.reader()->feed_eof();
        return true;
    }
    if (directly) {
        stream.reader()->put_directly(static_cast<std::size_t>(size));
    } else {
        stream.reader()->feed_data({static_cast<const char*>(receive_.data), static_cast<std::size_t>(size)});
    }
    start_receiving();
    return true;
}

/// The context of a protocol's call. When that is over it is there for the next, unless there is a new one.
class SocketTransport::CallContext {
public:
    explicit CallContext(SocketTransport& transport) noexcept
        : transport_(transport), slot(std::move(transport.context_)) {
        transport.context_is_new_ = false;
    }
    ~CallContext() {
        if (!transport_.context_is_new_) transport_.context_ = std::move(slot);
    }
    CallContext(const CallContext&) = delete;

private:
    SocketTransport& transport_;

public:
    ContextSlot slot;
};

void SocketTransport::receive_for_protocol() {
    Ref<TransportState> keep_alive(this);
    Ref<BaseProtocol> protocol = protocol_;  // another may take its place
    CallContext context(*this);
    ContextScope scope(loop_->current_context(), context.slot);
    const char* message = nullptr;
    try {
        receive_and_tell(*protocol, message);
    } catch (...) {
        fatal_error(message, *protocol);
    }
}

/// `message` is what to say if it throws.
// CPython: selector_events.py, _SelectorSocketTransport._read_ready__get_buffer and ._read_ready__data_received
void SocketTransport::receive_and_tell(BaseProtocol& protocol, const char*& message) {
    bool is_buffered = protocol.kind() == BaseProtocol::Kind::buffered;
    WritableBytes room;
    if (is_buffered) {
        message = "Fatal error: protocol.get_buffer() call failed.";
        asking_ = true;
        try {
            room = static_cast<BufferedProtocol&>(protocol).get_buffer(-1);
        } catch (...) {
            asking_ = false;
            bool leaves_loop = current_exception_is_keyboard_interrupt_or_system_exit();
            if (paused_) {
                receive_.stop();
            } else if (leaves_loop && receive_.is_waiting()) {
                schedule(*loop_, receive_);  // it is still to be received
            }
            throw;
        }
        asking_ = false;
        if (room.size() == 0) throw RuntimeError("get_buffer() returned an empty buffer");
        if (!receive_.is_waiting()) return;  // it has closed
        if (paused_) return receive_.stop();
    }
    message = "Fatal read error on socket transport";
    if (!is_buffered) room = {loop_->receive_buffer().memory(), ReceiveBuffer::size};
    receive_.data = room.data();
    receive_.size = room.size();
    if (!receive_.finish()) return;  // it was not there after all
    if (receive_.result < 0) return fail(static_cast<int>(-receive_.result));
    auto size = static_cast<std::size_t>(receive_.result);
    if (size == 0) {
        read_to_end_ = true;
        message = "Fatal error: protocol.eof_received() call failed.";
        if (!call_eof_received(protocol)) close();
        return;
    }
    start_receiving();
    if (is_buffered) {
        message = "Fatal error: protocol.buffer_updated() call failed.";
        static_cast<BufferedProtocol&>(protocol).buffer_updated(size);
    } else {
        message = "Fatal error: protocol.data_received() call failed.";
        ReceiveBuffer::Loan loan(loop_->receive_buffer());  // a stream that the protocol closes receives its rest
        static_cast<Protocol&>(protocol).data_received({room.data(), size});
    }
}

/// The end is about to come. What was offered already came before, even if it is another end.
void SocketTransport::receive_offered() noexcept {
    if (std::exchange(offered_, false)) receive_for_stream();
}

}  // namespace asyncio::detail
