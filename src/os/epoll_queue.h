#pragma once

#include "os/thread_sanitizer.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace asyncio::detail {

/// The kernel's epoll, opened when it is needed, and the events that it tells of. Each event carries the number of its
/// descriptor and a serial number; that of the eventfd, which only ends sleeps, is zero.
class EpollQueue {
public:
    /// What the kernel's timer can do. Linux before 5.11 knows milliseconds only; they are rounded up.
    enum class Precision { nanoseconds, milliseconds };

    explicit EpollQueue(Precision best) noexcept : precision_(has_nanoseconds ? best : Precision::milliseconds) {}
    ~EpollQueue() {
        if (is_open()) close();
    }
    EpollQueue(const EpollQueue&) = delete;
    EpollQueue& operator=(const EpollQueue&) = delete;

    static int fd_of(const epoll_event& event) noexcept { return static_cast<int>(event.data.u64 & UINT32_MAX); }
    static std::uint32_t serial_of(const epoll_event& event) noexcept {
        return static_cast<std::uint32_t>(event.data.u64 >> 32);
    }

    bool is_open() const noexcept { return fd_ >= 0; }
    /// Returns an errno.
    int open(int wake_fd) noexcept;
    void close() noexcept;
    /// Another one, in which nothing is registered, takes its place. False: it cannot be had.
    bool renew(int wake_fd) noexcept;
    /// epoll_ctl(). False leaves the reason in errno.
    bool control(int operation, int fd, std::uint32_t serial, std::uint32_t events) noexcept {
        epoll_event change{};
        change.events = events;
        change.data.u64 = std::uint64_t{serial} << 32 | static_cast<std::uint32_t>(fd);
        return ::epoll_ctl(fd_, operation, fd, &change) == 0;
    }

    /// For so many events at once, the eventfd's included. With less, the others come with the next wait. Returns an
    /// errno.
    int make_room_for(std::size_t count) noexcept {
        if (ready_.size() >= count) [[likely]]
            return 0;
        return grow(count);
    }
    /// How many events there are; negative leaves the reason in errno.
    int poll(std::optional<std::chrono::nanoseconds> timeout) noexcept;
    const epoll_event& operator[](std::size_t index) const noexcept { return ready_[index]; }

    Precision precision() const noexcept { return precision_; }

private:
#if defined(SYS_epoll_pwait2) && !defined(ASYNCIO_THREAD_SANITIZER)
    static constexpr bool has_nanoseconds = true;
#else
    static constexpr bool has_nanoseconds = false;
#endif

    int grow(std::size_t count) noexcept;

    int fd_ = -1;
    Precision precision_;
    std::vector<epoll_event> ready_;
};

}  // namespace asyncio::detail
