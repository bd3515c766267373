#include "net/socket_transport.h"

#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "net/server_state.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/net/stream_reader_protocol.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <utility>

namespace asyncio::detail {

namespace {

SocketAddress name_or_none(const SocketState& socket, SocketAddress (SocketState::*ask)() const) noexcept {
    try {
        return (socket.*ask)();
    } catch (...) {
        return {};
    }
}

}  // namespace

SocketTransport::SocketTransport(LoopCore& loop, Socket socket, Ref<BaseProtocol> protocol, const SocketAddress& peer,
                                 Ref<ServerState> server)
    : loop_(&loop),
      socket_(socket.state()),
      protocol_(std::move(protocol)),
      server_(std::move(server)),
      beginning_(std::make_unique<Beginning>(*this)),
      receive_(IoCall::receive, &SocketTransport::is_readable, *this),
      names_(name_or_none(*socket_, &SocketState::getsockname),
             peer ? peer : name_or_none(*socket_, &SocketState::getpeername)) {
    receive_.descriptor = {socket_->fd, socket_->serial};
    receive_.at_once = false;
    receive_.repeats = true;
    receive_.tells_empty = socket_->is_byte_stream();
    receive_.is_tcp = socket_->is_tcp();
    if (socket_->is_tcp() && socket_->proto == IPPROTO_TCP) {
        int on = 1;  // small writes do not wait for an acknowledgement
        ::setsockopt(socket_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    loop.descriptors().set_user(socket_->fd, this);
    loop.inc_ref();
    loop.resources.push_back(*this);
    if (server_) server_->attach(*this);
    socket.release();  // from here on the state is ours to close
}

SocketTransport::~SocketTransport() { loop_->dec_ref(); }

// Beginning.

void SocketTransport::begin(Waiter* waiter) noexcept {
    beginning_->waiter = waiter;
    beginning_->context = ContextSlot::copy_current();
    schedule(*loop_, *beginning_);
}

void SocketTransport::begin_with(Ref<ProtocolMaker> maker) noexcept {
    beginning_->maker = std::move(maker);
    begin(nullptr);
}

void SocketTransport::begins(ReadyNode& node) {
    auto& step = static_cast<Beginning&>(node);
    SocketTransport& self = step.transport;
    Ref<TransportState> keep(&self);
    if (!step.maker) {
        self.connection_made();
    } else if (!self.closing_ && self.make_protocol()) {
        schedule(*self.loop_, step);
    }
}

/// False: there will be no connection, and that was told. CPython: selector_events.py, _accept_connection2
bool SocketTransport::make_protocol() {
    try {
        ContextScope scope(loop_->current_context(), beginning_->context);
        protocol_ = std::exchange(beginning_->maker, nullptr)->make();
        if (!protocol_) throw TypeError("the protocol's factory returned no protocol");
        return true;
    } catch (...) {
        disconnect();
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        exception_handler_of(*loop_).tell({.exception = std::current_exception()}, [](ExceptionContext& context) {
            context.message = "Error on transport creation for incoming connection";
        });
        return false;
    }
}

void SocketTransport::connection_made() {
    Ref<BaseProtocol> protocol = protocol_;
    if (!is_stream()) context_ = ContextSlot::copy(beginning_->context);
    try {
        ContextScope scope(loop_->current_context(), beginning_->context);
        call_connection_made(*protocol, *this);
    } catch (...) {
        try {
            tell_failed_callback("connection_made", *protocol, *this);
        } catch (...) {  // what leaves the loop
            end_of_beginning();
            throw;
        }
    }
    end_of_beginning();
}

void SocketTransport::end_of_beginning() noexcept {
    if (!beginning_) return;  // it is over already
    start_receiving();
    if (beginning_->waiter != nullptr) beginning_->waiter->wake();
    beginning_.reset();
}

void SocketTransport::set_protocol(Ref<BaseProtocol> protocol) {
    if (protocol->kind() == BaseProtocol::Kind::datagram) {
        throw TypeError("a Protocol or a BufferedProtocol was expected, got a DatagramProtocol");
    }
    if (!protocol_) return;
    if (std::exchange(offered_, false)) schedule(*loop_, receive_);  // to the former, who will not find it
    protocol_ = std::move(protocol);
}

// Reading.

void SocketTransport::start_receiving() noexcept {
    if (!is_reading() || conn_lost_ > 0 || read_to_end_ || receive_.is_waiting()) return;
    if (receive_.start(loop_->io())) fail(static_cast<int>(-receive_.result));
}

void SocketTransport::pause_reading() {
    if (!is_reading()) return;
    paused_ = true;
    if (!offered_) receive_.stop();
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
    SocketTransport& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
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
        try {
            room = static_cast<BufferedProtocol&>(protocol).get_buffer(-1);
        } catch (...) {
            bool leaves_loop = current_exception_is_keyboard_interrupt_or_system_exit();
            if (leaves_loop && receive_.is_waiting()) schedule(*loop_, receive_);  // it is still to be received
            throw;
        }
        if (room.size() == 0) throw RuntimeError("get_buffer() returned an empty buffer");
        if (!receive_.is_waiting()) return;  // it has paused or closed
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
        static_cast<Protocol&>(protocol).data_received({room.data(), size});
    }
}

/// The end is about to come. What was offered already came before, even if it is another end.
void SocketTransport::receive_offered() noexcept {
    if (std::exchange(offered_, false)) receive_for_stream();
}

// The end.

void SocketTransport::close() noexcept {
    if (!closing_) receive_offered();
    if (closing_) return;
    closing_ = true;
    leave_descriptor();
    receive_.stop();
    if (backlog_) return;
    schedule_end();
}

void SocketTransport::fail(int error) noexcept {
    std::exception_ptr failure;
    try {
        failure = make_os_error(error);
    } catch (...) {  // no memory to say so
        failure = std::current_exception();
    }
    force_close(std::move(failure));
}

/// For a handler.
void SocketTransport::fatal_error(const char* message, BaseProtocol& protocol) {
    std::exception_ptr error = std::current_exception();
    if (exception_cast<OSError>(error) == nullptr) tell_failed_call(message, protocol, *this);
    force_close(std::move(error));
}

void SocketTransport::force_close(std::exception_ptr error) noexcept {
    if (conn_lost_ == 0) receive_offered();
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
void SocketTransport::schedule_end() noexcept {
    conn_lost_ = 1;
    renew_context();
    receive_.set_run(&SocketTransport::connection_is_lost);
    schedule(*loop_, receive_);
}

/// Its number is free for add_reader() and the like.
void SocketTransport::leave_descriptor() noexcept { loop_->descriptors().set_user(receive_.descriptor.fd, nullptr); }

void SocketTransport::connection_is_lost(ReadyNode& node) {
    SocketTransport& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    self.lose_connection(std::exchange(self.lost_by_, nullptr));
}

void SocketTransport::lose_connection(std::exception_ptr error) {
    Ref<TransportState> keep(this);
    Ref<BaseProtocol> protocol = protocol_;
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

void SocketTransport::disconnect() noexcept {
    ListHook<LoopResources>::unlink();
    beginning_.reset();
    receive_.stop();
    receive_.ReadyNode::unlink();
    backlog_.reset();
    loop_->io().closing({socket_->fd, socket_->serial});
    socket_->close();
    if (Ref<BaseProtocol> protocol = std::exchange(protocol_, nullptr)) protocol->detached();
    if (Ref<ServerState> server = std::move(server_)) server->detach(*this);
    dec_ref();  // its own
}

void SocketTransport::loop_is_closing() noexcept {
    if (!closing_) leave_descriptor();
    closing_ = true;
    conn_lost_ = 1;
    disconnect();
}

// To be looked at.

ExtraInfo SocketTransport::get_extra_info(std::string_view name) const {
    if (name == "socket") return ExtraInfo(TransportSocket(socket_));
    if (name == "peername") return ExtraInfo(names_.second());
    if (name == "sockname") return ExtraInfo(names_.first());
    return {};
}

std::string SocketTransport::repr() const {
    std::string text = "<_SelectorSocketTransport";
    if (protocol_ == nullptr) {
        text += " closed";
    } else if (closing_) {
        text += " closing";
    }
    text += " fd=" + std::to_string(receive_.descriptor.fd);
    if (protocol_ != nullptr) {
        text += receive_.is_waiting() ? " read=polling" : " read=idle";
        text += backlog_ && backlog_->send.is_waiting() ? " write=<polling" : " write=<idle";
        text += ", bufsize=" + std::to_string(write_buffer_size()) + ">";
    }
    return text + ">";
}

}  // namespace asyncio::detail
