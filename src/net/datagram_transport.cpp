#include "net/datagram_transport.h"

#include "loop/loop_core.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/os_errors.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <span>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr int errors_before_pause = 100;
constexpr double pause_after_errors = 0.01;

}  // namespace

DatagramTransportState::DatagramTransportState(LoopCore& loop, Socket socket, Ref<DatagramProtocol> protocol,
                                               const SocketAddress& target)
    : loop_(&loop),
      socket_(socket.state()),
      beginning_(std::make_unique<Beginning>(*this)),
      receive_(IoCall::receive_from, &DatagramTransportState::is_readable, *this),
      names_(*socket_),
      target_(target),
      is_connected_(names_.second()),
      can_cut_(is_udp(*socket_)) {
    receive_.descriptor = {socket_->fd, socket_->serial};
    receive_.at_once = false;
    receive_.tells_size = true;
    take_protocol(std::move(protocol));
    loop.descriptors().set_user(socket_->fd, this);
    loop.inc_ref();
    loop.resources.push_back(*this);
    socket.release();  // from here on the state is ours to close
}

DatagramTransportState::~DatagramTransportState() { loop_->dec_ref(); }

/// What was once received in batches goes on so: the kernel may have put some together.
void DatagramTransportState::take_protocol(Ref<DatagramProtocol> protocol) {
    auto* batches = dynamic_cast<DatagramBatchProtocol*>(protocol.get());
    if (batches != nullptr && !room_) {
        room_ = std::make_unique<BatchRoom>();
        receive_together(*socket_);
        receive_.call = IoCall::receive_many;
    }
    batch_protocol_ = batches;
    protocol_ = std::move(protocol);
}

void DatagramTransportState::set_protocol(Ref<BaseProtocol> protocol) {
    if (is_over()) return;
    if (protocol->kind() != BaseProtocol::Kind::datagram) throw TypeError("a DatagramProtocol was expected");
    take_protocol(Ref<DatagramProtocol>(static_cast<DatagramProtocol*>(protocol.get())));
}

// Beginning.

void DatagramTransportState::begin(Waiter* waiter) noexcept {
    beginning_->waiter = waiter;
    beginning_->context = ContextSlot::copy_current();
    context_ = ContextSlot::copy_current();
    schedule(*loop_, *beginning_);
}

void DatagramTransportState::begins(ReadyNode& node) {
    DatagramTransportState& self = static_cast<Beginning&>(node).transport;
    Ref<TransportState> keep(&self);
    Ref<DatagramProtocol> protocol = self.protocol_;
    try {
        ContextSlot context = std::move(self.beginning_->context);
        ContextScope scope(self.loop_->current_context(), context);
        protocol->connection_made(DatagramTransport(&self));
    } catch (...) {
        self.end_of_beginning();
        return tell_failed_callback("connection_made", *protocol, self);
    }
    self.end_of_beginning();
}

void DatagramTransportState::end_of_beginning() noexcept {
    if (!beginning_) return;  // it is over already
    start_receiving();
    if (beginning_->waiter != nullptr) beginning_->waiter->wake();
    beginning_.reset();
}

// Receiving.

void DatagramTransportState::start_receiving() noexcept {
    if (!is_reading() || conn_lost_ > 0 || receive_.is_waiting() || retry_) return;
    if (receive_.start(loop_->io())) fail(static_cast<int>(-receive_.result));
}

void DatagramTransportState::pause_reading() noexcept {
    if (!is_reading()) return;
    paused_ = true;
    receive_.stop();
}

void DatagramTransportState::resume_reading() noexcept {
    if (closing_ || !paused_) return;
    paused_ = false;
    if (!beginning_) start_receiving();
}

void DatagramTransportState::is_readable(ReadyNode& node) {
    DatagramTransportState& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    Ref<TransportState> keep(&self);
    Ref<DatagramProtocol> protocol = self.protocol_;  // another may take its place
    try {
        CallContext context(self);
        ContextScope scope(self.loop_->current_context(), context.slot);
        self.room_ ? self.receive_many() : self.receive_one();
    } catch (...) {
        self.start_receiving();
        tell_failed_call("Exception in callback _SelectorDatagramTransport._read_ready()", *protocol, self);
    }
}

