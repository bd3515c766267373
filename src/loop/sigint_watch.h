#pragma once

#include <asyncio/loop/io_backend.h>

#include <atomic>

namespace asyncio::detail {

/// Counts the user's Ctrl-C for a `Runner`, and wakes its loop at each.
///
/// Only watches when made on the main thread while SIGINT has its default action: a program that
/// has its own handler, or ignores the signal, keeps it. `backend` must outlive the watch.
///
/// The third Ctrl-C that finds two others unanswered ends the process as if nobody watched: the
/// program is stuck in code that never returns to its loop.
class SigintWatch {
public:
    explicit SigintWatch(IoBackend& backend) noexcept;
    /// Gives it back.
    ~SigintWatch();
    SigintWatch(const SigintWatch&) = delete;
    SigintWatch& operator=(const SigintWatch&) = delete;

    bool installed() const noexcept { return installed_; }
    /// How many have arrived so far.
    int count() const noexcept { return count_.load(); }
    /// Tells that the first `handled` of them were answered.
    void acknowledge(int handled) noexcept;
    /// Gives SIGINT its default action back, unless someone else's handler was installed since. A forked child does so
    /// at once.
    void give_back() noexcept;

private:
    static void handle_signal(int signum);

    IoBackend& backend_;
    bool installed_ = false;
    std::atomic<int> count_ = 0;
    std::atomic<int> handled_ = 0;
    static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");
};

}  // namespace asyncio::detail
