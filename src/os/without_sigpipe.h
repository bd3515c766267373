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
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        if (!was_pending_) ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &former_);
    }
    ~WithoutSigpipe() {
        if (was_pending_) return;
        int error = errno;
        timespec at_once = {};  // it may have been sent without EPIPE, if a part went
        while (::sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
        }
        ::pthread_sigmask(SIG_SETMASK, &former_, nullptr);
        errno = error;
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
    sigset_t sigpipe_;
    sigset_t former_;
    bool was_pending_ = false;
};

}  // namespace asyncio::detail
