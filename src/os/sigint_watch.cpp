#include "loop/sigint_watch.h"

#include "detail/threads.h"

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <csignal>

namespace asyncio::detail {
namespace {

std::atomic<SigintWatch*> active = nullptr;
/// As in signal_pipe.cpp: a handler on another thread may still use the watch that is going away.
std::atomic<int> sigint_handlers_running = 0;

void set_default_action() noexcept {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
}

/// A forked child has no other threads, so nothing that the destructor could wait for; and it does not run the loop
/// that would answer.
void forget_watch_in_child() noexcept {
    sigint_handlers_running.store(0);
    if (SigintWatch* watch = active.exchange(nullptr)) watch->give_back();
}

// As early as in fork_aware.cpp.
[[maybe_unused]] const int watch_follows_forks = ::pthread_atfork(nullptr, nullptr, forget_watch_in_child);

}  // namespace

SigintWatch::SigintWatch(IoBackend& backend) noexcept : backend_(backend) {
    if (!in_main_thread()) return;
    struct sigaction found;
    ::sigaction(SIGINT, nullptr, &found);
    if (found.sa_handler != SIG_DFL) return;

    struct sigaction action = {};
    action.sa_handler = handle_signal;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    active.store(this);
    installed_ = ::sigaction(SIGINT, &action, nullptr) == 0;
    if (!installed_) active.store(nullptr);
}

SigintWatch::~SigintWatch() {
    if (!installed_) return;
    give_back();
    SigintWatch* self = this;
    active.compare_exchange_strong(self, nullptr);
    while (sigint_handlers_running.load() != 0) ::sched_yield();
}

void SigintWatch::give_back() noexcept {
    struct sigaction current;
    ::sigaction(SIGINT, nullptr, &current);
    if (current.sa_handler == handle_signal) set_default_action();
}

void SigintWatch::acknowledge(int handled) noexcept {
    int before = handled_.load();
    while (before < handled && !handled_.compare_exchange_weak(before, handled)) {
    }
}

void SigintWatch::handle_signal(int signum) {
    int error = errno;
    sigint_handlers_running.fetch_add(1);
    SigintWatch* watch = active.load();
    bool unanswered = true;  // without a watch: someone put this handler back after it had gone
    if (watch != nullptr) {
        int count = watch->count_.fetch_add(1) + 1;
        unanswered = count - watch->handled_.load() >= 3;
        watch->backend_.wake();
    }
    sigint_handlers_running.fetch_sub(1);
    if (unanswered) {
        set_default_action();
        ::raise(signum);  // blocked while this handler runs: ends the process as it returns
    }
    errno = error;
}

}  // namespace asyncio::detail
