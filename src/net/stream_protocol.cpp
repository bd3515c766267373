#include "net/stream_protocol.h"

#include "loop/loop_core.h"

#include <asyncio/errors/log.h>

#include <utility>

namespace asyncio::detail {

void StreamProtocol::drop_handle() noexcept {
    if (handles_ == 1 && !lost_ && !transport_->is_closing()) {
        if (reader_->loop().debug) [[unlikely]]
            warn_of_unclosed();
        transport_->close();
    }
    --handles_;
    dec_ref();
}

void StreamProtocol::warn_of_unclosed() const noexcept {
    try {
        log(LogLevel::warning, "unclosed <StreamWriter transport=" + transport_->repr() + ">");
    } catch (...) {  // no memory for a warning
    }
}

// The beginning.

void StreamProtocol::connection_made(Transport& transport) {
    transport_ = Ref<Transport>(&transport);
    reader_->set_transport(&transport);
    if (callback_) call_back();
}

void StreamProtocol::call_back() {
    StreamReader reader(reader_);
    StreamWriter writer(this);
    Ref<ClientCallback> callback = std::move(callback_);
    std::exception_ptr error;
    try {
        AnyTask task = callback->call(reader_->loop(), reader, writer);
        if (task) {
            task.add_done_callback(
                [keep = Ref<StreamProtocol>(this)](const AnyTask& done) { client_task_is_done(done, *keep); });
        }
        return;
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        error = std::current_exception();
    }
    report_failed_callback(std::move(error), {});
}

void StreamProtocol::client_task_is_done(const AnyTask& task, StreamProtocol& stream) {
    if (task.cancelled()) return stream.transport_->close();
    if (std::exception_ptr error = task.exception()) stream.report_failed_callback(std::move(error), task);
}

void StreamProtocol::report_failed_callback(std::exception_ptr error, const AnyTask& task) {
    std::string text = repr_or_nothing(*transport_);
    transport_->close();
    reader_->loop().tell({.exception = std::move(error), .task = task, .transport = std::move(text)},
                         [&](ExceptionContext& context) {
        context.message = "Unhandled exception in client_connected_cb";
        if (task) context.stack = task.get_stack();
    });
}

StreamProtocolFactory::StreamProtocolFactory(Ref<ClientCallback> callback, std::int64_t limit)
    : callback_(std::move(callback)), limit_(limit) {
    if (limit <= 0) throw ValueError("Limit cannot be <= 0");
}

Protocol* StreamProtocolFactory::make(LoopCore& loop) {
    return new StreamProtocol(Ref<ReaderState>(new ReaderState(loop, limit_)), callback_);
}

// Flow control.

void StreamProtocol::resume_writing() noexcept {
    writing_paused_ = false;
    wake_all(StreamWaiter::For::room);
}

void StreamProtocol::wake_all(StreamWaiter::For what) noexcept {
    for (auto next = waiters_.begin(); next != waiters_.end();) {
        StreamWaiter& waiter = *next;
        ++next;
        if (waiter.waits_for() != what) continue;
        waiter.ListHook<StreamWaiters>::unlink();
        waiter.wake_with(lost_by_);
    }
}

// The end.

/// Ours can still write.
bool StreamProtocol::eof_received() noexcept {
    reader_->feed_eof();
    return true;
}

void StreamProtocol::connection_lost(std::exception_ptr error) noexcept {
    lost_ = true;
    lost_by_ = std::move(error);
    if (lost_by_) {
        reader_->set_exception(lost_by_);
    } else {
        reader_->feed_eof();
    }
    wake_all(StreamWaiter::For::end);
    if (writing_paused_) wake_all(StreamWaiter::For::room);
}

void StreamProtocol::detached() noexcept {
    lost_ = true;
    reader_->set_transport(nullptr);
    Ref<ClientCallback> callback = std::move(callback_);
}

std::string StreamProtocol::repr() const {
    return "<StreamWriter transport=" + transport_->repr() + " reader=" + reader_->repr() + ">";
}

}  // namespace asyncio::detail
