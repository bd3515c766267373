#include <asyncio/net/stream_writer.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "net/descriptor_story.h"
#include "net/transport_state.h"
#include "net/write_buffer.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/net/stream_reader_protocol.h>

namespace asyncio {

void add_handle(StreamReaderProtocol& stream) noexcept { stream.add_handle(); }
void drop_handle(StreamReaderProtocol& stream) noexcept { stream.drop_handle(); }

namespace detail {

StreamWaiter::StreamWaiter(StreamHandle stream) noexcept
    : Waiter(WaitKind::file_descriptor, &stream_), stream_(std::move(stream)) {}

void StreamWaiter::tell(WaitStory& story) const {
    std::string left = counted(stream().transport().write_buffer_size(), "byte");
    story.text = descriptor_story(
        fd(), (waits_for() == For::room ? "in drain() with " : "in wait_closed() with ") + left + " to send");
}

// CPython: streams.py, StreamWriter.drain
bool DrainWaiter::await_ready() {
    stream().transport().loop().check_thread();
    if (ReaderState* reader = stream().reader(); reader != nullptr && reader->exception()) {
        std::rethrow_exception(reader->exception());
    }
    return !stream().transport().is_closing() && is_drained();
}

/// True if the wait is over.
bool DrainWaiter::is_drained() {
    if (stream().is_lost()) {
        try {
            throw ConnectionResetError("Connection lost");
        } catch (...) {  // it, or that there is no memory for it
            error_ = std::current_exception();
        }
    }
    return stream().is_lost() || !stream().is_writing_paused();
}

void DrainWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    bool is_closing = stream().transport().is_closing();
    if (!is_closing) stream().add_waiter(*this);
    set_fd(stream().transport().fileno());
    suspend(task, frame);
    if (is_closing) wake_for_turn();  // first a pass in which it can be told that it is lost
}

void DrainWaiter::turn() {
    if (!task_->cancel_is_ahead() && !is_drained()) {
        wait_again();
        stream().add_waiter(*this);
    } else {
        step_task();
    }
}

void DrainWaiter::await_resume() {
    check();
    if (error_) std::rethrow_exception(std::move(error_));
}

bool WaitClosedWaiter::await_ready() {
    stream().transport().loop().check_thread();
    if (!stream().is_lost()) return false;
    error_ = stream().lost_by();
    return true;
}

void WaitClosedWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    stream().add_waiter(*this);
    set_fd(stream().transport().fileno());
    suspend(task, frame);
}

void WaitClosedWaiter::await_resume() {
    check();
    if (error_) std::rethrow_exception(std::move(error_));
}

}  // namespace detail

StreamWriter::StreamWriter(const WriteTransport& transport, const ProtocolRef<StreamReaderProtocol>& protocol,
                           decltype(nullptr))
    : StreamWriter(transport, protocol, StreamReader()) {}

StreamWriter::StreamWriter(const WriteTransport& transport, const ProtocolRef<StreamReaderProtocol>& protocol,
                           const StreamReader& reader) {
    if (!protocol) throw TypeError("a StreamWriter needs a StreamReaderProtocol");
    transport.handle();  // throws if there is none
    protocol->adopt(transport, reader);
    stream_ = detail::StreamHandle(protocol.get());
}

const detail::StreamHandle& StreamWriter::handle() const {
    if (stream_.get() == nullptr) {
        throw RuntimeError(
            "this handle is empty: it was default-constructed or moved from, and names no writer; or it is the stdin "
            "of a "
            "child that was not started with {.stdin = asyncio::subprocess::PIPE}");
    }
    return stream_;
}

namespace {

/// For what changes something. In debug mode throws RuntimeError in another thread.
detail::TransportState& writer_in_its_thread(const detail::StreamHandle& handle) {
    detail::TransportState& transport = handle.get()->transport();
    transport.loop().check_thread();
    return transport;
}

/// For bytes.
detail::TransportState& writer_of_bytes(const detail::StreamHandle& handle) {
    detail::TransportState& transport = writer_in_its_thread(handle);
    transport.check_is_not_under_tls();
    return transport;
}

}  // namespace

void StreamWriter::write(BytesLike data) const { writer_of_bytes(handle()).write(data.view()); }
void StreamWriter::write_given(const SharedBytes& data) const {
    writer_of_bytes(handle()).write_given(detail::GivenBytes(data));
}
void StreamWriter::write_given(std::string& data) const {
    writer_of_bytes(handle()).write_given(detail::GivenBytes(data));
}
void StreamWriter::write_all(const BytesLike* lines, std::size_t count) const {
    writer_of_bytes(handle()).writelines({lines, count});
}
void StreamWriter::write_eof() const { writer_of_bytes(handle()).write_eof(); }
bool StreamWriter::can_write_eof() const { return handle().get()->transport().can_write_eof(); }
Transport StreamWriter::transport() const { return Transport(&handle().get()->transport()); }
void StreamWriter::close() const { writer_in_its_thread(handle()).close(); }
void StreamWriter::abort() const { writer_in_its_thread(handle()).abort(); }
bool StreamWriter::is_closing() const { return transport().is_closing(); }
bool StreamWriter::is_reading() const { return handle().get()->transport().is_reading(); }
ExtraInfo StreamWriter::get_extra_info(std::string_view name) const {
    return handle().get()->transport().get_extra_info(name);
}
void StreamWriter::set_write_buffer_limits(WriteBufferOptions options) const {
    writer_in_its_thread(handle()).set_write_buffer_limits(options.high, options.low);
}
WriteBufferLimits StreamWriter::get_write_buffer_limits() const {
    return handle().get()->transport().write_buffer_limits();
}
std::size_t StreamWriter::get_write_buffer_size() const { return handle().get()->transport().write_buffer_size(); }

std::string repr(const StreamWriter& writer) { return writer ? writer.handle().get()->repr() : "None"; }

}  // namespace asyncio
