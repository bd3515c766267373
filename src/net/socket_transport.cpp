#include "net/socket_transport.h"

#include "loop/loop_core.h"
#include "net/server_state.h"

#include <asyncio/errors/os_errors.h>

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

SocketTransport::SocketTransport(LoopCore& loop, Socket socket, Ref<Protocol> protocol, const SocketAddress& peer,
                                 Ref<ServerState> server)
    : loop_(&loop),
      socket_(socket.state()),
      protocol_(std::move(protocol)),
      server_(std::move(server)),
      beginning_(std::make_unique<Beginning>(*this)),
      receive_(IoCall::receive, &SocketTransport::is_readable, *this),
      sockname_(name_or_none(*socket_, &SocketState::getsockname)),
      peername_(peer ? peer : name_or_none(*socket_, &SocketState::getpeername)) {
    receive_.descriptor = {socket_->fd, socket_->serial};
    receive_.at_once = false;
    receive_.repeats = true;
    receive_.tells_empty = socket_->is_byte_stream();
    receive_.is_tcp = socket_->is_tcp();
    if (socket_->is_tcp() && socket_->proto == IPPROTO_TCP) {
        int on = 1;  // small writes do not wait for an acknowledgement
        ::setsockopt(socket_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    loop.set_user(socket_->fd, this);
    loop.inc_ref();
    loop.resources.push_back(*this);
    if (server_) server_->attach(*this);
    socket.release();  // from here on the state is ours to close
}

SocketTransport::~SocketTransport() { loop_->dec_ref(); }

// Beginning.

void SocketTransport::begin(int passes, Waiter* waiter) noexcept {
    beginning_->passes_left = passes;
    beginning_->waiter = waiter;
    beginning_->context = ContextSlot::copy_current();
    schedule(*loop_, *beginning_);
}

void SocketTransport::one_pass_less(ReadyNode& node) {
    auto& step = static_cast<Beginning&>(node);
    SocketTransport& self = step.transport;
    if (--step.passes_left > 0) return schedule(*self.loop_, step);
    Ref<Transport> keep(&self);
    try {
        ContextScope scope(self.loop_->current_context(), step.context);
        self.protocol_->connection_made(self);
    } catch (...) {
        self.end_of_beginning();
        throw;
    }
    self.end_of_beginning();
}

void SocketTransport::end_of_beginning() noexcept {
    if (!beginning_) return;  // it is over already
    start_receiving();
    if (beginning_->waiter != nullptr) beginning_->waiter->wake();
    beginning_.reset();
}

// Reading.

void SocketTransport::start_receiving() noexcept {
    if (!is_reading() || conn_lost_ > 0 || read_to_end_ || receive_.is_waiting()) return;
    if (receive_.start(loop_->io())) fail(static_cast<int>(-receive_.result));
}

void SocketTransport::pause_reading() noexcept {
    if (!is_reading()) return;
    paused_ = true;
    if (!offered_) receive_.stop();
}

void SocketTransport::resume_reading() noexcept {
    if (closing_ || !paused_) return;
    paused_ = false;
    start_receiving();
}

void SocketTransport::is_readable(ReadyNode& node) {
    SocketTransport& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    self.offered_ = self.protocol_->offer();
    if (self.offered_) return;
    self.receive();
}

void SocketTransport::receive_late() noexcept {
    if (!std::exchange(offered_, false) || receive()) return;
    // A pass ago the loss would have been scheduled for now.
    receive_.ReadyNode::unlink();
    lose_connection(std::exchange(lost_by_, nullptr));
}

/// False if that failed: then the connection is about to be lost.
bool SocketTransport::receive() noexcept {
    try {
        if (try_to_receive()) return true;
        fail(static_cast<int>(-receive_.result));
    } catch (...) {  // no memory for what has come
        force_close(std::current_exception());
    }
    return false;
}

bool SocketTransport::try_to_receive() {
    WritableBytes room = protocol_->get_buffer();
    bool directly = room.size() > 0;
    receive_.data = directly ? room.data() : loop_->receive_buffer();
    receive_.size = directly ? room.size() : LoopCore::receive_buffer_size;
    if (!receive_.finish()) return true;  // it was not there after all
    std::int64_t size = receive_.result;
    if (size < 0) return false;
    if (size == 0) {
        read_to_end_ = true;
        if (!protocol_->eof_received()) close();
        return true;
    }
    if (directly) {
        protocol_->buffer_updated(static_cast<std::size_t>(size));
    } else {
        protocol_->data_received({static_cast<const char*>(receive_.data), static_cast<std::size_t>(size)});
    }
    start_receiving();
    return true;
}

/// The end is about to come. What was offered already came before, even if it is another end.
void SocketTransport::receive_offered() noexcept {
    if (std::exchange(offered_, false)) receive();
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
    receive_.set_run(&SocketTransport::connection_is_lost);
    schedule(*loop_, receive_);
}

/// Its number is free for add_reader() and the like.
void SocketTransport::leave_descriptor() noexcept { loop_->set_user(receive_.descriptor.fd, nullptr); }

void SocketTransport::connection_is_lost(ReadyNode& node) {
    SocketTransport& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    self.lose_connection(std::exchange(self.lost_by_, nullptr));
}

void SocketTransport::lose_connection(std::exception_ptr error) noexcept {
    Ref<Transport> keep(this);
    if (!beginning_) protocol_->connection_lost(std::move(error));
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
    std::exchange(protocol_, nullptr)->detached();
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
    if (name == "peername") return ExtraInfo(peername_.get());
    if (name == "sockname") return ExtraInfo(sockname_.get());
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

std::string repr_or_nothing(const Transport& transport) noexcept {
    try {
        return transport.repr();
    } catch (...) {
        return {};
    }
}

}  // namespace asyncio::detail
