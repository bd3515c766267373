#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "net/descriptor_story.h"
#include "net/socket_transport.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/net/sendfile.h>

#include <utility>

namespace asyncio {

namespace detail {

/// While it lives the socket is a file's. CPython: selector_events.py, BaseSelectorEventLoop._sendfile_native
class SocketTransport::FileTurn {
public:
    explicit FileTurn(Ref<SocketTransport> transport) : transport_(std::move(transport)) {
        if (transport_->sending_file_) throw RuntimeError("unable to send a file; sendfile is in progress");
        resumes_ = transport_->is_reading();
        transport_->pause_reading();
        transport_->sending_file_ = true;
        transport_->leave_descriptor();
    }
    ~FileTurn() {
        transport_->sending_file_ = false;
        if (transport_->closing_) return;
        transport_->loop_->descriptors().set_user(transport_->socket_->fd, transport_.get());
        if (resumes_) transport_->resume_reading();
    }
    FileTurn(const FileTurn&) = delete;
    FileTurn& operator=(const FileTurn&) = delete;

    /// Waits until all is sent that was written before.
    class SentWaiter final : public Waiter {
    public:
        explicit SentWaiter(SocketTransport* transport) noexcept
            : Waiter(WaitKind::file_descriptor, &transport_), transport_(transport) {
            set_fd(transport->fileno());
            set_doing(Doing::writing);
        }
        ~SentWaiter() { on_cancel(); }
        bool await_ready() const noexcept { return transport_->backlog_ == nullptr; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
            transport_->backlog_->until_sent = this;
            suspend(*frame.promise().task(), frame);
        }
        void tell(WaitStory& story) const override { story.text = descriptor_story(fd(), "in sendfile()"); }
        void await_resume() {
            check();
            if (transport_->conn_lost_ > 0) throw ConnectionError("Connection is closed by peer");
        }

    private:
        void on_cancel() noexcept override {
            Backlog* backlog = transport_->backlog_.get();
            if (backlog != nullptr && backlog->until_sent == this) backlog->until_sent = nullptr;
        }
        SocketTransport* transport_;
    };
    auto what_was_written() noexcept { return WaiterCall<SentWaiter, SocketTransport*>(transport_.get()); }
    const Ref<SocketState>& socket() const noexcept { return transport_->socket_; }

private:
    Ref<SocketTransport> transport_;
    bool resumes_;
};

Coro<std::size_t> SocketTransport::send_file_behind(Ref<SocketTransport> transport, int file, std::int64_t offset,
                                                    std::optional<std::int64_t> count, SendfileOptions options) {
    if (transport->closing_) throw RuntimeError("Transport is closing");
    transport->check_is_not_under_tls();
    FileTurn turn(std::move(transport));
    co_await turn.what_was_written();
    co_return co_await sock_sendfile(turn.socket(), file, offset, count, options);
}

Coro<std::size_t> SocketTransport::sendfile(int file, std::int64_t offset, std::optional<std::int64_t> count,
                                            SendfileOptions options) {
    return send_file_behind(Ref<SocketTransport>(this), file, offset, count, options);
}

namespace {

Coro<std::size_t> refuse(TransportHandle transport) {
    throw RuntimeError("sendfile is not supported for transport " + transport.get()->repr());
    co_return 0;
}

}  // namespace

Coro<std::size_t> TransportState::sendfile(int, std::int64_t, std::optional<std::int64_t>, SendfileOptions) {
    return refuse(TransportHandle(this));
}

}  // namespace detail

Coro<std::size_t> sendfile(const WriteTransport& transport, int file, std::int64_t offset,
                           std::optional<std::int64_t> count, SendfileOptions options) {
    return transport.handle().get()->sendfile(file, offset, count, options);
}

}  // namespace asyncio
