#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "net/pipe_support.h"
#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::DEVNULL;
using subprocess::PIPE;
using subprocess::Process;
using support::run_net;

namespace {

using Processes = support::ProcessTest;

constexpr std::size_t pipe_max_size = 4 * 1024 * 1024 + 1;

// CPython: test_subprocess.py, SubprocessMixin.test_stdin_stdout
TEST_F(Processes, WhatIsWrittenToCatComesBack) {
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
// CPython: test_subprocess.py, SubprocessMixin.test_communicate_none_input
// CPython: test_subprocess.py, SubprocessMixin.test_empty_input
TEST_F(Processes, CommunicateFeedsAndReadsToTheEnd) {
    run_net([]() -> Coro<> {
        Process cat = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
        auto [out, err] = co_await cat.communicate("some data");
        EXPECT_EQ(out, "some data");
        EXPECT_EQ(err, "");
        EXPECT_EQ(cat.returncode(), 0);

        Process without = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
        auto nothing = co_await without.communicate();
        EXPECT_EQ(nothing.stdout, "");
        EXPECT_EQ(without.returncode(), 0);

        Process empty = co_await create_subprocess_exec("wc", {"-c"}, {.stdin = PIPE, .stdout = PIPE});
        auto zero = co_await empty.communicate("");
        EXPECT_EQ(zero.stdout, "0\n");
    });
}

TEST_F(Processes, AFullPipeInBothDirectionsIsNoDeadlock) {
    run_net([]() -> Coro<> {
        Process cat = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
        std::string data(pipe_max_size, 'x');
        auto [out, err] = co_await cat.communicate(data);
        EXPECT_TRUE(out == data);
    });
}

TEST_F(Processes, AProgramAndItsArgumentsMayBeOne) {
    run_net([]() -> Coro<> {
        Command command("sh", "-c");
        command.add("exit 7");
        Process shell = co_await create_subprocess_exec(command);
        int code = co_await shell.wait();
        EXPECT_EQ(code, 7);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_shell
// CPython: test_subprocess.py, SubprocessMixin.test_start_new_session
TEST_F(Processes, AShellsExitStatusIsTheReturnCode) {
    run_net([]() -> Coro<> {
        Process shell = co_await create_subprocess_shell("exit 7");
        int code = co_await shell.wait();
        EXPECT_EQ(code, 7);
        Process leader = co_await create_subprocess_shell("exit 8", {.start_new_session = true});
        int other = co_await leader.wait();
        EXPECT_EQ(other, 8);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_kill
// CPython: test_subprocess.py, SubprocessMixin.test_terminate
TEST_F(Processes, AKilledChildHasTheSignalAsItsReturnCode) {
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
TEST_F(Processes, AShellIsKilledWhileItWaitsForWhatItRuns) {
    run_net([]() -> Coro<> {
        Process shell = co_await create_subprocess_shell("echo .; sleep 1; sleep 1", {.stdout = PIPE});
        co_await shell.stdout().readline();
        shell.kill();
        int code = co_await shell.wait();
        EXPECT_EQ(code, -SIGKILL);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_send_signal
TEST_F(Processes, AnySignalCanBeSent) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_shell("echo sleeping; sleep 3600 & wait",
                                                         {.stdout = PIPE, .process_group = 0});
        std::string line = co_await child.stdout().readline();
        EXPECT_EQ(line, "sleeping\n");
        child.send_signal(SIGHUP);
        int code = co_await child.wait();
        EXPECT_EQ(code, -SIGHUP);
        ::kill(-child.pid(), SIGKILL);
    });
}

TEST_F(Processes, WhatIsNoSignalIsRefused) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        EXPECT_THROW(child.send_signal(4711), OSError);
        child.kill();
        co_await child.wait();
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_stdin_broken_pipe
TEST_F(Processes, DrainThrowsWhenTheChildHasGone) {
    run_net([]() -> Coro<> {
        support::PipeEnds go(0);
        int fd = go.reader();
        std::string command = "read line <&" + std::to_string(fd);
        SubprocessOptions options{.stdin = PIPE, .pass_fds = {&fd, 1}};
        Process child = co_await create_subprocess_shell(command, options);
        child.stdin().write(std::string(pipe_max_size, 'x'));
        go.write("go\n");
        try {
            co_await child.stdin().drain();
            ADD_FAILURE();
        } catch (const ConnectionError&) {
        }
        co_await child.wait();
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_communicate_ignore_broken_pipe
TEST_F(Processes, CommunicateDoesNotMindAChildThatReadsNothing) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("true", {}, {.stdin = PIPE});
        std::string data(pipe_max_size, 'x');
        co_await child.communicate(data);
        int code = co_await child.wait();
        EXPECT_EQ(code, 0);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_pause_reading
TEST_F(Processes, AReaderThatHasEnoughHoldsTheChildUp) {
    run_net([]() -> Coro<> {
        Process child =
            co_await create_subprocess_shell("head -c 200000 /dev/zero", {.stdout = PIPE, .limit = 10});
        Transport pipe = child.transport().get_pipe_transport(1);
        while (pipe.is_reading()) co_await sleep(1ms);
        EXPECT_EQ(child.returncode(), std::nullopt);
        auto [out, err] = co_await child.communicate();
        EXPECT_EQ(out.size(), 200000U);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_stdin_not_inheritable
TEST_F(Processes, TheEndOfItsInputIsSeenThoughItInheritsOthers) {
    run_net([]() -> Coro<> {
        Process first = co_await create_subprocess_exec(
            "wc", {"-c"}, {.stdin = PIPE, .stdout = PIPE, .stderr = PIPE, .close_fds = false});
        Process second = co_await create_subprocess_exec("sleep", {"3600"}, {.close_fds = false});
        auto [out, err] = co_await first.communicate("abc");
        EXPECT_EQ(out, "3\n");
        second.kill();
        co_await second.wait();
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_wait_even_if_pipe_is_open
TEST_F(Processes, WaitDoesNotWaitForPipesThatAGrandchildKeepsOpen) {
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

// CPython: test_subprocess.py, SubprocessMixin.test_devnull_input
// CPython: test_subprocess.py, SubprocessMixin.test_devnull_output
// CPython: test_subprocess.py, SubprocessMixin.test_devnull_error
TEST_F(Processes, AStreamMayLeadNowhere) {
    run_net([]() -> Coro<> {
        Process reads = co_await create_subprocess_exec("wc", {"-c"}, {.stdin = DEVNULL, .stdout = PIPE});
        EXPECT_FALSE(reads.stdin());
        auto [out, err] = co_await reads.communicate();
        EXPECT_EQ(out, "0\n");

        Process writes = co_await create_subprocess_shell("echo x; echo y >&2", {.stdout = DEVNULL, .stderr = DEVNULL});
        EXPECT_FALSE(writes.stdout());
        EXPECT_FALSE(writes.stderr());
        auto nothing = co_await writes.communicate();
        EXPECT_EQ(nothing.stdout + nothing.stderr, "");
        EXPECT_EQ(writes.returncode(), 0);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_devstdin_input
TEST_F(Processes, ItsInputCanBeOpenedByName) {
    run_net([]() -> Coro<> {
        Process child =
            co_await create_subprocess_exec("wc", {"-c", "/dev/stdin"}, {.stdin = PIPE, .stdout = PIPE});
        auto [out, err] = co_await child.communicate("abc");
        EXPECT_EQ(out, "3 /dev/stdin\n");
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_cancel_process_wait
TEST_F(Processes, AWaitThatIsCancelledLeavesTheChildAlone) {
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
TEST_F(Processes, ACreationThatIsCancelledAnywhereLeavesNoChild) {
    run_net([]() -> Coro<> {
        for (int passes = 0; passes < 12; ++passes) {
            auto creating = create_task(
                create_subprocess_exec("sleep", {"3600"}, {.stdin = PIPE, .stdout = PIPE, .stderr = PIPE}));
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
        }
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_read_stdout_after_process_exit
TEST_F(Processes, WhatWasWrittenIsReadLongAfterTheEnd) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_shell("head -c 262144 /dev/zero; exit 1", {.stdout = PIPE});
        std::size_t size = 0;
        for (;;) {
            std::string data = co_await child.stdout().read(65536);
            if (data.empty()) break;
            size += data.size();
            co_await sleep(10ms);
        }
        EXPECT_EQ(size, 262144U);
        int code = co_await child.wait();
        EXPECT_EQ(code, 1);
    });
}

/// The reader is fed before anybody has a handle of it.
TEST_F(Processes, WhatIsWrittenBeforeTheProcessIsKnownIsKept) {
    run_net([]() -> Coro<> {
        for (int passes = 1; passes < 9; ++passes) {
            auto creating = create_task(create_subprocess_shell("echo x", {.stdout = PIPE}));
            for (int i = 0; i < passes; ++i) co_await sleep(0s);
            ::usleep(20'000);
            Process child = co_await creating;
            auto [out, err] = co_await child.communicate();
            EXPECT_EQ(out, "x\n") << passes;
        }
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_create_subprocess_env_shell
// CPython: test_subprocess.py, SubprocessMixin.test_create_subprocess_env_exec
TEST_F(Processes, TheEnvironmentIsWhatIsGiven) {
    run_net([]() -> Coro<> {
        std::map<std::string, std::string> env{{"FOO", "bar"}, {"PATH", "/bin:/usr/bin"}};
        std::string by_shell = co_await support::output_of("printf %s \"$FOO\"", {.env = env});
        EXPECT_EQ(by_shell, "bar");
        Process child = co_await create_subprocess_exec("env", {}, {.stdout = PIPE, .env = env});
        auto [out, err] = co_await child.communicate();
        EXPECT_EQ(out, "FOO=bar\nPATH=/bin:/usr/bin\n");
        auto again = create_task([](Process its) -> Coro<int> { co_return co_await its.wait(); }, child);
        co_await sleep(0s);
        EXPECT_EQ(again.result(), 0);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_subprocess_concurrent_wait
TEST_F(Processes, ManyMayWaitForOne) {
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
TEST_F(Processes, ManyRunAtOnce) {
    run_net([]() -> Coro<> {
        std::vector<Task<std::string>> all;
        for (int i = 0; i < 10; ++i) all.push_back(create_task(support::output_of("echo foo" + std::to_string(i))));
        std::vector<std::string> outputs = co_await gather(all);
        for (int i = 0; i < 10; ++i) EXPECT_EQ(outputs[static_cast<std::size_t>(i)], "foo" + std::to_string(i) + "\n");
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_subprocess_send_signal_race
TEST_F(Processes, ASignalAtTheMomentOfTheEndHitsNobody) {
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
TEST_F(Processes, ASignalAfterTheEndIsRefused) {
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

// CPython: test_subprocess.py, SubprocessMixin.test_popen_error
// CPython: test_subprocess.py, SubprocessMixin.test_popen_error_with_stdin_pipe
TEST_F(Processes, AProgramThatCannotBeRunIsSaidByItsName) {
    run_net([]() -> Coro<> {
        auto failing = [](std::string program, SubprocessOptions options = {}) -> Coro<std::string> {
            try {
                Process child = co_await create_subprocess_exec(program, {}, options);
                co_await child.wait();
            } catch (const OSError& error) {
                co_return error.what();
            }
            co_return "it runs";
        };
        std::string missing = co_await failing("no_such_program_here");
        EXPECT_EQ(missing, "[Errno 2] No such file or directory: 'no_such_program_here'");
        missing = co_await failing("no_such_program_here", {.stdin = PIPE, .stdout = PIPE, .stderr = PIPE});
        EXPECT_EQ(missing, "[Errno 2] No such file or directory: 'no_such_program_here'");
        std::string folder = co_await failing("true", {.cwd = "/no/such/folder"});
        EXPECT_EQ(folder, "[Errno 2] No such file or directory: '/no/such/folder'");
        std::string no_program = co_await failing("/etc/passwd");
        EXPECT_EQ(no_program, "[Errno 13] Permission denied: '/etc/passwd'");
        std::string bad = co_await failing("true", {.stdout = 4711});
        EXPECT_EQ(bad, "[Errno 9] Bad file descriptor");
    });
}

TEST_F(Processes, WhatATaskWaitsForIsTheProcess) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        EXPECT_EQ(repr(child), "<Process " + std::to_string(child.pid()) + ">");
        auto waiting = create_task([](Process its) -> Coro<int> { co_return co_await its.wait(); }, child);
        co_await sleep(0s);
        std::string text = repr(waiting);
        EXPECT_NE(text.find("wait_for=<process " + std::to_string(child.pid()) + ">"), std::string::npos) << text;
        child.kill();
        co_await waiting;
    });
}

}  // namespace
