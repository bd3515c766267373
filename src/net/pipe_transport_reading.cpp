#include "net/pipe_transport.h"

#include "core/task_loop.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/stream_reader_protocol.h>

#include <cerrno>
#include <new>
#include <utility>

namespace asyncio::detail {

void ReadPipeTransport::has_begun() {
    if (is_reading()) watch(Direction::reading);
}

void ReadPipeTransport::pause_reading() {
    if (!is_reading()) return;
    paused_ = true;
    unwatch(Direction::reading);
}

void ReadPipeTransport::resume_reading() {
    if (closing_ || !paused_) return;
    watch(Direction::reading);
    paused_ = false;
}

void ReadPipeTransport::is_ready(Direction) {
    try {
        read_and_tell();
    } catch (...) {  // no memory for what has come
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        force_close(std::current_exception());
    }
}

void ReadPipeTransport::read_and_tell() {
    // Whoever reads a terminal after us is to find what was typed.
    if (is_stream()) {
        const ReaderState* reader = static_cast<StreamReaderProtocol&>(*protocol_).reader();
        if (reader != nullptr && reader->is_abandoned()) return close();
    }
    char* buffer = loop_->receive_buffer().memory();
    std::ptrdiff_t size = file_.read(buffer, ReceiveBuffer::size);
    if (size == -EAGAIN) return;
    if (size == 0) {
        closing_ = ended_ = true;
        unwatch(Direction::reading);
        return schedule_end(nullptr);
    }
    Ref<BaseProtocol> protocol = protocol_;
    if (size < 0) {
        std::exception_ptr failure = make_os_error(static_cast<int>(-size));
        force_close(failure);
        if (size == -EIO) return;  // what a terminal says whose other end is gone
        return exception_handler_of(*loop_).tell({.exception = failure}, [&](ExceptionContext& context) {
            context.message = "Fatal read error on pipe transport";
            context.transport = repr_or_nothing(*this);
            context.protocol = repr_or_nothing(*protocol);
        });
    }
    std::string_view data(buffer, static_cast<std::size_t>(size));
    ReceiveBuffer::Loan loan(loop_->receive_buffer());
    if (is_stream()) return static_cast<Protocol&>(*protocol).data_received(data);
    try {
        static_cast<Protocol&>(*protocol).data_received(data);
    } catch (const std::bad_alloc&) {
        // A stream cannot go on without what it had no room for.
        if (dynamic_cast<StreamReaderProtocol*>(protocol.get()) != nullptr) throw;
        tell_failed_callback("data_received", *protocol, *this);
    } catch (...) {
        tell_failed_callback("data_received", *protocol, *this);
    }
}

void ReadPipeTransport::before_end(BaseProtocol& protocol) {
    if (!ended_) return;
    try {
        call_eof_received(protocol);
    } catch (...) {
        tell_failed_callback("eof_received", protocol, *this);
    }
}

void ReadPipeTransport::close() noexcept {
    if (!closing_) force_close(nullptr);
}

void ReadPipeTransport::force_close(std::exception_ptr error) noexcept {
    closing_ = true;
    unwatch(Direction::reading);
    schedule_end(std::move(error));
}

std::string ReadPipeTransport::repr() const {
    return repr_of("_UnixReadPipeTransport", is_watched(Direction::reading) ? " polling" : " idle");
}

}  // namespace asyncio::detail
