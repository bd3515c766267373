#include "core/meant_future.h"
#include "net/descriptor_story.h"
#include "net/file_reading.h"
#include "tls/tls_transport.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/to_thread.h>

#include <string>
#include <utility>

namespace asyncio::detail {

/// While it lives nothing is read, and nothing else written. CPython: base_events.py, _SendfileFallbackProtocol
class TlsTransport::FileTurn {
public:
    explicit FileTurn(TlsTransport& transport) : transport_(transport), resumes_(transport.is_reading()) {
        if (transport_.sending_file_) throw RuntimeError("unable to send a file; sendfile is in progress");
        transport_.sending_file_ = true;
        transport_.pause_reading();
    }
    ~FileTurn() {
        transport_.sending_file_ = false;
        if (resumes_) transport_.resume_reading();
    }
    FileTurn(const FileTurn&) = delete;
    FileTurn& operator=(const FileTurn&) = delete;

private:
    TlsTransport& transport_;
    bool resumes_;
};

void TlsTransport::check_can_write(const char* function) const {
    if (sending_file_) throw RuntimeError(std::string("unable to ") + function + "; sendfile is in progress");
    check_is_ours();
}

void TlsTransport::check_is_ours() const {
    if (!is_of_another_process()) return;
    throw RuntimeError(
        "a connection by TLS is its process's: a forked child can only close it, or begin one of its own");
}

namespace {

std::string text_of_room(const void*, int fd) { return descriptor_story(fd, "in sendfile()"); }

}  // namespace

/// The kernel cannot encipher it: it is read and written.
Coro<std::size_t> TlsTransport::send_file(Ref<TlsTransport> self, int file, std::int64_t offset,
                                          std::optional<std::int64_t> count, SendfileOptions options) {
    if (self->closing_) throw RuntimeError("Transport is closing");
    self->check_is_ours();
    self->check_is_not_under_tls();
    if (!options.fallback) {
        throw RuntimeError("fallback is disabled and native sendfile is not supported for transport " + self->repr());
    }
    check_part(offset, count);
    FileTurn turn(*self);
    FilePosition position(file, offset);
    for (;;) {
        std::size_t size = position.next_size(count);
        if (size == 0) break;
        std::string block = co_await asyncio::to_thread(read_block, file, offset + position.sent, size);
        if (block.empty()) break;
        if (self->closing_) throw ConnectionError("Connection is closed by peer");
        self->write_all(block);
        position.sent += static_cast<std::int64_t>(block.size());
        if (self->writing_paused_ && !self->closing_) {
            Future<> room(Ref<FutureBase>(new FutureState<void>(*self->loop_)));
            self->room_ = room;
            co_await MeantFuture(room, WaitKind::file_descriptor, text_of_room, nullptr, self->fileno());
        }
        if (self->closing_) throw ConnectionError("Connection is closed by peer");
    }
    co_return static_cast<std::size_t>(position.sent);
}

Coro<std::size_t> TlsTransport::sendfile(int file, std::int64_t offset, std::optional<std::int64_t> count,
                                         SendfileOptions options) {
    return send_file(Ref<TlsTransport>(this), file, offset, count, options);
}

void TlsTransport::wake_who_waits_for_room() noexcept {
    Future<> room = std::exchange(room_, {});
    if (room && !room.done()) room.set_result();
}

}  // namespace asyncio::detail
