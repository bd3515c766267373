#include "net/transport.h"

#include "loop/loop_core.h"
#include "net/server_state.h"

#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr int writes_before_warning = 5;  // CPython: LOG_THRESHOLD_FOR_CONNLOST_WRITES
constexpr std::size_t most_parts = 64;    // in one system call

SocketAddress name_or_none(const SocketState& socket, SocketAddress (SocketState::*ask)() const) noexcept {
    try {
        return (socket.*ask)();
    } catch (...) {
        return {};
    }
}

}  // namespace

Transport::Transport(LoopCore& loop, Socket socket, Ref<ReaderState> reader, const SocketAddress& peer,
                     Ref<ServerState> server)
    : loop_(&loop),
      socket_(socket.state()),
      reader_(std::move(reader)),
      server_(std::move(server)),
      beginning_(std::make_unique<Beginning>(*this)),
      receive_(IoCall::receive, &Transport::is_readable, *this),
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
    loop.descriptors().set_user(socket_->fd, this);
    loop.inc_ref();
    loop.resources.push_back(*this);
    if (server_) server_->attach(*this);
    socket.release();  // from here on the state is ours to close
}

Transport::~Transport() { loop_->dec_ref(); }

void Transport::drop_handle() noexcept {
    if (--handles_ > 0) return;
    if (alive_ && !closing_) {
        if (loop_->debug) log(LogLevel::warning, "unclosed <StreamWriter transport=" + repr() + ">");
        close();
    }
    die_if_unused();
}

void Transport::die_if_unused() noexcept {
    if (!alive_ && handles_ == 0 && pins_ == 0) delete this;
}

// Beginning.

void Transport::begin(int passes, Waiter* waiter) noexcept {
    beginning_->passes_left = passes;
    beginning_->waiter = waiter;
    schedule(*loop_, *beginning_);
}

void Transport::one_pass_less(ReadyNode& node) {
    auto& step = static_cast<Beginning&>(node);
    Transport& self = step.transport;
    if (--step.passes_left > 0) return schedule(*self.loop_, step);
    self.reader_->set_transport(&self);
    if (self.server_) self.server_->connection_made(self);
    self.start_receiving();
    if (step.waiter != nullptr) step.waiter->wake();
    self.beginning_.reset();
}

// Reading.

void Transport::start_receiving() noexcept {
    if (!is_reading() || conn_lost_ > 0 || read_to_end_ || receive_.is_waiting()) return;
    if (receive_.start(loop_->io())) fail(static_cast<int>(-receive_.result));
}

void Transport::pause_reading() noexcept {
    if (!is_reading()) return;
    paused_ = true;
    if (!offered_) receive_.stop();
}

void Transport::resume_reading() noexcept {
    if (closing_ || !paused_) return;
    paused_ = false;
    start_receiving();
}

void Transport::is_readable(ReadyNode& node) {
    Transport& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    self.offered_ = self.reader_->offer();
    if (self.offered_) return;
    if (!self.receive()) self.fail(static_cast<int>(-self.receive_.result));
}

void Transport::receive_late() {
    if (!std::exchange(offered_, false) || receive()) return;
    // A pass ago the loss would have been scheduled for now.
    fail(static_cast<int>(-receive_.result));
    receive_.ReadyNode::unlink();
    lose_connection(std::exchange(lost_by_, nullptr));
}

/// False if that failed.
bool Transport::receive() {
    WritableBytes room = reader_->room();
    bool directly = room.size() > 0;
    receive_.data = directly ? room.data() : loop_->receive_buffer();
    receive_.size = directly ? room.size() : LoopCore::receive_buffer_size;
    if (!receive_.finish()) return true;  // it was not there after all
    std::int64_t size = receive_.result;
    if (size < 0) return false;
    if (size == 0) {
        // The other end has ended; ours can still write.
        read_to_end_ = true;
        reader_->feed_eof();
        return true;
    }
    if (directly) {
        reader_->put_directly(static_cast<std::size_t>(size));
    } else {
        reader_->feed_data({static_cast<const char*>(receive_.data), static_cast<std::size_t>(size)});
    }
    start_receiving();
    return true;
}

/// The end is about to come. What was offered already came before, even if it is another end.
void Transport::receive_offered() noexcept {
    if (std::exchange(offered_, false) && !receive()) fail(static_cast<int>(-receive_.result));
}

// Writing.

void Transport::check_can_write(const char* function) const {
    if (eof_written_) throw RuntimeError(std::string("Cannot call ") + function + "() after write_eof()");
}

