#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/socket_waiter.h>
#include <asyncio/net/waiter_call.h>

#include <coroutine>

namespace asyncio {

namespace detail {

/// What a descriptor is to be ready for.
enum class Readiness : bool { to_read, to_write };

/// A wait of a task for a descriptor that is somebody else's.
///
/// While it has to wait it has a duplicate of it: so the number may be closed and given out again, and others may wait
/// for the same descriptor, by whatever means.
class [[nodiscard]] [[gnu::warn_unused]] DescriptorWaiter final : public Waiter {
public:
    DescriptorWaiter(int fd, Readiness what) noexcept : Waiter(WaitKind::file_descriptor), what_(what) {
        set_fd(fd);
        set_doing(what == Readiness::to_write ? Doing::writing : Doing::reading);
    }
    DescriptorWaiter(const DescriptorWaiter&) = delete;
    DescriptorWaiter& operator=(const DescriptorWaiter&) = delete;
    ~DescriptorWaiter() {
        if (own_ >= 0) [[unlikely]]
            leave();
    }
    void tell(WaitStory& story) const override;
    bool await_ready();
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        suspend(*frame.promise().task(), frame);
        if (own_ < 0) wake();  // it is only for others to have their turn
    }
    void await_resume() { check(); }

private:
    void leave() noexcept;
    void on_cancel() noexcept override {
        if (own_ >= 0) leave();
    }

    int own_ = -1;
    Readiness what_;
    LoopCore* loop_ = nullptr;
};

/// The same for a socket of ours, which tells when it is closed.
class [[nodiscard]] [[gnu::warn_unused]] SocketReadyWaiter final : public SocketWaiter {
public:
    SocketReadyWaiter(Ref<SocketState> socket, Readiness what) noexcept;
    void await_resume() { check_outcome(); }

private:
    void prepare() override {}
};

using DescriptorCall = WaiterCall<DescriptorWaiter, int, Readiness>;
using SocketReadyCall = WaiterCall<SocketReadyWaiter, Ref<SocketState>, Readiness>;

}  // namespace detail

/// Waits until there is something to read from the descriptor: bytes, an end, an error. For what speaks to the system
/// by itself and has a descriptor to wait for: a C library's connection, inotify, a pidfd, a timerfd.
///
/// It goes on at once if that is so already, as it always is of regular files, which are never waited for; of a
/// thousand in a row one waits for the next pass, so that a loop that never reads holds nobody up. Of several
/// tasks that wait all go on, one pass after it was seen; somebody may have read by then, so make the descriptor
/// non-blocking, and wait again when a read says EAGAIN. Beside an `add_reader()` of the same descriptor it is no
/// trouble. Nobody closes it: not this, and a `close()` does not end the wait, which keeps the file open until it is
/// over or cancelled.
///
/// Throws OSError, EBADF, if it is not open; ValueError for a negative one; RuntimeError for that of a stream.
/// ```cpp
/// while (PQisBusy(connection)) {
///     co_await asyncio::readable(PQsocket(connection));
///     PQconsumeInput(connection);
/// }
/// ```
/// Python: a future that `loop.add_reader()` ends.
inline auto readable(int fd) { return detail::DescriptorCall(fd, detail::Readiness::to_read); }
/// The same until there is room to write, or nobody reads any more.
inline auto writable(int fd) { return detail::DescriptorCall(fd, detail::Readiness::to_write); }
template <class File>
detail::DescriptorCall readable(File*) {
    static_assert(detail::never<File>, "readable() waits for a descriptor: fileno(file) of a FILE*");
    return detail::DescriptorCall(-1, detail::Readiness::to_read);
}
template <class File>
detail::DescriptorCall writable(File*) {
    static_assert(detail::never<File>, "writable() waits for a descriptor: fileno(file) of a FILE*");
    return detail::DescriptorCall(-1, detail::Readiness::to_write);
}
/// The same for a `Socket`, whose tasks are served in the order in which they came, together with those in `sock_recv`
/// and its like. Closing it ends the wait with OSError, EBADF.
inline auto readable(const Socket& sock) { return detail::SocketReadyCall(sock.state(), detail::Readiness::to_read); }
inline auto writable(const Socket& sock) { return detail::SocketReadyCall(sock.state(), detail::Readiness::to_write); }

}  // namespace asyncio
