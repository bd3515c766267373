#include <asyncio/net/socket_waiter.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "net/descriptor_story.h"

#include <asyncio/errors/os_errors.h>

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace asyncio::detail {

SocketWaiter::SocketWaiter(IoCall call, Ref<SocketState> socket) noexcept
    : Waiter(WaitKind::file_descriptor), socket_(std::move(socket)), operation_(call, *this) {
    set_doing(is_for_writing(call) ? Doing::writing : Doing::reading);
}

bool SocketWaiter::begin() {
    loop_ = &running_core();
    if (!socket_) throw_os_error(EBADF);
    if (loop_->debug()) [[unlikely]] {
        loop_->check_thread();
        int flags = ::fcntl(socket_->fd, F_GETFL);
        if (flags >= 0 && (flags & O_NONBLOCK) == 0) throw ValueError("the socket must be non-blocking");
    }
    loop_->descriptors().check_has_no_user(socket_->fd);
    if (!check_arguments()) return true;
    operation_.descriptor = {socket_->fd, socket_->serial};
    set_fd(socket_->fd);
    prepare();
    return settle(operation_.start(loop_->io()));
}

/// Goes on until all is done, or has to wait.
bool SocketWaiter::settle(bool over) {
    while (over && operation_.result >= 0 && !advance()) {
        prepare();
        over = operation_.start(loop_->io());
    }
    if (over && operation_.result < 0) [[unlikely]]
        failed();
    return over;
}

void SocketWaiter::tell(WaitStory& story) const {
    static constexpr const char* calls[] = {"in readable()",      "in sock_recv()",     "in sock_recvfrom()",
                                            "in sock_recvfrom()", "in sock_accept()",  //
                                            "in writable()",      "in sock_sendall()",  "in sock_sendto()",
                                            "in sock_sendto()",   "in sock_sendfile()", "in sock_connect()"};
    story.text = descriptor_story(fd(), calls[static_cast<int>(operation_.call)]);
}

void SocketWaiter::reported(ReadyNode& node) {
    SocketWaiter& waiter = static_cast<Operation&>(static_cast<IoOperation&>(node)).waiter;
    if (!is_for_writing(waiter.operation_.call)) return waiter.wake_for_turn();
    if (waiter.take_outcome()) waiter.wake();
}

/// Takes the outcome that is there. False: it has to wait on. Whatever fails, the task goes on.
bool SocketWaiter::take_outcome() noexcept {
    try {
        prepare();
        return settle(operation_.finish());
    } catch (...) {
        fail();
        return true;
    }
}

void SocketWaiter::fail() noexcept {
    operation_.stop();
    operation_.result = -ECANCELED;
    error_ = std::current_exception();
}

void SocketWaiter::turn() {
    if (task_->cancel_is_ahead()) {
        operation_.stop();  // the step will throw
    } else if (!take_outcome()) {
        return wait_again();
    }
    step_task();
}

void SocketWaiter::throw_failure() const {
    if (error_) std::rethrow_exception(error_);
    throw_error();
}

void SocketWaiter::throw_error() const { throw_os_error(static_cast<int>(-operation_.result)); }

}  // namespace asyncio::detail
