#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "net/pipe_support.h"
#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::PIPE;
using subprocess::Process;
using support::run_net;

namespace {

using ProcessSignals = support::ProcessTest;

// CPython: test_subprocess.py, SubprocessMixin.test_kill
// CPython: test_subprocess.py, SubprocessMixin.test_terminate
TEST_F(ProcessSignals, AKilledChildHasTheSignalAsItsReturnCode) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        EXPECT_EQ(child.returncode(), std::nullopt);
        child.kill();
        int code = co_await child.wait();
        EXPECT_EQ(code, -SIGKILL);
        Process other = co_await create_subprocess_exec("sleep", "3600");
        other.terminate();
        int its = co_await other.wait();
        EXPECT_EQ(its, -SIGTERM);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_kill_issue43884
TEST_F(ProcessSignals, AShellIsKilledWhileItWaitsForWhatItRuns) {
    run_net([]() -> Coro<> {
        Process shell = co_await create_subprocess_shell("echo .; sleep 1; sleep 1", {.stdout = PIPE});
        co_await shell.stdout().readline();
        shell.kill();
        int code = co_await shell.wait();
        EXPECT_EQ(code, -SIGKILL);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_send_signal
TEST_F(ProcessSignals, AnySignalCanBeSent) {
    run_net([]() -> Coro<> {
        Process child =
            co_await create_subprocess_shell("echo sleeping; sleep 3600 & wait", {.stdout = PIPE, .process_group = 0});
        std::string line = co_await child.stdout().readline();
        EXPECT_EQ(line, "sleeping\n");
        child.send_signal(SIGHUP);
        int code = co_await child.wait();
        EXPECT_EQ(code, -SIGHUP);
        ::kill(-child.pid(), SIGKILL);
    });
}

TEST_F(ProcessSignals, WhatIsNoSignalIsRefused) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        EXPECT_THROW(child.send_signal(4711), OSError);
        child.kill();
        co_await child.wait();
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_subprocess_send_signal_race
TEST_F(ProcessSignals, ASignalAtTheMomentOfTheEndHitsNobody) {
    run_net([]() -> Coro<> {
        for (int i = 0; i < 10; ++i) {
            Process child = co_await create_subprocess_exec("sleep", "0.02");
            co_await sleep(20ms);
            try {
                child.send_signal(SIGUSR1);
            } catch (const ProcessLookupError&) {
            }
            int code = co_await child.wait();
            EXPECT_NE(code, 255);
        }
    });
}

// CPython: test_subprocess.py, SubprocessWatcherMixin.test_send_signal_never_targets_reaped_pid
TEST_F(ProcessSignals, ASignalAfterTheEndIsRefused) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        child.kill();
        while (!child.returncode()) {
            child.kill();
            co_await sleep(0s);
        }
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_THROW(child.kill(), ProcessLookupError);
        EXPECT_THROW(child.terminate(), ProcessLookupError);
        EXPECT_THROW(child.send_signal(SIGHUP), ProcessLookupError);
    });
}

}  // namespace
