#include <asyncio/net/ready.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "net/descriptor_story.h"

#include <asyncio/errors/os_errors.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace asyncio::detail {
namespace {

bool is_ready(int fd, Readiness what) {
    pollfd entry{fd, static_cast<short>(what == Readiness::to_write ? POLLOUT : POLLIN), 0};
    int count = 0;
    do {
        count = ::poll(&entry, 1, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw_os_error(errno);
    if ((entry.revents & POLLNVAL) != 0) throw_os_error(EBADF);
    return count > 0;
}

}  // namespace

bool DescriptorWaiter::await_ready() {
    loop_ = &running_core();
    if (loop_->debug()) [[unlikely]]
        loop_->check_thread();
    if (fd() < 0) throw ValueError("Invalid file descriptor: " + std::to_string(fd()));
    loop_->descriptors().check_has_no_user(fd());
    // Nor is there a duplicate then whose end would drop the locks by fcntl() of a regular file.
    if (is_ready(fd(), what_)) return !loop_->descriptors().is_ready_too_often();
    own_ = ::fcntl(fd(), F_DUPFD_CLOEXEC, 0);
    if (own_ < 0) throw_os_error(errno);
    auto is_seen = [this] {
        leave();
        wake();
    };
    loop_->descriptors().watch(own_, what_ == Readiness::to_write,
                               Ref<HandleBase>::adopt(new HandleOf<decltype(is_seen)>(*loop_, is_seen)));
    return false;
}

void DescriptorWaiter::leave() noexcept {
    int own = std::exchange(own_, -1);
    try {
        loop_->descriptors().unwatch(own, what_ == Readiness::to_write);
    } catch (...) {  // it is watched no longer all the same
    }
    ::close(own);
}

void DescriptorWaiter::tell(WaitStory& story) const {
    std::string doing = what_ == Readiness::to_write ? "in writable()" : "in readable()";
    story.text = descriptor_story(fd(), doing, own_ >= 0 ? own_ : fd());
}

SocketReadyWaiter::SocketReadyWaiter(Ref<SocketState> socket, Readiness what) noexcept
    : SocketWaiter(what == Readiness::to_write ? IoCall::writable : IoCall::readable, std::move(socket)) {}

}  // namespace asyncio::detail
