#include "net/socket_transport.h"

#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "net/server_state.h"

#include <asyncio/errors/os_errors.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace asyncio::detail {

SocketTransport::SocketTransport(LoopCore& loop, Socket socket, Ref<BaseProtocol> protocol, const SocketAddress& peer,
                                 Ref<ServerState> server)
    : ReceivingPart{IoOperation(IoCall::receive, &SocketTransport::is_readable)},
      loop_(&loop),
      socket_(socket.state()),
      protocol_(std::move(protocol)),
      server_(std::move(server)),
      beginning_(std::make_unique<Beginning>(*this)),
      names_(*socket_, peer) {
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
        protocol_ = made_protocol(*Ref<ProtocolMaker>(std::exchange(beginning_->maker, nullptr)));
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
    ContextSlot& context = beginning_->context;
    beginning_->is_told = true;
    if (!is_stream()) context_ = ContextSlot::copy(context);
    try {
        ContextScope scope(loop_->current_context(), context);
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
    start_receiving();  // unless it is over already
    if (beginning_->waiter != nullptr) beginning_->waiter->wake();
    beginning_.reset();
}

void SocketTransport::set_protocol(Ref<BaseProtocol> protocol) {
    if (protocol->kind() == BaseProtocol::Kind::datagram) {
        throw TypeError("a Protocol or a BufferedProtocol was expected, got a DatagramProtocol");
    }
    if (!protocol_) return;
    if (std::exchange(offered_, false)) {  // to the former, who will not find it
        paused_ ? receive_.stop() : schedule(*loop_, receive_);
    }
    protocol_ = std::move(protocol);
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

void SocketTransport::fail(int error) noexcept { force_close(os_error_or_lack_of_memory(error)); }

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
    SocketTransport& self = receiver(node);
    self.lose_connection(std::exchange(self.lost_by_, nullptr));
}

void SocketTransport::lose_connection(std::exception_ptr error) {
    Ref<TransportState> keep(this);
    Ref<BaseProtocol> protocol = protocol_;
    if (beginning_ && !beginning_->is_told) return disconnect();
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
    if (beginning_ && !beginning_->is_told) beginning_.reset();
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