/// True if the connection is lost, so that writing would be in vain.
bool Transport::note_vain_write() noexcept {
    if (conn_lost_ == 0) return false;
    if (conn_lost_ >= writes_before_warning) log(LogLevel::warning, "socket.send() raised exception.");
    ++conn_lost_;
    return true;
}

void Transport::write(std::string_view data) {
    check_can_write("write");
    if (data.empty() || note_vain_write()) return;
    if (!backlog_) {
        IoBuffer whole{const_cast<char*>(data.data()), data.size()};
        std::size_t sent = send_now({&whole, 1});
        if (conn_lost_ > 0) return;
        data.remove_prefix(sent);
        if (data.empty()) return;
    }
    keep(data);
    wait_for_room();
    pause_if_above_high();
}

void Transport::writelines(std::span<const BytesLike> lines) {
    check_can_write("writelines");
    if (lines.empty() || note_vain_write()) return;
    bool had_some = backlog_ != nullptr;
    while (!lines.empty() && !backlog_) {
        // Straight from where they are, as many as go in one call.
        IoBuffer parts[most_parts];
        std::size_t count = std::min(lines.size(), most_parts);
        std::size_t size = 0;
        for (std::size_t i = 0; i < count; ++i) {
            parts[i] = {const_cast<char*>(lines[i].data()), lines[i].size()};
            size += lines[i].size();
        }
        std::size_t sent = size > 0 ? send_now({parts, count}) : 0;
        if (conn_lost_ > 0) return;
        for (std::size_t i = 0; i < count; ++i) {
            std::size_t from_this = std::min(sent, lines[i].size());
            sent -= from_this;
            keep(lines[i].view().substr(from_this));
        }
        lines = lines.subspan(count);
    }
    for (const BytesLike& line : lines) keep(line.view());
    if (!backlog_) return;
    if (had_some) {
        backlog_->send.stop();
        send_buffer(true);
    } else {
        wait_for_room();
    }
    pause_if_above_high();
}

/// Sends what goes without waiting, and gives how much. After an error `conn_lost_` is not zero.
std::size_t Transport::send_now(std::span<IoBuffer> parts) noexcept {
    IoOperation send(IoCall::send);
    send.descriptor = receive_.descriptor;
    set_parts(send, parts);
    if (!send.start(loop_->io())) return 0;  // ends with this scope: what waits for room is the backlog's
    if (send.result >= 0) return static_cast<std::size_t>(send.result);
    fail(static_cast<int>(-send.result));
    return 0;
}

void Transport::set_parts(IoOperation& send, std::span<IoBuffer> parts) noexcept {
    bool is_one = parts.size() == 1;
    send.data = is_one ? parts[0].data : nullptr;
    send.size = is_one ? parts[0].size : 0;
    send.buffers = is_one ? nullptr : parts.data();
    send.buffer_count = is_one ? 0 : static_cast<int>(parts.size());
}

void Transport::keep(std::string_view data) {
    if (data.empty()) return;
    if (backlog_) return backlog_->buffer.append(data);
    auto backlog = std::make_unique<Backlog>(*this);
    backlog->buffer.append(data);
    backlog_ = std::move(backlog);
}

void Transport::wait_for_room() noexcept {
    if (conn_lost_ > 0 || backlog_->send.is_waiting()) return;
    IoOperation& send = backlog_->send;
    send.at_once = false;
    if (send.start(loop_->io())) fail(static_cast<int>(-send.result));
}

void Transport::is_writable(ReadyNode& node) {
    static_cast<Operation&>(static_cast<IoOperation&>(node)).transport.send_buffer(false);
}

/// Sends of the buffer what goes: now, or since it was told that there is room.
void Transport::send_buffer(bool at_once) {
    IoBuffer parts[most_parts];
    IoOperation& send = backlog_->send;
    set_parts(send, {parts, backlog_->buffer.front(parts)});
    send.at_once = true;
    bool over = at_once ? send.start(loop_->io()) : send.finish();
    if (!over) return;
    std::int64_t result = send.result;
    if (result < 0) {
        backlog_.reset();
        return fail(static_cast<int>(-result));
    }
    backlog_->buffer.drop(static_cast<std::size_t>(result));
    if (backlog_->buffer.empty()) backlog_.reset();
    resume_if_below_low();
    if (backlog_) return wait_for_room();
    if (closing_ && conn_lost_ == 0) {
        conn_lost_ = 1;
        lose_connection(nullptr);
    } else if (eof_written_) {
        ::shutdown(socket_->fd, SHUT_WR);
    }
}