/// What a connection says when it is over, each time that it is asked.
bool DatagramTransportState::is_end(std::size_t size) const noexcept {
    return size == 0 && socket_->kind == SocketKind::SEQPACKET;
}

void DatagramTransportState::receive_one() {
    try {
        receive_.data = loop_->receive_buffer().memory();
    } catch (const std::bad_alloc&) {
        force_close(std::current_exception());
        return tell_failed_call("Fatal read error on datagram transport", *protocol_, *this);
    }
    receive_.size = ReceiveBuffer::size;
    receive_.address = sender_.native_room();
    receive_.address_size = SocketAddress::capacity;
    if (!receive_.finish()) return;  // it was not there after all
    std::int64_t result = receive_.result;
    const char* data = static_cast<const char*>(receive_.data);
    if (result < 0) return tell_receive_error(result);
    if (is_end(static_cast<std::size_t>(result))) return close();
    errors_in_a_row_ = 0;
    start_receiving();  // what is called next may throw
    sender_.set_native_size(receive_.address_size);
    ReceiveBuffer::Loan loan(loop_->receive_buffer());
    auto size = static_cast<std::size_t>(result);
    if (size > ReceiveBuffer::size) {
        size = ReceiveBuffer::size;
        std::exception_ptr cut = make_os_error(
            EMSGSIZE, "a datagram of " + std::to_string(result) + " bytes was cut to " + std::to_string(size));
        protocol_->error_received(std::move(cut));  // is_readable() keeps it
        if (is_over() || conn_lost_ > 0) return;
    }
    Ref<DatagramProtocol> protocol = protocol_;
    protocol->datagram_received({data, size}, sender_);
}

void DatagramTransportState::receive_many() {
    // What is thrown for one datagram costs the others nothing: they may be somebody else's.
    auto tell = [this](auto&& call) {
        Ref<DatagramProtocol> protocol = protocol_;  // another may take its place
        try {
            call(*protocol);
        } catch (...) {
            tell_failed_call("Exception in callback _SelectorDatagramTransport._read_ready()", *protocol, *this);
        }
    };
    room_->prepare(receive_);
    if (!receive_.finish()) return;
    std::int64_t result = receive_.result;
    if (result < 0) return tell_receive_error(result);
    errors_in_a_row_ = 0;
    start_receiving();
    room_->begin(static_cast<std::size_t>(result));
    for (;;) {
        std::span<const ReceivedDatagram> datagrams = room_->next();
        if (datagrams.empty()) return;
        if (batch_protocol_ != nullptr) {
            auto end = std::find_if(datagrams.begin(), datagrams.end(),
                                    [this](const ReceivedDatagram& datagram) { return is_end(datagram.data.size()); });
            std::span<const ReceivedDatagram> before(datagrams.begin(), end);
            if (!before.empty()) {
                tell([&](DatagramProtocol&) { batch_protocol_->datagrams_received(before); });
            }
            if (end != datagrams.end()) return close();
            if (closing_) return;
            continue;
        }
        for (const ReceivedDatagram& datagram : datagrams) {
            if (is_end(datagram.data.size())) return close();
            tell([&](DatagramProtocol& protocol) { protocol.datagram_received(datagram.data, datagram.address); });
            if (closing_) return;
        }
    }
}

void DatagramTransportState::tell_error(std::int64_t result) {
    Ref<DatagramProtocol> protocol = protocol_;
    protocol->error_received(make_os_error(static_cast<int>(-result)));
}

void DatagramTransportState::tell_receive_error(std::int64_t result) {
    if (++errors_in_a_row_ >= errors_before_pause) {
        retry_ = std::make_unique<Retry>(*this);
        try {
            schedule_at(*loop_, time_of(*loop_) + Seconds(pause_after_errors), *retry_);
        } catch (const std::bad_alloc&) {
            retry_.reset();
        }
    }
    start_receiving();
    tell_error(result);
}

