#include "process/child_plan.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// In a child that shares the memory of its parent. The C library's functions would do more than asked: setuid() tells
// the other threads, sigaction() and dup2() are noted by sanitizers, for the parent. So the system is called directly,
// and what sanitizers add to a function is left out.
#define IN_THE_CHILD __attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined")))

namespace asyncio::detail {
namespace {

#ifdef SYS_setgroups32
constexpr long setgroups_call = SYS_setgroups32;
constexpr long setregid_call = SYS_setregid32;
constexpr long setreuid_call = SYS_setreuid32;
#else
constexpr long setgroups_call = SYS_setgroups;
constexpr long setregid_call = SYS_setregid;
constexpr long setreuid_call = SYS_setreuid;
#endif
constexpr long close_range_call = 436;  // everywhere; not all headers know it
constexpr std::size_t signal_set_size = 8;

/// The beginning of the kernel's `struct sigaction` and room for the rest.
struct SignalAction {
    std::uintptr_t handler = 0;
    std::uintptr_t rest[7] = {};
};

IN_THE_CHILD bool place_streams(const int (&wanted)[3]) noexcept {
    int from[3] = {wanted[0], wanted[1], wanted[2]};
    for (int stream = 0; stream < 3; ++stream) {  // out of the way of the others
        if (from[stream] < 0 || from[stream] > 2 || from[stream] == stream) continue;
        from[stream] = static_cast<int>(::syscall(SYS_fcntl, from[stream], F_DUPFD_CLOEXEC, 3));
        if (from[stream] < 0) return false;
    }
    for (int stream = 0; stream < 3; ++stream) {
        if (from[stream] < 0) continue;
        bool is_in_place = from[stream] == stream;
        long result =
            is_in_place ? ::syscall(SYS_fcntl, stream, F_SETFD, 0L) : ::syscall(SYS_dup3, from[stream], stream, 0L);
        if (result < 0) return false;
    }
    return true;
}

IN_THE_CHILD void restore_signals(const ChildStart& start) noexcept {
    for (int signum = 1; signum <= 64; ++signum) {
        SignalAction action;
        if (::syscall(SYS_rt_sigaction, signum, nullptr, &action, signal_set_size) != 0) continue;
        bool is_ignored = action.handler == 1;
        bool has_handler = action.handler > 1;
        bool is_to_be_ignored = (start.signals_to_ignore >> (signum - 1) & 1) != 0;
        bool is_python_s = start.plan.restore_signals && (signum == SIGPIPE || signum == SIGXFSZ);
        action = SignalAction();
        if (is_to_be_ignored && !is_python_s) {
            action.handler = 1;
        } else if (!has_handler && !(is_ignored && is_python_s)) {
            continue;
        }
        ::syscall(SYS_rt_sigaction, signum, &action, nullptr, signal_set_size);
    }
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &start.signal_mask, nullptr, signal_set_size);
}

IN_THE_CHILD bool is_passed(std::span<const int> passed, int fd) noexcept {
    for (std::size_t i = 0; i < passed.size(); ++i) {
        if (passed.data()[i] == fd) return true;
    }
    return false;
}

/// Where close_range() is missing or forbidden: one by one, by what /proc says.
IN_THE_CHILD void close_listed(std::span<const int> passed) noexcept {
    long folder = ::syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0) {
        for (int fd = 3; fd < 65536; ++fd) {
            if (!is_passed(passed, fd)) ::syscall(SYS_close, fd);
        }
        return;
    }
    alignas(8) char buffer[1024];
    constexpr std::size_t length_at = 16;  // of linux_dirent64: number, offset, then the entry's length, a type, a name
    constexpr std::size_t name_at = 19;
    for (;;) {
        long size = ::syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (size <= 0) break;
        for (long at = 0; at < size;) {
            auto low = static_cast<unsigned char>(buffer[at + static_cast<long>(length_at)]);
            auto high = static_cast<unsigned char>(buffer[at + static_cast<long>(length_at) + 1]);
            unsigned short length = 0;
            auto* bytes = reinterpret_cast<unsigned char*>(&length);
            bytes[0] = low;
            bytes[1] = high;
            int fd = 0;
            bool is_number = true;
            for (const char* digit = buffer + at + name_at; *digit != '\0' && is_number; ++digit) {
                is_number = *digit >= '0' && *digit <= '9';
                if (is_number) fd = fd * 10 + (*digit - '0');
            }
            if (is_number && fd > 2 && fd != folder && !is_passed(passed, fd)) ::syscall(SYS_close, fd);
            at += length;
        }
    }
    ::syscall(SYS_close, folder);
}

IN_THE_CHILD void close_others(std::span<const int> passed) noexcept {
    unsigned first = 3;
    for (std::size_t i = 0; i < passed.size(); ++i) {
        auto fd = static_cast<unsigned>(passed.data()[i]);
        if (fd > first && ::syscall(close_range_call, first, fd - 1, 0L) != 0) return close_listed(passed);
        first = fd + 1;
    }
    if (::syscall(close_range_call, first, ~0U, 0L) != 0) close_listed(passed);
}

IN_THE_CHILD bool prepare(const ChildStart& start, ChildFailure& failure) noexcept {
    const ChildPlan& plan = start.plan;
    if (!place_streams(plan.streams)) return false;
    for (std::size_t i = 0; i < plan.passed.size(); ++i) {
        if (::syscall(SYS_fcntl, plan.passed.data()[i], F_SETFD, 0L) < 0) return false;
    }
    if (plan.directory != nullptr && ::syscall(SYS_chdir, plan.directory) < 0) {
        failure.step = ChildFailure::Step::directory;
        return false;
    }
    if (plan.umask) ::syscall(SYS_umask, *plan.umask);
    restore_signals(start);
    if (plan.start_new_session) ::syscall(SYS_setsid);
    if (plan.process_group >= 0 && ::syscall(SYS_setpgid, 0L, plan.process_group) < 0) return false;
    if (plan.extra_groups && ::syscall(setgroups_call, plan.extra_groups->size(), plan.extra_groups->data()) < 0) {
        return false;
    }
    if (plan.group && ::syscall(setregid_call, *plan.group, *plan.group) < 0) return false;
    if (plan.user && ::syscall(setreuid_call, *plan.user, *plan.user) < 0) return false;
    if (plan.close_others) close_others(plan.passed);
    return true;
}

/// The error that says most: that of a program that is there, before that of one that is not.
IN_THE_CHILD int run_first(const ChildPlan& plan) noexcept {
    int error = 0;
    for (const char* const* program = plan.programs; *program != nullptr; ++program) {
        ::syscall(SYS_execve, *program, plan.arguments, plan.environment);
        if (error == 0 && errno != ENOENT && errno != ENOTDIR) error = errno;
    }
    return error != 0 ? error : errno;
}

}  // namespace

IN_THE_CHILD int become_program(void* child_start) noexcept {
    const ChildStart& start = *static_cast<const ChildStart*>(child_start);
    ChildFailure& failure = *start.failure;
    failure.step = ChildFailure::Step::preparing;
    if (prepare(start, failure)) {
        failure.step = ChildFailure::Step::program;
        failure.error = run_first(start.plan);
    } else {
        failure.error = errno;
    }
    for (;;) ::syscall(SYS_exit_group, 127);
}

#undef IN_THE_CHILD

}  // namespace asyncio::detail