void Transport::write_eof() {
    if (closing_ || eof_written_) return;
    eof_written_ = true;
    if (!backlog_) socket_->shutdown(Shut::WR);
}

// Flow control.

void Transport::set_write_buffer_limits(std::optional<std::size_t> high, std::optional<std::size_t> low) {
    constexpr std::size_t default_high = 64 * 1024;
    std::size_t new_high = high ? *high : low ? 4 * *low : default_high;
    std::size_t new_low = low ? *low : new_high / 4;
    if (new_low > new_high) {
        throw ValueError("high (" + std::to_string(new_high) + ") must be >= low (" + std::to_string(new_low) +
                         ") must be >= 0");
    }
    high_ = new_high;
    low_ = new_low;
    pause_if_above_high();
}

void Transport::pause_if_above_high() noexcept {
    if (write_buffer_size() > high_) writing_paused_ = true;
}

void Transport::resume_if_below_low() noexcept {
    if (!writing_paused_ || write_buffer_size() > low_) return;
    writing_paused_ = false;
    wake(drain_waiters_, nullptr);
}

void Transport::wake(IntrusiveList<TransportWaiter, TransportWaiters>& waiters,
                     const std::exception_ptr& error) noexcept {
    while (!waiters.empty()) waiters.pop_front().wake_with(error);
}

// The end.

void Transport::close() noexcept {
    if (!closing_) receive_offered();
    if (closing_) return;
    closing_ = true;
    leave_descriptor();
    receive_.stop();
    if (backlog_) return;
    schedule_end();
}

void Transport::fail(int error) noexcept { force_close(make_os_error(error)); }

void Transport::force_close(std::exception_ptr error) noexcept {
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
void Transport::schedule_end() noexcept {
    conn_lost_ = 1;
    receive_.set_run(&Transport::connection_is_lost);
    schedule(*loop_, receive_);
}

/// Its number is free for add_reader() and the like.
void Transport::leave_descriptor() noexcept { loop_->descriptors().set_user(receive_.descriptor.fd, nullptr); }

void Transport::connection_is_lost(ReadyNode& node) {
    Transport& self = static_cast<Operation&>(static_cast<IoOperation&>(node)).transport;
    self.lose_connection(std::exchange(self.lost_by_, nullptr));
}

// CPython: streams.py, StreamReaderProtocol.connection_lost
void Transport::lose_connection(std::exception_ptr error) noexcept {
    lost_ = true;
    lost_by_ = std::move(error);
    if (lost_by_) {
        reader_->set_exception(lost_by_);
    } else {
        reader_->feed_eof();
    }
    wake(close_waiters_, lost_by_);
    if (writing_paused_) wake(drain_waiters_, lost_by_);
    disconnect();
    die_if_unused();
}

void Transport::disconnect() noexcept {
    ListHook<LoopResources>::unlink();
    beginning_.reset();
    receive_.stop();
    receive_.ReadyNode::unlink();
    backlog_.reset();
    loop_->io().closing({socket_->fd, socket_->serial});
    socket_->close();
    reader_->set_transport(nullptr);
    Ref<ServerState> server = std::move(server_);
    if (server) server->detach(*this);
    alive_ = false;
}

void Transport::loop_is_closing() noexcept {
    if (!closing_) leave_descriptor();
    closing_ = lost_ = true;
    conn_lost_ = 1;
    disconnect();
    die_if_unused();
}

// To be looked at.

ExtraInfo Transport::get_extra_info(std::string_view name) const {
    if (name == "socket") return ExtraInfo(TransportSocket(socket_));
    if (name == "peername") return ExtraInfo(peername_.get());
    if (name == "sockname") return ExtraInfo(sockname_.get());
    return {};
}

std::string Transport::repr() const {
    std::string text = "<_SelectorSocketTransport";
    if (!alive_) {
        text += " closed";
    } else if (closing_) {
        text += " closing";
    }
    text += " fd=" + std::to_string(receive_.descriptor.fd);
    if (alive_) {
        text += receive_.is_waiting() ? " read=polling" : " read=idle";
        text += backlog_ && backlog_->send.is_waiting() ? " write=<polling" : " write=<idle";
        text += ", bufsize=" + std::to_string(write_buffer_size()) + ">";
    }
    return text + ">";
}

}  // namespace asyncio::detail