void DatagramTransportState::try_again(ReadyNode& node) {
    DatagramTransportState& self = static_cast<Retry&>(static_cast<TimerNode&>(node)).transport;
    self.retry_.reset();
    self.start_receiving();
}

void DatagramTransportState::stop_trying() noexcept {
    if (!retry_) return;
    if (retry_->is_scheduled()) unschedule(*loop_, *retry_);
    retry_.reset();
}

// The end.

void DatagramTransportState::close() noexcept {
    if (closing_) return;
    closing_ = true;
    leave_descriptor();
    receive_.stop();
    if (has_to_wait()) return;
    backlog_.reset();
    schedule_end();
}

void DatagramTransportState::fail(int error) noexcept { force_close(os_error_or_lack_of_memory(error)); }

void DatagramTransportState::force_close(std::exception_ptr error) noexcept {
    if (conn_lost_ > 0) return;
    backlog_.reset();
    if (!closing_) {
        closing_ = true;
        leave_descriptor();
        receive_.stop();
    }
    lost_by_ = std::move(error);
    schedule_end();
}

/// It receives no more: its node is free.
void DatagramTransportState::schedule_end() noexcept {
    conn_lost_ = 1;
    context_ = ContextSlot::copy_current();
    receive_.set_run(&DatagramTransportState::connection_is_lost);
    schedule(*loop_, receive_);
}

/// Its number is free for add_reader() and the like.
void DatagramTransportState::leave_descriptor() noexcept {
    loop_->descriptors().set_user(receive_.descriptor.fd, nullptr);
}

void DatagramTransportState::connection_is_lost(ReadyNode& node) {
    DatagramTransportState& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    self.lose_connection(std::exchange(self.lost_by_, nullptr));
}

void DatagramTransportState::lose_connection(std::exception_ptr error) {
    Ref<TransportState> keep(this);
    Ref<DatagramProtocol> protocol = protocol_;
    if (beginning_) return disconnect();
    try {
        ContextSlot context = std::move(context_);
        ContextScope scope(loop_->current_context(), context);
        protocol->connection_lost(std::move(error));
    } catch (...) {
        disconnect();
        return tell_failed_callback("connection_lost", *protocol, *this);
    }
    disconnect();
}

void DatagramTransportState::disconnect() noexcept {
    ListHook<LoopResources>::unlink();
    beginning_.reset();
    stop_trying();
    receive_.stop();
    receive_.ReadyNode::unlink();
    backlog_.reset();
    loop_->io().closing({socket_->fd, socket_->serial});
    socket_->close();
    batch_protocol_ = nullptr;
    std::exchange(protocol_, nullptr)->detached();
    dec_ref();  // its own
}

void DatagramTransportState::loop_is_closing() noexcept {
    if (!closing_) leave_descriptor();
    closing_ = true;
    conn_lost_ = 1;
    disconnect();
}

// To be looked at.

ExtraInfo DatagramTransportState::get_extra_info(std::string_view name) const {
    if (name == "socket") return ExtraInfo(TransportSocket(socket_));
    if (name == "peername") return ExtraInfo(names_.second());
    if (name == "sockname") return ExtraInfo(names_.first());
    return {};
}

std::string DatagramTransportState::repr() const {
    std::string text = "<_SelectorDatagramTransport";
    if (is_over()) {
        text += " closed";
    } else if (closing_) {
        text += " closing";
    }
    text += " fd=" + std::to_string(receive_.descriptor.fd);
    if (!is_over()) {
        text += receive_.is_waiting() ? " read=polling" : " read=idle";
        text += backlog_ && backlog_->send.is_waiting() ? " write=<polling" : " write=<idle";
        text += ", bufsize=" + std::to_string(write_buffer_size()) + ">";
    }
    return text + ">";
}

}  // namespace asyncio::detail
