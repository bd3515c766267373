#include <asyncio/asyncio.h>
#include <asyncio/subprocess.h>

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::DEVNULL;
using subprocess::PIPE;
using subprocess::Process;
using support::run_net;

namespace {

using Subprocesses = support::NetTest;

// CPython: test_subprocess.py, SubprocessMixin.test_stdin_stdout
TEST_F(Subprocesses, WhatIsWrittenToCatComesBack) {
    run_net([]() -> Coro<> {
        Process cat = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
        cat.stdin().write("some data");
        co_await cat.stdin().drain();
        cat.stdin().close();
        std::string data = co_await cat.stdout().read();
        int code = co_await cat.wait();
        EXPECT_EQ(data, "some data");
        EXPECT_EQ(code, 0);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_communicate
TEST_F(Subprocesses, CommunicateFeedsAndReadsToTheEnd) {
    run_net([]() -> Coro<> {
        Process cat = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
        auto [out, err] = co_await cat.communicate("some data");
        EXPECT_EQ(out, "some data");
        EXPECT_EQ(err, "");
        EXPECT_EQ(cat.returncode(), 0);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_shell
TEST_F(Subprocesses, AShellsExitStatusIsTheReturnCode) {
    run_net([]() -> Coro<> {
        Process shell = co_await create_subprocess_shell("exit 7");
        int code = co_await shell.wait();
        EXPECT_EQ(code, 7);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_kill
TEST_F(Subprocesses, AKilledChildHasTheSignalAsItsReturnCode) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        child.kill();
        int code = co_await child.wait();
        EXPECT_EQ(code, -SIGKILL);
    });
}

TEST_F(Subprocesses, AProgramThatIsNotThereIsSaidByItsName) {
    run_net([]() -> Coro<> {
        try {
            co_await create_subprocess_exec("no_such_program_here", "x");
            ADD_FAILURE();
        } catch (const FileNotFoundError& error) {
            EXPECT_STREQ(error.what(), "[Errno 2] No such file or directory: 'no_such_program_here'");
        }
        try {
            co_await create_subprocess_exec("true", {}, {.cwd = "/no/such/folder"});
            ADD_FAILURE();
        } catch (const FileNotFoundError& error) {
            EXPECT_STREQ(error.what(), "[Errno 2] No such file or directory: '/no/such/folder'");
        }
    });
}

}  // namespace
