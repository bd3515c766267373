#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <string>

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

/// While the rest of its input waits for room, a full disk takes the place of the pipe.
TEST_F(Processes, CommunicateThrowsIfItsInputIsLostByAnotherErrorThanABrokenPipe) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = DEVNULL});
        child.send_signal(SIGSTOP);
        std::string data(pipe_max_size, 'x');
        auto talking = create_task(child.communicate(data));
        for (int i = 0; i < 3; ++i) co_await sleep(0s);
        int pipe = child.stdin().get_extra_info("pipe").pipe();
        int kept = ::dup(pipe);  // so that it is still heard of when there is room
        int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
        EXPECT_GE(::dup3(full, pipe, O_CLOEXEC), 0);
        ::close(full);
        child.send_signal(SIGCONT);
        int error_number = 0;
        try {
            co_await talking;
        } catch (const OSError& error) {
            error_number = error.errno_value();
        }
        EXPECT_EQ(error_number, ENOSPC);
        ::close(kept);
        int code = co_await child.wait();  // it has come to the end of its input
        EXPECT_EQ(code, 0);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_pause_reading
TEST_F(Processes, AReaderThatHasEnoughHoldsTheChildUp) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_shell("head -c 200000 /dev/zero", {.stdout = PIPE, .limit = 10});
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
        Process child = co_await create_subprocess_exec("wc", {"-c", "/dev/stdin"}, {.stdin = PIPE, .stdout = PIPE});
        auto [out, err] = co_await child.communicate("abc");
        EXPECT_EQ(out, "3 /dev/stdin\n");
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

}  // namespace
