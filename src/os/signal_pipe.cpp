#include "loop/signal_pipe.h"

#include "detail/threads.h"

#include <asyncio/errors/exceptions.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <string>
#include <utility>

namespace asyncio::detail {
namespace {

/// In a child that has just been forked, the pipes are still the parent's.
std::atomic<pid_t> owner_of_pipes = 0;

/// One signal's place in the table that the handler reads.
struct Route {
    std::atomic<int> write_fd = -1;
    std::atomic<bool> missed = false;  // arrived when the pipe was full
    const SignalPipe* owner = nullptr;
    struct sigaction before = {};  // valid while there is an owner
};

std::array<Route, NSIG> routes;
std::mutex routes_mutex;  // guards `owner` and `before`
/// Handlers that may hold a descriptor from the table. With both sides sequentially consistent, one
/// that is not counted yet will find the descriptor gone.
std::atomic<int> handlers_running = 0;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

Route& route_of(int signum) noexcept { return routes[static_cast<std::size_t>(signum)]; }

void handle_signal(int signum) {
    int error = errno;
    handlers_running.fetch_add(1);
    Route& route = route_of(signum);
    int fd = route.write_fd.load();
    auto number = static_cast<unsigned char>(signum);
    if (fd >= 0 && owner_of_pipes.load() == ::getpid() && ::write(fd, &number, 1) < 0 &&
        (errno == EAGAIN || errno == EINTR)) {
        // A flood of another signal must not lose this one. The second try is for a reader that
        // emptied the pipe, and looked at the flags, in between.
        route.missed.store(true);
        if (::write(fd, &number, 1) == 1) route.missed.store(false);
    }
    handlers_running.fetch_sub(1);
    errno = error;
}

// Another thread may have the mutex at a fork(), and the child does not have that thread.
void lock_routes() noexcept { routes_mutex.lock(); }
void unlock_routes() noexcept { routes_mutex.unlock(); }
void unlock_routes_in_child() noexcept {
    handlers_running.store(0);
    routes_mutex.unlock();
}

// As early as in fork_aware.cpp, and for the same reasons.
[[maybe_unused]] const int routes_follow_forks = ::pthread_atfork(lock_routes, unlock_routes, unlock_routes_in_child);

/// Returns an errno.
int open_pipe(int& read_fd, int& write_fd) noexcept {
    int fds[2];
    if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return errno;
    read_fd = fds[0];
    write_fd = fds[1];
    return 0;
}

/// Needs the mutex.
void restore(int signum) noexcept {
    Route& route = route_of(signum);
    struct sigaction current = {};
    ::sigaction(signum, nullptr, &current);
    if (current.sa_handler == handle_signal) ::sigaction(signum, &route.before, nullptr);
    route.owner = nullptr;
    route.write_fd.store(-1);
    route.missed.store(false);
}

}  // namespace

SignalPipe::SignalPipe() {
    int error = 0;
    {
        NoFork until_it_is_followed;
        error = open_pipe(read_fd_, write_fd_);
        if (error == 0) begin_to_follow_forks(until_it_is_followed);
    }
    if (error != 0) throw OSError(error);
    owner_of_pipes.store(::getpid());
}

SignalPipe::~SignalPipe() {
    {
        std::lock_guard lock(routes_mutex);
        for (int signum = 1; signum < NSIG; ++signum) {
            if (route_of(signum).owner == this) restore(signum);
        }
    }
    // A handler on another thread may still write; the number must not be given out again yet.
    while (handlers_running.load() != 0) ::sched_yield();
    NoFork until_it_is_closed;
    end_to_follow_forks(until_it_is_closed);
    ::close(read_fd_);
    ::close(write_fd_);
}

/// What the child's signals write must not reach the parent, nor what the parent's write be taken out by the child.
void SignalPipe::after_fork_in_child() noexcept {
    int read_fd = -1;
    int write_fd = -1;
    bool replaced = open_pipe(read_fd, write_fd) == 0;
    if (replaced) {
        replaced = ::dup3(read_fd, read_fd_, O_CLOEXEC) >= 0 && ::dup3(write_fd, write_fd_, O_CLOEXEC) >= 0;
        ::close(read_fd);
        ::close(write_fd);
    }
    if (!replaced) {  // then it hears of no signal
        for (Route& route : routes) {
            int mine = write_fd_;
            route.write_fd.compare_exchange_strong(mine, -1);
        }
        ::close(std::exchange(read_fd_, -1));
        ::close(std::exchange(write_fd_, -1));
    }
    owner_of_pipes.store(::getpid());
}

void SignalPipe::check(int signum) {
    sigset_t all;
    sigfillset(&all);  // without those that the C library keeps for itself
    if (sigismember(&all, signum) == 1) return;
    throw ValueError("invalid signal number " + std::to_string(signum));
}

void SignalPipe::add(int signum) {
    check(signum);
    if (!in_main_thread()) {
        throw RuntimeError("set_wakeup_fd only works in main thread of the main interpreter");
    }
    struct sigaction handler = {};
    handler.sa_handler = handle_signal;
    handler.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&handler.sa_mask);

    std::lock_guard lock(routes_mutex);
    Route& route = route_of(signum);
    int former_fd = route.write_fd.exchange(write_fd_);
    struct sigaction found = {};
    if (::sigaction(signum, &handler, &found) != 0) {
        int error = errno;
        route.write_fd.store(former_fd);
        if (error != EINVAL) throw OSError(error);
        throw RuntimeError("sig " + std::to_string(signum) + " cannot be caught");
    }
    if (found.sa_handler != handle_signal) route.before = found;
    route.owner = this;
}

bool SignalPipe::remove(int signum) {
    check(signum);
    std::lock_guard lock(routes_mutex);
    if (route_of(signum).owner != this) return false;
    restore(signum);
    return true;
}

std::uint64_t SignalPipe::signals_ignored_by_the_program() noexcept {
    std::lock_guard lock(routes_mutex);
    std::uint64_t ignored = 0;
    for (int signum = 1; signum < NSIG; ++signum) {
        const Route& route = route_of(signum);
        if (route.owner != nullptr && route.before.sa_handler == SIG_IGN) ignored |= std::uint64_t{1} << (signum - 1);
    }
    return ignored;
}

bool SignalPipe::owns(int signum) const noexcept {
    if (signum < 1 || signum >= NSIG) return false;
    std::lock_guard lock(routes_mutex);
    return route_of(signum).owner == this;
}

std::size_t SignalPipe::read(std::span<unsigned char> numbers) noexcept {
    ssize_t size = 0;
    do {
        size = ::read(read_fd_, numbers.data(), numbers.size());
    } while (size < 0 && errno == EINTR);
    if (size > 0) return static_cast<std::size_t>(size);

    std::size_t count = 0;  // the pipe is empty: now what did not fit
    for (int signum = 1; signum < NSIG && count < numbers.size(); ++signum) {
        Route& route = route_of(signum);
        if (route.missed.load() && route.write_fd.load() == write_fd_ && route.missed.exchange(false)) {
            numbers[count++] = static_cast<unsigned char>(signum);
        }
    }
    return count;
}

}  // namespace asyncio::detail
