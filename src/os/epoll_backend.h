#pragma once

#include <asyncio/core/io_backend.h>

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>

namespace asyncio::detail {

/// Waits with epoll. Woken through an eventfd, which costs a system call only when the loop sleeps.
///
/// A descriptor that was closed while watched may be forgotten, or its number watched anew.
///
/// Python: selectors.EpollSelector and the loop's self-pipe.
class EpollBackend final : public IoBackend {
public:
    /// What the kernel's timer can do. Linux before 5.11 knows milliseconds only; they are rounded
    /// up.
    enum class Precision { nanoseconds, milliseconds };

    explicit EpollBackend(Precision best = Precision::nanoseconds);
    ~EpollBackend() override;
    EpollBackend(const EpollBackend&) = delete;
    EpollBackend& operator=(const EpollBackend&) = delete;

    /// Throws OSError; ValueError for a negative descriptor. After an error `fd` is not watched.
    void watch(int fd, bool readable, bool writable) override;
    /// What was handed over before a `wake()` that ended this wait is visible after it.
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) override;
    void wake() noexcept override;

    Precision precision() const noexcept { return precision_; }

private:
    /// `awake` and `asleep` are set by the waiting thread only, `woken` by `wake()` only. Whoever
    /// turns `asleep` into `woken` writes the eventfd, which ends the sleep; turning `awake` into
    /// `woken` is enough, because `wait()` falls asleep only from `awake`. The write may come after
    /// the sleep has ended for another reason: then it ends the next one early, which is allowed.
    enum class State { awake, asleep, woken };
    static_assert(std::atomic<State>::is_always_lock_free, "wake() runs in signal handlers");

    void grow(int fd);
    void forget(int fd) noexcept;
    int poll(std::optional<std::chrono::nanoseconds> timeout) noexcept;

    int epoll_fd_ = -1;
    int wake_fd_ = -1;
    Precision precision_;
    std::atomic<State> state_ = State::awake;
    std::size_t watched_ = 0;
    std::vector<std::uint8_t> wanted_;  // by descriptor: EPOLLIN | EPOLLOUT, zero if not watched
    std::vector<epoll_event> ready_;    // room for all that is watched and the eventfd
};

}  // namespace asyncio::detail
