#include <asyncio/net/stream_reader_protocol.h>

#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "net/transport_state.h"

#include <asyncio/errors/log.h>

#include <utility>

namespace asyncio {

StreamReaderProtocol::StreamReaderProtocol(StreamReader reader) {
    detail::running_core();  // throws if there is none
    if (reader) reader_ = reader.state();
}

StreamReaderProtocol::~StreamReaderProtocol() {
    leave_reader();  // another may stand on the transport now, which ends without telling this one
}

void StreamReaderProtocol::drop_handle() noexcept {
    transport().loop().note_thread("a handle of a StreamWriter went in a thread that is not its loop's");
    if (handles_ == 1 && !lost_) {
        if (transport().loop().debug() && !transport().is_closing()) [[unlikely]]
            warn_of_unclosed();
        transport().close();
    }
    --handles_;
    dec_ref();
}

void StreamReaderProtocol::warn_of_unclosed() const noexcept {
    try {
        detail::log(LogLevel::warning, "unclosed <StreamWriter transport=" + transport().repr() + ">");
    } catch (...) {  // no memory for a warning
    }
}

// The beginning.

void StreamReaderProtocol::connection_made(Transport transport) {
    transport_ = transport.handle();
    if (reader_) reader_->set_transport(transport_.get());
    if (callback_) call_back();
}

void StreamReaderProtocol::adopt(const WriteTransport& transport, const StreamReader& reader) {
    if (transport_.get() == nullptr) transport_ = transport.handle();
    if (!reader_ && reader) reader_ = reader.state();
    if (!reader_ || reader_->transport() != nullptr || lost_) return;
    if (transport.handle().get()->protocol() == this) reader_->set_transport(transport_.get());
}

bool StreamReaderProtocol::replace_transport(const Transport& transport) noexcept {
    bool reads = reader_ && reader_->transport() == transport_.get();
    transport_ = detail::TransportHandle(transport.handle());
    if (!reads || lost_) return false;
    reader_->set_transport(transport_.get());
    return reader_->has_paused();
}

void StreamReaderProtocol::call_back() {
    StreamReader reader(reader_);
    StreamWriter writer(this);
    detail::Ref<detail::ClientCallback> callback = std::move(callback_);
    std::exception_ptr error;
    try {
        AnyTask task = callback->call(transport().loop(), reader, writer);
        if (task) {
            task.add_done_callback([keep = detail::Ref<StreamReaderProtocol>(this)](const AnyTask& done) {
                client_task_is_done(done, *keep);
            });
        }
        return;
    } catch (...) {
        if (detail::current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        error = std::current_exception();
    }
    report_failed_callback(std::move(error), {});
}

void StreamReaderProtocol::client_task_is_done(const AnyTask& task, StreamReaderProtocol& stream) {
    if (task.cancelled()) return stream.transport().close();
    if (std::exception_ptr error = task.exception()) stream.report_failed_callback(std::move(error), task);
}

void StreamReaderProtocol::report_failed_callback(std::exception_ptr error, const AnyTask& task) {
    std::string text = detail::repr_or_nothing(transport());
    transport().close();
    detail::LoopExceptionHandler& handler = detail::exception_handler_of(transport().loop());
    handler.tell({.exception = std::move(error), .task = task, .transport = std::move(text)},
                 [&](ExceptionContext& context) {
        context.message = "Unhandled exception in client_connected_cb";
        if (task) context.stack = task.get_stack();
    });
}

// Flow control.

void StreamReaderProtocol::pause_writing() { writing_paused_ = true; }

void StreamReaderProtocol::resume_writing() {
    writing_paused_ = false;
    wake_all(detail::StreamWaiter::For::room);
}

void StreamReaderProtocol::wake_all(detail::StreamWaiter::For what) noexcept {
    detail::IntrusiveList<detail::StreamWaiter, detail::StreamWaiters> in_order;
    waiters_.move_to(in_order);
    while (!in_order.empty()) {
        detail::StreamWaiter& waiter = in_order.pop_front();
        if (waiter.waits_for() == what) {
            waiter.wake_with(lost_by_);
        } else {
            waiters_.push(waiter);
        }
    }
}

// What comes.

void StreamReaderProtocol::data_received(std::string_view data) {
    if (reader_) reader_->feed_data(data);
}

/// Ours can still write.
bool StreamReaderProtocol::eof_received() {
    if (reader_) reader_->feed_eof();
    return true;
}

// The end.

void StreamReaderProtocol::connection_lost(std::exception_ptr error) {
    lost_ = true;
    lost_by_ = std::move(error);
    if (!reader_) {
    } else if (lost_by_) {
        reader_->lose(lost_by_);
    } else {
        reader_->feed_eof();
    }
    wake_all(detail::StreamWaiter::For::end);
    if (writing_paused_) wake_all(detail::StreamWaiter::For::room);
}

void StreamReaderProtocol::detached() noexcept {
    lost_ = true;
    leave_reader();
    detail::Ref<detail::ClientCallback> callback = std::move(callback_);
}

void StreamReaderProtocol::leave_reader() noexcept {
    if (reader_ && reader_->transport() == transport_.get()) reader_->set_transport(nullptr);
}

std::string StreamReaderProtocol::repr() const {
    return "<StreamWriter transport=" + transport().repr() + (reader_ ? " reader=" + reader_->repr() : "") + ">";
}

}  // namespace asyncio
