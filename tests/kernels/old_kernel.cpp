// Runs a program as Linux 5.0 would: old_kernel PROGRAM ARGUMENTS... What came later fails as it does there: io_uring,
// pidfds, epoll_pwait2(), close_range() and clone3().
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace {

constexpr unsigned load = BPF_LD | BPF_W | BPF_ABS;
constexpr unsigned jump_if_equal = BPF_JMP | BPF_JEQ | BPF_K;
constexpr unsigned jump_if_any = BPF_JMP | BPF_JSET | BPF_K;
constexpr unsigned give = BPF_RET | BPF_K;

sock_filter instruction(unsigned code, unsigned value, unsigned char if_true = 0, unsigned char if_false = 0) {
    return {static_cast<unsigned short>(code), if_true, if_false, value};
}

std::vector<sock_filter> filter() {
    std::vector<sock_filter> program{instruction(load, offsetof(seccomp_data, nr))};
    for (long missing :
         {SYS_io_uring_setup, SYS_pidfd_open, SYS_pidfd_send_signal, SYS_epoll_pwait2, SYS_close_range, SYS_clone3}) {
        program.push_back(instruction(jump_if_equal, static_cast<unsigned>(missing), 0, 1));
        program.push_back(instruction(give, SECCOMP_RET_ERRNO | ENOSYS));
    }
    program.push_back(instruction(jump_if_equal, SYS_clone, 0, 3));
    program.push_back(instruction(load, offsetof(seccomp_data, args)));
    program.push_back(instruction(jump_if_any, CLONE_PIDFD, 0, 1));
    program.push_back(instruction(give, SECCOMP_RET_ERRNO | EINVAL));
    program.push_back(instruction(give, SECCOMP_RET_ALLOW));
    return program;
}

}  // namespace

int main(int, char** arguments) {
    std::vector<sock_filter> instructions = filter();
    sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        std::perror("seccomp");
        return 77;  // ctest: skipped
    }
    execv(arguments[1], arguments + 1);
    std::perror(arguments[1]);
    return 1;
}
