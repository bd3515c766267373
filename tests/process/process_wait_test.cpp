#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <regex>
#include <string>
#include <vector>

#include "net/pipe_support.h"
#include "process/process_support.h"
#include "support/said_of.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::PIPE;
using subprocess::Process;
using support::run_net;
using support::said_without_line;

namespace {

using ProcessWaits = support::ProcessTest;

// CPython: test_subprocess.py, SubprocessMixin.test_shell
// CPython: test_subprocess.py, SubprocessMixin.test_start_new_session
TEST_F(ProcessWaits, AShellsExitStatusIsTheReturnCode) {
    run_net([]() -> Coro<> {
        Process shell = co_await create_subprocess_shell("exit 7");
        int code = co_await shell.wait();
        EXPECT_EQ(code, 7);
        Process leader = co_await create_subprocess_shell("exit 8", {.start_new_session = true});
        int other = co_await leader.wait();
        EXPECT_EQ(other, 8);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_wait_even_if_pipe_is_open
TEST_F(ProcessWaits, WaitDoesNotWaitForPipesThatAGrandchildKeepsOpen) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_shell("exec 3<&0; sh -c 'printf ready; cat <&3' & wait",
                                                         {.stdin = PIPE, .stdout = PIPE});
        auto waiting = create_task([](Process its) -> Coro<int> { co_return co_await its.wait(); }, child);
        std::string ready = co_await child.stdout().readexactly(5);
        child.kill();
        int code = co_await waiting;
        EXPECT_EQ(code, -SIGKILL);
        EXPECT_FALSE(child.stdout().at_eof());
        child.stdin().close();
        co_await child.stdout().read();
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_cancel_process_wait
TEST_F(ProcessWaits, AWaitThatIsCancelledLeavesTheChildAlone) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        auto waiting = create_task([](Process its) -> Coro<int> { co_return co_await its.wait(); }, child);
        get_running_loop().call_soon([waiting] { waiting.cancel(); });
        try {
            co_await waiting;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        EXPECT_FALSE(waiting.cancel());
        child.kill();
        int code = co_await child.wait();
        EXPECT_EQ(code, -SIGKILL);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_cancel_make_subprocess_transport_exec
TEST_F(ProcessWaits, ACreationThatIsCancelledAnywhereLeavesNoChild) {
    run_net([]() -> Coro<> {
        support::have_loop_opened();
        const int before = support::count_open_fds();
        for (int passes = 0; passes < 12; ++passes) {
            auto creating =
                create_task(create_subprocess_exec("sleep", {"3600"}, {.stdin = PIPE, .stdout = PIPE, .stderr = PIPE}));
            for (int i = 0; i < passes; ++i) co_await sleep(0s);
            creating.cancel();
            try {
                Process child = co_await creating;
                EXPECT_GT(passes, 4);
                child.kill();
                co_await child.communicate();
            } catch (const CancelledError&) {
                EXPECT_LT(passes, 11);
            }
            EXPECT_FALSE(support::has_children()) << passes;
            co_await support::settle(before);  // the child may have ended before its pipes were connected
            EXPECT_EQ(support::count_open_fds(), before) << passes;
        }
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_subprocess_concurrent_wait
TEST_F(ProcessWaits, ManyMayWaitForOne) {
    run_net([]() -> Coro<> {
        Process cat = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
        std::vector<Task<int>> waiting;
        for (int i = 0; i < 10; ++i) {
            waiting.push_back(create_task([](Process its) -> Coro<int> { co_return co_await its.wait(); }, cat));
        }
        co_await cat.communicate("some data");
        std::vector<int> codes = co_await gather(waiting);
        EXPECT_EQ(codes, std::vector<int>(10));
        int again = co_await cat.wait();
        EXPECT_EQ(again, 0);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_subprocess_communicate_stdout
TEST_F(ProcessWaits, ManyRunAtOnce) {
    run_net([]() -> Coro<> {
        std::vector<Task<std::string>> all;
        for (int i = 0; i < 10; ++i) all.push_back(create_task(support::output_of("echo foo" + std::to_string(i))));
        std::vector<std::string> outputs = co_await gather(all);
        for (int i = 0; i < 10; ++i) EXPECT_EQ(outputs[static_cast<std::size_t>(i)], "foo" + std::to_string(i) + "\n");
    });
}

TEST_F(ProcessWaits, WhatATaskWaitsForIsTheProcess) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        EXPECT_EQ(repr(child), "<Process " + std::to_string(child.pid()) + ">");
        auto waiting = create_task([](Process its) -> Coro<int> { co_return co_await its.wait(); }, child);
        co_await sleep(0s);
        std::string text = repr(waiting);
        EXPECT_NE(text.find("wait_for=<end of process " + std::to_string(child.pid()) + ">"), std::string::npos)
            << text;
        child.kill();
        co_await waiting;
    });
}

TEST_F(ProcessWaits, WhatRunsProcessesSaysWhose) {
    run_net([]() -> Coro<> {
        std::string said = co_await said_without_line(
            []() -> Coro<> {
                co_await run_process({"sleep", "3600"});
            },
            50ms);
        EXPECT_TRUE(std::regex_match(said, std::regex("<end of process \\d+>"))) << said;
        int open[2];
        EXPECT_EQ(::pipe(open), 0);
        said = co_await said_without_line(
            [&]() -> Coro<> {
                RunProcessOptions options;
                options.process.stdin = open[0];
                co_await run_process(Command("cat") | Command("cat"), options);
            },
            50ms);
        EXPECT_TRUE(std::regex_match(said, std::regex("<end of processes \\d+, \\d+>"))) << said;
        ::close(open[0]);
        ::close(open[1]);
    });
}

TEST_F(ProcessWaits, OneThatBeginsIsWaitedForByItsBeginning) {
    run_net([]() -> Coro<> {
        auto starting = create_task(create_subprocess_exec("sleep", "3600"));
        co_await sleep(0);
        std::string text = repr(starting);
        EXPECT_NE(text.find(" coro=<asyncio::create_subprocess() running at "), text.npos) << text;
        EXPECT_TRUE(std::regex_search(text, std::regex(" wait_for=<beginning of process \\d+>"))) << text;
        Process child = co_await starting;
        child.kill();
        co_await child.wait();
    });
}

TEST_F(ProcessWaits, WhoRunsProcessesIsCalledAsTheUserCallsIt) {
    run_net([]() -> Coro<> {
        auto running = create_task(run_shell("sleep 3600", {.input = std::string_view("x")}));
        Process child = co_await create_subprocess_shell("exec cat", {.stdin = PIPE, .stdout = PIPE});
        auto talking = create_task(child.communicate("x"));
        child.send_signal(SIGSTOP);
        co_await sleep(50ms);
        for (const AnyTask& task : all_tasks()) {
            if (task == current_task()) continue;
            std::string text = repr(task);
            bool is_public = text.find("coro=<asyncio::run_process() ") != text.npos ||
                             text.find("coro=<asyncio::subprocess::Process::communicate() ") != text.npos;
            EXPECT_TRUE(is_public) << text;
            EXPECT_EQ(text.find("<Future "), text.npos) << text;
        }
        child.kill();
        running.cancel();
        co_await wait(talking, running);
    });
}

}  // namespace
