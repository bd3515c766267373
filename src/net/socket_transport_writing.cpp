#include "net/socket_transport.h"

#include "loop/loop_core.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/log.h>
#include <asyncio/net/bytes_like.h>

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {
constexpr int writes_before_warning = 5;  // CPython: LOG_THRESHOLD_FOR_CONNLOST_WRITES
constexpr std::size_t most_parts = 64;    // in one system call
}  // namespace

void SocketTransport::check_can_write(const char* function) const {
    if (eof_written_) throw RuntimeError(std::string("Cannot call ") + function + "() after write_eof()");
    if (sending_file_) throw RuntimeError(std::string("unable to ") + function + "; sendfile is in progress");
}

/// True if the connection is lost, so that writing would be in vain.
bool SocketTransport::note_vain_write() noexcept {
    if (conn_lost_ == 0) return false;
    if (conn_lost_ < writes_before_warning) {
        ++conn_lost_;
    } else {
        log(LogLevel::warning, "socket.send() raised exception.");
    }
    return true;
}

/// `given`: the same bytes, of which the rest may be taken instead of copied.
void SocketTransport::write_or_keep(std::string_view data, const GivenBytes* given, bool is_dropped) {
    check_can_write("write");
    if (data.empty() || note_vain_write() || is_dropped) return;
    std::size_t sent = 0;
    if (!backlog_) {
        IoBuffer whole{const_cast<char*>(data.data()), data.size()};
        sent = send_now({&whole, 1});
        if (conn_lost_ > 0) return;
        data.remove_prefix(sent);
        if (data.empty()) return;
    }
    try {
        keep(data, given);
    } catch (...) {
        if (sent > 0) force_close(std::current_exception());  // the other end has a part of it
        throw;
    }
    wait_for_room();
    pause_protocol_if_full();
}

void SocketTransport::writelines(std::span<const BytesLike> lines) {
    check_can_write("writelines");
    if (lines.empty() || note_vain_write() || is_closing_under_tls()) return;
    Ref<TransportState> keep_alive(this);  // what is kept may be sent to its end, and that may be the transport's
    bool had_some = backlog_ != nullptr;
    std::size_t before = write_buffer_size();
    bool some_were_sent = false;
    try {
        write_lines(lines, some_were_sent);
    } catch (...) {
        if (some_were_sent || write_buffer_size() > before) force_close(std::current_exception());
        throw;
    }
    if (!backlog_ || conn_lost_ > 0) return;
    if (had_some) {
        backlog_->send.stop();
        send_buffer(true);
    } else {
        wait_for_room();
    }
    pause_protocol_if_full();
}

void SocketTransport::write_lines(std::span<const BytesLike> lines, bool& some_were_sent) {
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
        some_were_sent = some_were_sent || sent > 0;
        for (std::size_t i = 0; i < count; ++i) {
            std::size_t from_this = std::min(sent, lines[i].size());
            sent -= from_this;
            keep(lines[i].view().substr(from_this));
        }
        lines = lines.subspan(count);
    }
    for (const BytesLike& line : lines) keep(line.view());
}

/// Sends what goes without waiting, and gives how much. After an error `conn_lost_` is not zero.
std::size_t SocketTransport::send_now(std::span<IoBuffer> parts) noexcept {
    IoOperation send(IoCall::send);
    send.descriptor = receive_.descriptor;
    set_parts(send, parts);
    if (!send.start(loop_->io())) return 0;  // ends with this scope: what waits for room is the backlog's
    if (send.result >= 0) return static_cast<std::size_t>(send.result);
    fail(static_cast<int>(-send.result));
    return 0;
}

void SocketTransport::set_parts(IoOperation& send, std::span<IoBuffer> parts) noexcept {
    send.gathers = parts.size() != 1;
    send.data = send.gathers ? static_cast<void*>(parts.data()) : parts[0].data;
    send.size = send.gathers ? parts.size() : parts[0].size;
}

void SocketTransport::keep(std::string_view data, const GivenBytes* given) {
    if (data.empty()) return;
    std::unique_ptr<Backlog> made;
    if (!backlog_) made = std::make_unique<Backlog>(*this);
    WriteBuffer& buffer = made ? made->buffer : backlog_->buffer;
    if (given != nullptr) {
        buffer.append(*given, given->view().size() - data.size());
    } else {
        buffer.append(data);
    }
    if (made) backlog_ = std::move(made);
}

void SocketTransport::wait_for_room() noexcept {
    if (conn_lost_ > 0 || backlog_->send.is_waiting()) return;
    IoOperation& send = backlog_->send;
    send.at_once = false;
    if (send.start(loop_->io())) fail(static_cast<int>(-send.result));
}

void SocketTransport::is_writable(ReadyNode& node) {
    SocketTransport& self = static_cast<Backlog::Send&>(static_cast<IoOperation&>(node)).transport;
    Ref<TransportState> keep_alive(&self);
    ContextSlot context = ContextSlot::copy(self.backlog_->context);  // the backlog may go
    ContextScope scope(self.loop_->current_context(), context);
    self.send_buffer(false);
}

/// Sends of the buffer what goes: now, or since it was told that there is room.
void SocketTransport::send_buffer(bool at_once) {
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
    if (marks_.has_fallen(write_buffer_size())) {
        Ref<BaseProtocol> protocol = protocol_;
        try {
            call_resume_writing(*protocol, *this);
        } catch (...) {  // what leaves the loop
            buffer_was_sent();
            throw;
        }
    }
    buffer_was_sent();
}

/// Or a part of it. The protocol may have written more, or closed.
void SocketTransport::buffer_was_sent() {
    if (backlog_) return wait_for_room();
    if (closing_ && conn_lost_ == 0) {
        conn_lost_ = 1;
        renew_context();
        lose_connection(nullptr);
    } else if (eof_written_) {
        ::shutdown(socket_->fd, SHUT_WR);
    }
}

void SocketTransport::write_eof() {
    if (closing_ || eof_written_) return;
    eof_written_ = true;
    if (!backlog_) socket_->shutdown(Shut::WR);
}

void SocketTransport::set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) {
    marks_.set(high, low);
    pause_protocol_if_full();
}

/// It may be over already.
void SocketTransport::pause_protocol_if_full() {
    if (!protocol_ || !marks_.has_risen(write_buffer_size())) return;
    Ref<BaseProtocol> protocol = protocol_;
    call_pause_writing(*protocol, *this);
}

}  // namespace asyncio::detail
