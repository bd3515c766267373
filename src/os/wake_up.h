#pragma once

#include <atomic>

namespace asyncio::detail {

/// Ends the sleep of a backend from another thread or a signal handler: an eventfd, which is written only while the
/// backend sleeps.
///
/// The eventfd is opened before the first sleep. Who wakes looks at it only after it has found the backend asleep, and
/// so finds it open.
class WakeUp {
public:
    WakeUp() noexcept = default;
    ~WakeUp();
    WakeUp(const WakeUp&) = delete;
    WakeUp& operator=(const WakeUp&) = delete;

    /// Opens the eventfd if it is not open yet. On the waiting thread. Returns an errno; it can be tried again.
    int open() noexcept;
    int fd() const noexcept { return fd_; }
    void wake() noexcept;

    /// Nobody waits any more, and nobody wakes.
    void close() noexcept;
    /// In a forked child: leaves the parent's eventfd alone.
    void after_fork() noexcept;

    /// Before a sleep; it is open. False: it was woken already, and must not sleep. What was handed over before that is
    /// visible now.
    bool fall_asleep() noexcept;
    /// After the sleep.
    void awake() noexcept;
    /// Takes note of a wake-up, so that the next sleep is not cut short. False: there was none.
    bool look() noexcept;
    /// The eventfd is readable: makes it unreadable, for who is told of it as long as it is.
    void drain() noexcept;

private:
    /// `awake` and `asleep` are set by the waiting thread only, `woken` by `wake()` only. Whoever turns `asleep` into
    /// `woken` writes the eventfd, which ends the sleep; turning `awake` into `woken` is enough, because the backend
    /// falls asleep only from `awake`. The write may come after the sleep has ended for another reason: then it ends
    /// the next one early, which is allowed.
    enum class State { awake, asleep, woken };
    static_assert(std::atomic<State>::is_always_lock_free, "wake() runs in signal handlers");

    int fd_ = -1;
    std::atomic<State> state_ = State::awake;
};

}  // namespace asyncio::detail
