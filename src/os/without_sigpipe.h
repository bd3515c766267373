#pragma once

#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace asyncio::detail {

/// Keeps SIGPIPE from this thread, for a call that cannot be told not to send it.
class WithoutSigpipe {
public:
    WithoutSigpipe() noexcept {
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &former_);
        was_blocked_ = sigismember(&former_, SIGPIPE) == 1;
        if (!was_blocked_) return;  // then none can be waiting
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    }
    ~WithoutSigpipe() {
        if (may_have_come_ && !was_pending_) take_it();
        if (!was_blocked_) ::pthread_sigmask(SIG_SETMASK, &former_, nullptr);
    }
    /// All went, or nothing for want of room: so nobody has sent it.
    void none_came() noexcept { may_have_come_ = false; }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
    void take_it() noexcept {
        int error = errno;
        timespec at_once = {};  // it may have been sent without EPIPE, if a part went
        while (::sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
        }
        errno = error;
    }

    sigset_t sigpipe_;
    sigset_t former_;
    bool was_blocked_ = false;
    bool was_pending_ = false;
    bool may_have_come_ = true;
};

}  // namespace asyncio::detail
