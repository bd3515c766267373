#pragma once

#include <sys/stat.h>

namespace asyncio::detail {

/// Which file a descriptor stands for.
struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    bool is_known = false;  // all eventfds and their like have one inode
    bool operator==(const FileIdentity& other) const noexcept {
        return is_known && other.is_known && device == other.device && inode == other.inode;
    }
};

/// Says of which files the kernel can tell when they become ready. Nothing but an epoll knows it: a poll, and an
/// io_uring's as well, calls all others ready at any time.
class FileWatch {
public:
    FileWatch() noexcept = default;
    ~FileWatch() { close(); }
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    /// Returns an errno: EPERM for a file that is never waited for, such as a regular one.
    int look(int fd, FileIdentity& file) noexcept;
    void close() noexcept;

private:
    int epoll_fd_ = -1;
};

}  // namespace asyncio::detail
