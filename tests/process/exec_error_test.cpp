// A program that a file system is too slow to give: a filter of system calls makes it so, in a process of its own.
#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <exception>

#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

using ExecErrors = support::ProcessTest;

bool have_programs_time_out() {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offsetof(seccomp_data, nr))),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ETIMEDOUT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{sizeof filter / sizeof *filter, filter};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// 1 if it is an error of the system that names the program; TimeoutExpired would pass by.
template <class T>
Coro<int> is_error_of_the_system(Coro<T> starting, std::string name) {
    try {
        co_await std::move(starting);
    } catch (const TimeoutError& error) {
        bool is_it = error.errno_value() == ETIMEDOUT && std::string(error.what()).find(name) != std::string::npos;
        co_return is_it && !support::has_children();
    }
    co_return 0;
}

Coro<int> start_in_each_way() {
    int by_exec = co_await is_error_of_the_system(create_subprocess_exec("/bin/true"), "/bin/true");
    int by_shell = co_await is_error_of_the_system(create_subprocess_shell("true"), "/bin/sh");
    int run_to_its_end = co_await is_error_of_the_system(run_process({"/bin/true"}, {.timeout = 60s}), "/bin/true");
    int run_by_shell = co_await is_error_of_the_system(run_shell("true", {.timeout = 60s}), "/bin/sh");
    co_return by_exec + by_shell + run_to_its_end + run_by_shell;
}

TEST_F(ExecErrors, AProgramThatTimesOutIsNoChildThatTakesTooLong) {
    pid_t pid = ::fork();
    if (pid == 0) {
        int result = 90;
        try {
            if (have_programs_time_out()) result = run(start_in_each_way());
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
        }
        ::_exit(result);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 4);
}

}  // namespace
