#include "net/pipe_transport.h"

#include "loop/loop_core.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>

#include <cerrno>
#include <utility>

namespace asyncio::detail {

/// A pipe or a socket becomes readable when its reader goes.
void WritePipeTransport::has_begun() {
    bool tells_of_its_reader = file_.kind() == PipeFile::Kind::pipe || file_.kind() == PipeFile::Kind::socket;
    if (tells_of_its_reader) watch(Direction::reading);
}

void WritePipeTransport::is_ready(Direction direction) {
    if (direction == Direction::writing) return buffer_ ? send_buffer() : unwatch(Direction::writing);
    if (!buffer_) return force_close(nullptr);
    fail(EPIPE);
}

/// `given`: the same bytes, of which the rest may be taken instead of copied.
void WritePipeTransport::write_or_keep(std::string_view data, const GivenBytes* given) {
    if (data.empty()) return;
    if (conn_lost_ > 0 || closing_) {
        if (conn_lost_ < writes_before_warning) {
            ++conn_lost_;
        } else {
            log(LogLevel::warning, "pipe closed by peer or os.write(pipe, data) raised exception.");
        }
        return;
    }
    bool some_went = false;
    if (!buffer_) {
        std::ptrdiff_t size = write_now(data);
        if (size < 0) return;
        some_went = size > 0;
        data.remove_prefix(static_cast<std::size_t>(size));
        if (data.empty()) return;
    }
    try {
        watch(Direction::writing);
        if (!buffer_) {
            buffer_.emplace();
            renew_context(Direction::writing);
        }
        if (given != nullptr) {
            buffer_->append(*given, given->view().size() - data.size());
        } else {
            buffer_->append(data);
        }
    } catch (...) {
        if (write_buffer_size() == 0) {
            buffer_.reset();
            unwatch(Direction::writing);
        }
        if (some_went) force_close(std::current_exception());  // the other end has a part of it
        throw;
    }
    pause_protocol_if_full();
}

void WritePipeTransport::writelines(std::span<const BytesLike> lines) {
    std::string all;
    for (const BytesLike& line : lines) all += line.view();
    write_given(GivenBytes(all));
}

/// What went; negative if it failed, and the connection is about to be lost.
std::ptrdiff_t WritePipeTransport::write_now(std::string_view data) noexcept {
    std::ptrdiff_t all = 0;
    while (!data.empty()) {
        std::ptrdiff_t size = file_.write(data.data(), data.size());
        if (size == -EAGAIN) break;
        if (size < 0) {
            fail(static_cast<int>(-size));
            return -1;
        }
        all += size;
        data.remove_prefix(static_cast<std::size_t>(size));
        if (!file_.is_file()) break;  // a file takes all of it
    }
    return all;
}

void WritePipeTransport::send_buffer() {
    IoBuffer parts[most_parts];
    std::size_t count = buffer_->front(parts);
    for (std::size_t i = 0; i < count; ++i) {
        std::ptrdiff_t sent = write_now({static_cast<const char*>(parts[i].data), parts[i].size});
        if (sent < 0) return;
        buffer_->drop(static_cast<std::size_t>(sent));
        if (static_cast<std::size_t>(sent) < parts[i].size) return;
    }
    if (!buffer_->empty()) return;
    buffer_.reset();  // who writes much fills it at once again: it is still watched until the next turn
    if (marks_.has_fallen(0)) {
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

/// The protocol may have written more, or closed.
void WritePipeTransport::buffer_was_sent() {
    if (!closing_ || buffer_ || end_is_scheduled()) return;
    unwatch(Direction::reading);
    lose_connection(nullptr);
}

void WritePipeTransport::write_eof() {
    if (closing_) return;
    closing_ = true;
    if (buffer_) return;
    unwatch(Direction::reading);
    schedule_end(nullptr);
}

void WritePipeTransport::close() noexcept { write_eof(); }

void WritePipeTransport::fail(int error) noexcept {
    if (conn_lost_ < writes_before_warning) ++conn_lost_;
    force_close(os_error_or_lack_of_memory(error));
}

void WritePipeTransport::force_close(std::exception_ptr error) noexcept {
    closing_ = true;
    buffer_.reset();
    unwatch(Direction::writing);
    unwatch(Direction::reading);
    schedule_end(std::move(error));
}

void WritePipeTransport::set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) {
    marks_.set(high, low);
    pause_protocol_if_full();
}

void WritePipeTransport::pause_protocol_if_full() {
    if (!protocol_ || !marks_.has_risen(write_buffer_size())) return;
    Ref<BaseProtocol> protocol = protocol_;
    call_pause_writing(*protocol, *this);
}

std::string WritePipeTransport::repr() const {
    return repr_of("_UnixWritePipeTransport",
                   std::string(buffer_ ? " polling" : " idle") + " bufsize=" + std::to_string(write_buffer_size()));
}

}  // namespace asyncio::detail
