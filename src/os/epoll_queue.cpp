#include "os/epoll_queue.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

namespace asyncio::detail {
namespace {

using std::chrono::nanoseconds;

/// Rounded up: a timer that is due must find its time reached, or the loop would spin until then.
int to_milliseconds(std::optional<nanoseconds> timeout) noexcept {
    if (!timeout) return -1;
    if (timeout->count() <= 0) return 0;
    std::int64_t milliseconds = (timeout->count() - 1) / 1'000'000 + 1;
    return milliseconds > INT_MAX ? INT_MAX : static_cast<int>(milliseconds);
}

#ifdef SYS_epoll_pwait2
long wait_with_nanoseconds(int epoll_fd, std::vector<epoll_event>& ready, nanoseconds timeout) noexcept {
    struct {  // the kernel's own timespec, which has 64 bits everywhere
        std::int64_t seconds, nanoseconds;
    } limit{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
    return ::syscall(SYS_epoll_pwait2, epoll_fd, ready.data(), static_cast<int>(ready.size()), &limit, nullptr,
                     std::size_t{0});
}
#endif

/// Negative if that fails.
int open_epoll(int wake_fd) noexcept {
    int epoll_fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) return -1;
    epoll_event readable{};
    readable.events = EPOLLIN | EPOLLET;  // each write is an edge, so nobody needs to read
    readable.data.u64 = static_cast<std::uint32_t>(wake_fd);
    if (::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &readable) == 0) return epoll_fd;
    int error = errno;
    ::close(epoll_fd);
    errno = error;
    return -1;
}

}  // namespace

int EpollQueue::open(int wake_fd) noexcept {
    fd_ = open_epoll(wake_fd);
    return fd_ < 0 ? errno : 0;
}

void EpollQueue::close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool EpollQueue::renew(int wake_fd) noexcept {
    int fresh = open_epoll(wake_fd);
    if (fresh < 0) return false;
    ::close(std::exchange(fd_, fresh));
    return true;
}

int EpollQueue::grow(std::size_t count) noexcept {
    try {
        ready_.resize(count);
        return 0;
    } catch (...) {
        return ready_.empty() ? ENOMEM : 0;
    }
}

int EpollQueue::poll(std::optional<nanoseconds> timeout) noexcept {
#ifdef SYS_epoll_pwait2
    if (precision_ == Precision::nanoseconds && timeout && timeout->count() > 0) {
        long count = wait_with_nanoseconds(fd_, ready_, *timeout);
        // A container's filter may say EPERM to a call that is newer than itself.
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(count);
        precision_ = Precision::milliseconds;
    }
#endif
    return ::epoll_wait(fd_, ready_.data(), static_cast<int>(ready_.size()), to_milliseconds(timeout));
}

}  // namespace asyncio::detail
