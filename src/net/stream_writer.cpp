#include <asyncio/net/stream_writer.h>

#include "loop/loop_core.h"
#include "net/transport.h"

#include <asyncio/errors/os_errors.h>

namespace asyncio {

std::string repr(const ExtraInfo& info) { return info.socket() ? repr(info.socket()) : repr(info.address()); }

namespace detail {

TransportHandle::TransportHandle(Transport* transport) noexcept : transport_(transport) {
    if (transport != nullptr) transport->add_handle();
}

void TransportHandle::drop() noexcept { transport_->drop_handle(); }

WaitEdge TransportWaiter::edge() const noexcept {
    return {WaitKind::file_descriptor, transport_.get(), transport_.get()->fileno()};
}

// CPython: streams.py, StreamWriter.drain
bool DrainWaiter::await_ready() {
    const std::exception_ptr& error = transport().reader().exception();
    if (error) std::rethrow_exception(error);
    return !transport().is_closing() && is_drained();
}

/// True if the wait is over.
bool DrainWaiter::is_drained() {
    if (transport().is_lost()) error_ = std::make_exception_ptr(ConnectionResetError("Connection lost"));
    return transport().is_lost() || !transport().is_writing_paused();
}

void DrainWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    bool is_closing = transport().is_closing();
    if (!is_closing) transport().drain_waiters().push_back(*this);
    suspend(task, frame);
    if (is_closing) wake_for_turn();  // first a pass in which it can be told that it is lost
}

void DrainWaiter::turn() {
    if (!task_->cancel_is_ahead() && !is_drained()) {
        wait_again();
        transport().drain_waiters().push_back(*this);
    } else {
        step_task();
    }
}

void DrainWaiter::await_resume() {
    check();
    if (error_) std::rethrow_exception(std::move(error_));
}

bool WaitClosedWaiter::await_ready() {
    if (!transport().is_lost()) return false;
    error_ = transport().lost_by();
    return true;
}

void WaitClosedWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    transport().close_waiters().push_back(*this);
    suspend(task, frame);
}

void WaitClosedWaiter::await_resume() {
    check();
    if (error_) std::rethrow_exception(std::move(error_));
}

}  // namespace detail

const detail::TransportHandle& StreamWriter::handle() const {
    if (transport_.get() == nullptr) {
        throw RuntimeError("this handle is empty: it was default-constructed or moved from, and names no writer");
    }
    return transport_;
}

void StreamWriter::write(BytesLike data) const { handle().get()->write(data.view()); }
void StreamWriter::write_all(const BytesLike* lines, std::size_t count) const {
    handle().get()->writelines({lines, count});
}
void StreamWriter::write_eof() const { handle().get()->write_eof(); }
void StreamWriter::close() const { handle().get()->close(); }
void StreamWriter::abort() const { handle().get()->abort(); }
bool StreamWriter::is_closing() const { return handle().get()->is_closing(); }
bool StreamWriter::is_reading() const { return handle().get()->is_reading(); }
ExtraInfo StreamWriter::get_extra_info(std::string_view name) const { return handle().get()->get_extra_info(name); }
void StreamWriter::set_write_buffer_limits(WriteBufferOptions options) const {
    handle().get()->set_write_buffer_limits(options.high, options.low);
}
WriteBufferLimits StreamWriter::get_write_buffer_limits() const { return handle().get()->write_buffer_limits(); }
std::size_t StreamWriter::get_write_buffer_size() const { return handle().get()->write_buffer_size(); }

std::string repr(const StreamWriter& writer) {
    if (!writer) return "None";
    const detail::Transport& transport = *writer.handle().get();
    return "<StreamWriter transport=" + transport.repr() + " reader=" + transport.reader().repr() + ">";
}

}  // namespace asyncio
