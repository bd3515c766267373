#include "os/uring_file_watch.h"

#include "detail/fork_aware.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace asyncio::detail {

void FileWatch::close() noexcept {
    if (epoll_fd_ >= 0) ::close(std::exchange(epoll_fd_, -1));
}

int FileWatch::look(int fd, FileIdentity& file) noexcept {
    struct stat status = {};
    if (::fstat(fd, &status) != 0) return errno;
    if (epoll_fd_ < 0) {
        NoFork until_it_is_noted;
        epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
    }
    if (epoll_fd_ < 0) return errno;
    epoll_event nothing{};
    if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &nothing) != 0) return errno;
    ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, &nothing);
    file = {status.st_dev, status.st_ino, (status.st_mode & S_IFMT) != 0};
    return 0;
}

}  // namespace asyncio::detail
