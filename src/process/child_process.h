#pragma once

#include "process/child_plan.h"

#include <sys/types.h>

#include <optional>

namespace asyncio::detail {

/// A child of this process, from its start until its end was taken note of.
///
/// It is waited for and sent signals by its pidfd, so that never another process is meant. Where the kernel has none a
/// thread waits in its place. No SIGCHLD is needed, and nobody else's child is touched.
class ChildProcess {
public:
    /// Becomes the plan's program. `failure` says why there is none then.
    static std::optional<ChildProcess> start(const ChildPlan& plan, ChildFailure& failure) noexcept;

    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    /// It runs on.
    ~ChildProcess();

    pid_t pid() const noexcept { return pid_; }
    /// Is readable when the child has ended. Open until it was reaped.
    int fd() const noexcept { return fd_; }
    bool is_reaped() const noexcept { return is_reaped_; }

    enum class Wait : bool { no, until_it_ends };
    /// Its exit status, or -N if signal N ended it; none while it runs. Somebody else has taken note of it: `unknown`.
    std::optional<int> reap(Wait wait) noexcept;
    static constexpr int unknown = 255;
    bool was_reaped_elsewhere() const noexcept { return was_reaped_elsewhere_; }

    /// Nothing if it is over. Otherwise an errno, or 0.
    int send_signal(int signum) const noexcept;
    /// The same to the group that it leads, and to it if it leads none any more.
    void send_signal_to_group(int signum) const noexcept;
    /// What is left of its group when it has ended is killed then, before the number may be somebody else's.
    void end_group_with_it() noexcept { kills_group_ = true; }

private:
    ChildProcess(pid_t pid, int pidfd) noexcept : pid_(pid), fd_(pidfd) {}
    bool let_thread_wait() noexcept;
    void kill_rest_of_group(Wait wait) const noexcept;
    void close() noexcept;

    pid_t pid_;
    int fd_;
    bool is_pidfd_ = true;
    bool is_reaped_ = false;
    bool kills_group_ = false;  // at its end
    bool was_reaped_elsewhere_ = false;
};

}  // namespace asyncio::detail
