#include "process/child_process.h"

#include "loop/signal_pipe.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <new>
#include <thread>
#include <utility>

/// The C library's clone() by its other name: a sanitizer takes the plain one for a fork().
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...) noexcept;

namespace asyncio::detail {
namespace {

constexpr std::size_t stack_size = 16384;            // for become_program() and the calls that it makes
constexpr auto by_pidfd = static_cast<idtype_t>(3);  // P_PIDFD

/// No signal at all, not even those of the C library, reaches this thread, or a child that it makes.
class NoSignals {
public:
    NoSignals() noexcept {
        ::pthread_sigmask(SIG_SETMASK, nullptr, &former_);
        std::uint64_t all = ~std::uint64_t{0};
        ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
    }
    ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &former_, nullptr); }
    NoSignals(const NoSignals&) = delete;
    NoSignals& operator=(const NoSignals&) = delete;
    const sigset_t& former() const noexcept { return former_; }

private:
    sigset_t former_;
};

/// Where the child says why it failed: in memory that it has in common with its parent, either all or this alone.
class FailureBox {
public:
    explicit FailureBox(bool has_memory_of_its_own) noexcept {
        if (!has_memory_of_its_own) return;
        void* memory = ::mmap(nullptr, sizeof(ChildFailure), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        failure_ = memory == MAP_FAILED ? nullptr : new (memory) ChildFailure;
    }
    ~FailureBox() {
        if (failure_ != &own_ && failure_ != nullptr) ::munmap(failure_, sizeof(ChildFailure));
    }
    FailureBox(const FailureBox&) = delete;
    FailureBox& operator=(const FailureBox&) = delete;
    ChildFailure* get() noexcept { return failure_; }

private:
    ChildFailure own_;
    ChildFailure* failure_ = &own_;
};

/// The child of a process that changes its user could be looked into by that user while it is still its parent's
/// memory: such a child has a copy. The parent's thread is suspended in either case, until the child is its program.
int clone_flags(const ChildPlan& plan) noexcept { return CLONE_VFORK | SIGCHLD | (plan.changes_user() ? 0 : CLONE_VM); }

pid_t clone_child(const ChildStart& start, int* pidfd) noexcept {
    alignas(16) unsigned char stack[stack_size];
    void* argument = const_cast<ChildStart*>(&start);
    int flags = clone_flags(start.plan);
    pid_t pid = ::__clone(become_program, stack + stack_size, flags | CLONE_PIDFD, argument, pidfd);
    if (pid < 0 && errno == EINVAL) {
        *pidfd = -1;
        pid = ::__clone(become_program, stack + stack_size, flags, argument);
    }
    return pid;
}

int ended_as(const siginfo_t& info) noexcept { return info.si_code == CLD_EXITED ? info.si_status : -info.si_status; }

/// EINTR included; false: nobody's child any more.
bool wait_for(idtype_t kind, id_t id, siginfo_t& info, int options) noexcept {
    int result = 0;
    do {
        info.si_pid = 0;
        result = ::waitid(kind, id, &info, options);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

}  // namespace

std::optional<ChildProcess> ChildProcess::start(const ChildPlan& plan, ChildFailure& failure) noexcept {
    failure = {ChildFailure::Step::preparing, ENOMEM};
    FailureBox box(plan.changes_user());
    if (box.get() == nullptr) return std::nullopt;
    std::uint64_t to_ignore = SignalPipe::signals_ignored_by_the_program();

    int pidfd = -1;
    pid_t pid = -1;
    {
        NoSignals while_it_is_made;
        ChildStart start{plan, while_it_is_made.former(), to_ignore, box.get()};
        pid = clone_child(start, &pidfd);
        if (pid < 0) failure.error = errno;
    }
    if (pid < 0) return std::nullopt;

    ChildProcess child(pid, pidfd);
    failure = *box.get();
    if (failure.error != 0) {
        child.reap(Wait::until_it_ends);
        return std::nullopt;
    }
    failure = {};
    if (child.fd_ < 0) child.fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (child.fd_ < 0 && !child.let_thread_wait()) {
        failure = {ChildFailure::Step::preparing, errno};
        ::kill(pid, SIGKILL);
        child.is_pidfd_ = false;
        child.reap(Wait::until_it_ends);
        return std::nullopt;
    }
    return child;
}

/// For a kernel without pidfds: a thread that waits, and closes the other end of a pipe then. It takes no note of the
/// child, so that the number is not given out again before its loop has.
bool ChildProcess::let_thread_wait() noexcept {
    is_pidfd_ = false;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    try {
        NoSignals for_the_thread;
        std::thread([pid = pid_, writer = ends[1]] {
            siginfo_t info;
            wait_for(P_PID, static_cast<id_t>(pid), info, WEXITED | WNOWAIT);
            ::close(writer);
        }).detach();
    } catch (...) {
        ::close(ends[0]);
        ::close(ends[1]);
        errno = EAGAIN;
        return false;
    }
    fd_ = ends[0];
    return true;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(other.pid_),
      fd_(std::exchange(other.fd_, -1)),
      is_pidfd_(other.is_pidfd_),
      is_reaped_(std::exchange(other.is_reaped_, true)),
      kills_group_(other.kills_group_),
      was_reaped_elsewhere_(other.was_reaped_elsewhere_) {}

ChildProcess::~ChildProcess() { close(); }

void ChildProcess::close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::optional<int> ChildProcess::reap(Wait wait) noexcept {
    siginfo_t info;
    if (kills_group_) kill_rest_of_group(wait);
    int options = WEXITED | (wait == Wait::no ? WNOHANG : 0);
    bool by_number = !is_pidfd_ || fd_ < 0;
    bool is_ours = by_number ? wait_for(P_PID, static_cast<id_t>(pid_), info, options)
                             : wait_for(by_pidfd, static_cast<id_t>(fd_), info, options);
    if (!is_ours && !by_number && errno == EINVAL) {  // a kernel with pidfds that waitid() does not know yet
        is_ours = wait_for(P_PID, static_cast<id_t>(pid_), info, options);
    }
    if (is_ours && info.si_pid == 0) return std::nullopt;
    is_reaped_ = true;
    was_reaped_elsewhere_ = !is_ours;
    close();
    return is_ours ? ended_as(info) : unknown;
}

/// As long as nobody has taken note of its end, its number is its group's and nobody else's.
void ChildProcess::kill_rest_of_group(Wait wait) const noexcept {
    siginfo_t info;
    int options = WEXITED | WNOWAIT | (wait == Wait::no ? WNOHANG : 0);
    if (wait_for(P_PID, static_cast<id_t>(pid_), info, options) && info.si_pid != 0) ::kill(-pid_, SIGKILL);
}

void ChildProcess::send_signal_to_group(int signum) const noexcept {
    if (is_reaped_) return;
    if (::getpgid(pid_) == pid_) {
        ::kill(-pid_, signum);
    } else {
        send_signal(signum);
    }
}

int ChildProcess::send_signal(int signum) const noexcept {
    if (is_reaped_) return 0;
    long result = is_pidfd_ ? ::syscall(SYS_pidfd_send_signal, fd_, signum, nullptr, 0) : ::kill(pid_, signum);
    return result == 0 || errno == ESRCH ? 0 : errno;
}

}  // namespace asyncio::detail
