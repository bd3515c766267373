// A kernel, or a container, without pidfds: a filter of system calls makes this one so, in a process of its own.
#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <exception>

#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::PIPE;
using subprocess::Process;

namespace {

using NoPidfd = support::ProcessTest;

bool forbid_pidfds() {
    constexpr auto number_at = static_cast<unsigned>(offsetof(seccomp_data, nr));
    constexpr auto flags_at = static_cast<unsigned>(offsetof(seccomp_data, args));  // of clone(), the lower half
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags_at),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_PIDFD, 2, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
    };
    sock_fprog program{sizeof filter / sizeof *filter, filter};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// 0 if all is well there.
template <class Main>
int result_without_pidfds(Main main) {
    pid_t pid = ::fork();
    if (pid == 0) {
        int result = 0;
        try {
            result = forbid_pidfds() ? run(main()) : 90;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
            result = 91;
        }
        ::_exit(result);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(NoPidfd, SomebodyElseWaitsInItsPlace) {
    auto main = []() -> Coro<int> {
        Process cat = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
        auto [out, err] = co_await cat.communicate("x");
        if (out != "x" || cat.returncode() != 0) co_return 1;
        Process killed = co_await create_subprocess_exec("sleep", "3600");
        killed.kill();
        int code = co_await killed.wait();
        co_return code == -SIGKILL && !support::has_children() ? 0 : 2;
    };
    EXPECT_EQ(result_without_pidfds(main), 0);
}

// CPython: test_subprocess.py, SubprocessThreadedWatcherTests.test_pid_not_reaped_before_exit_published
TEST_F(NoPidfd, TheNumberIsKeptUntilTheLoopHasHeardOfTheEnd) {
    auto main = []() -> Coro<int> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        child.kill();
        ::usleep(50'000);  // the thread sees it
        siginfo_t info;
        if (::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) != 0) co_return 1;
        if (child.returncode()) co_return 2;
        child.kill();
        int code = co_await child.wait();
        co_return code == -SIGKILL ? 0 : 3;
    };
    EXPECT_EQ(result_without_pidfds(main), 0);
}

// CPython: test_subprocess.py, SubprocessThreadedWatcherTests.test_stopped_child_does_not_block_event_loop
TEST_F(NoPidfd, AStoppedChildHasNotEnded) {
    auto main = []() -> Coro<int> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        child.send_signal(SIGSTOP);
        co_await sleep(50ms);
        if (child.returncode()) co_return 1;
        child.send_signal(SIGCONT);
        child.kill();
        int code = co_await child.wait();
        co_return code == -SIGKILL ? 0 : 2;
    };
    EXPECT_EQ(result_without_pidfds(main), 0);
}

TEST_F(NoPidfd, AChildThatStillRunsAtTheEndIsKilled) {
    auto main = []() -> Coro<int> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        co_return 0;
    };
    EXPECT_EQ(result_without_pidfds(main), 0);
}

// CPython: test_unix_events.py, TestFork.test_fork_asyncio_subprocess
TEST_F(NoPidfd, AForkedChildHasChildrenOfItsOwn) {
    pid_t pid = ::fork();
    if (pid == 0) {
        ::_exit(run([]() -> Coro<int> {
            Process child = co_await create_subprocess_exec("sh", "-c", "exit 7");
            int code = co_await child.wait();
            co_return code;
        }()));
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
