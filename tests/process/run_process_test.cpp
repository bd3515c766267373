#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "net/pipe_support.h"
#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::CalledProcessError;
using subprocess::PIPE;
using subprocess::Process;
using subprocess::TimeoutExpired;
using support::expect_error;
using support::run_net;

namespace {

using RunProcess = support::ProcessTest;

TEST_F(RunProcess, GivesWhatWasWritten) {
    run_net([]() -> Coro<> {
        CompletedProcess sorted = co_await run_process({"sort", "-u"}, {.input = "b\na\nb\n"});
        EXPECT_EQ(sorted.stdout, "a\nb\n");
        EXPECT_EQ(sorted.stderr, "");
        EXPECT_EQ(sorted.returncode, 0);
        EXPECT_EQ(sorted.returncodes, std::vector<int>{0});
        CompletedProcess both = co_await run_shell("echo out; echo err >&2");
        EXPECT_EQ(both.stdout, "out\n");
        EXPECT_EQ(both.stderr, "err\n");
    });
}

TEST_F(RunProcess, ACommandThatDoesNotEndWellIsAnError) {
    run_net([]() -> Coro<> {
        try {
            co_await run_process({"sh", "-c", "echo so far; echo oh no >&2; exit 3"});
            ADD_FAILURE();
        } catch (const CalledProcessError& error) {
            EXPECT_STREQ(
                error.what(),
                "Command '['sh', '-c', 'echo so far;...o >&2; exit 3']' returned non-zero exit status 3.\noh no");
            EXPECT_EQ(error.returncode(), 3);
            EXPECT_EQ(error.stdout(), "so far\n");
            EXPECT_EQ(error.stderr(), "oh no\n");
        }
        try {
            co_await run_shell("kill -KILL $$");
            ADD_FAILURE();
        } catch (const CalledProcessError& error) {
            EXPECT_EQ(error.returncode(), -SIGKILL);
            EXPECT_STREQ(error.what(), "Command '['/bin/sh', '-c', 'kill -KILL $$']' died with <Signals.SIGKILL: 9>.");
        }
        CompletedProcess unchecked = co_await run_process({"false"}, {.check = false});
        EXPECT_EQ(unchecked.returncode, 1);
        co_await expect_error<FileNotFoundError>(run_process({"no_such_program_here"}));
    });
}

TEST_F(RunProcess, APipelineNeedsNoShell) {
    run_net([]() -> Coro<> {
        Pipeline commands = Command("cat") | Command("sort", "-r") | Command("head", "-n", "1");
        CompletedProcess last = co_await run_process(commands, {.input = "a\nc\nb\n"});
        EXPECT_EQ(last.stdout, "c\n");
        EXPECT_EQ(last.returncodes, (std::vector<int>{0, 0, 0}));

        CompletedProcess endless = co_await run_process(Command("yes") | Command("head", "-n", "1"));
        EXPECT_EQ(endless.stdout, "y\n");
        EXPECT_EQ(endless.returncodes, (std::vector<int>{-SIGPIPE, 0}));

        Pipeline failing = Command("false") | Command("cat");
        CompletedProcess failed = co_await run_process(failing, {.check = false});
        EXPECT_EQ(failed.returncode, 1);
        co_await expect_error<FileNotFoundError>(
            run_process(Command("sleep", "3600") | Command("no_such_program_here")));
        EXPECT_FALSE(support::has_children());
    });
}

TEST_F(RunProcess, LargeInputAndOutputGoAtOnce) {
    run_net([]() -> Coro<> {
        std::string data(5'000'000, 'x');
        CompletedProcess through = co_await run_process(Command("cat") | Command("cat"), {.input = data});
        EXPECT_TRUE(through.stdout == data);
        CompletedProcess unread = co_await run_process({"true"}, {.input = data});
        EXPECT_EQ(unread.returncode, 0);
    });
}

TEST_F(RunProcess, WhoTakesTooLongIsEnded) {
    run_net([]() -> Coro<> {
        try {
            co_await run_shell("echo begun; exec sleep 3600", {.timeout = 1s});
            ADD_FAILURE();
        } catch (const TimeoutExpired& error) {
            EXPECT_EQ(error.stdout(), "begun\n");
            EXPECT_EQ(error.timeout(), 1.0);
            EXPECT_NE(std::string(error.what()).find("timed out after 1 seconds"), std::string::npos);
        }
        EXPECT_FALSE(support::has_children());
    });
}

TEST_F(RunProcess, WhoEndsWellWhenAskedMaySayGoodBye) {
    run_net([]() -> Coro<> {
        try {
            co_await run_shell("trap 'echo bye; exit 0' TERM; echo begun; while :; do sleep 0.01; done",
                               {.timeout = 1s});
            ADD_FAILURE();
        } catch (const TimeoutExpired& error) {
            EXPECT_EQ(error.stdout(), "begun\nbye\n");
        }
    });
}

TEST_F(RunProcess, WhoDoesNotListenIsKilled) {
    run_net([]() -> Coro<> {
        RunProcessOptions options{.timeout = 100ms, .grace = 50ms};
        co_await expect_error<TimeoutExpired>(run_shell("trap '' TERM; while :; do sleep 0.01; done", options));
        EXPECT_FALSE(support::has_children());
    });
}

TEST_F(RunProcess, ACancelledOneLeavesNoChildAndGivesItsOutput) {
    run_net([]() -> Coro<> {
        subprocess::Output output;
        support::PipeEnds begun;
        int fd = begun.writer();
        std::string command = "echo begun; echo . >&" + std::to_string(fd) + "; exec sleep 3600";
        auto running = create_task(run_shell(command, {.output = &output, .process = {.pass_fds = {&fd, 1}}}));
        co_await readable(begun.reader());
        co_await sleep(20ms);  // for what stands between a child and its streams
        running.cancel();
        try {
            co_await running;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        EXPECT_EQ(output.stdout, "begun\n");
        EXPECT_FALSE(support::has_children());
    });
}

TEST_F(RunProcess, CancelledTwiceItDoesNotWaitForGoodManners) {
    run_net([]() -> Coro<> {
        support::PipeEnds begun;
        int fd = begun.writer();
        std::string command = "trap '' TERM; echo . >&" + std::to_string(fd) + "; while :; do sleep 0.01; done";
        auto running = create_task(run_shell(command, {.grace = 3600s, .process = {.pass_fds = {&fd, 1}}}));
        co_await readable(begun.reader());
        co_await sleep(20ms);
        running.cancel();
        co_await sleep(20ms);
        EXPECT_FALSE(running.done());
        running.cancel();
        try {
            co_await running;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
        EXPECT_FALSE(support::has_children());
    });
}

TEST_F(RunProcess, CancelledAtAnyPassItLeavesNothing) {
    run_net([]() -> Coro<> {
        for (int passes = 0; passes < 20; ++passes) {
            Pipeline commands = Command("sleep", "3600") | Command("cat");
            auto running = create_task(run_process(commands, {.input = "x"}));
            for (int i = 0; i < passes; ++i) co_await sleep(0s);
            running.cancel();
            try {
                co_await running;
                ADD_FAILURE();
            } catch (const CancelledError&) {
            }
            EXPECT_FALSE(support::has_children()) << passes;
        }
    });
}

/// A grandchild would keep the pipe open for an hour.
TEST_F(RunProcess, TheWholeGroupIsEndedIfAsked) {
    run_net([]() -> Coro<> {
        pid_t group = 0;
        try {
            co_await run_shell("(trap '' TERM; echo $$; sleep 3600) & wait", {.timeout = 1s, .kill_group = true});
            ADD_FAILURE();
        } catch (const TimeoutExpired& error) {
            group = std::stoi(error.stdout());
        }
        for (int i = 0; ::kill(-group, 0) == 0 && i < 1000; ++i) co_await sleep(5ms);
        EXPECT_NE(::kill(-group, 0), 0);
    });
}

TEST_F(RunProcess, WhatIsLeftOfTheGroupEndsWithItsLeader) {
    run_net([]() -> Coro<> {
        CompletedProcess result = co_await run_shell("sleep 3600 & echo $!", {.kill_group = true});
        pid_t left = std::stoi(result.stdout);
        for (int i = 0; ::kill(left, 0) == 0 && i < 1000; ++i) co_await sleep(5ms);
        EXPECT_NE(::kill(left, 0), 0);
        RunProcessOptions in_session{.kill_group = true, .process = {.start_new_session = true}};
        result = co_await run_shell("true", in_session);
        EXPECT_EQ(result.returncode, 0);
    });
}

TEST_F(RunProcess, ALeaderThatHasLeftItsGroupIsEndedToo) {
    run_net([]() -> Coro<> {
        const char* program = "setpgrp(0, getpgrp(getppid())); sleep 3600";
        RunProcessOptions options{.timeout = 500ms, .kill_group = true};
        co_await expect_error<TimeoutExpired>(run_process({"perl", "-e", program}, options));
    });
}

/// In virtual time a child that runs holds the jump back, as a thread does.
TEST(RunProcessInVirtualTime, AChildHasTheTimeThatItTakes) {
    VirtualClock clock;
    run(
        []() -> Coro<> {
            CompletedProcess slept = co_await run_process({"sleep", "0.1"}, {.timeout = 10s});
            EXPECT_EQ(slept.returncode, 0);
        }(),
        {.clock = clock});
    EXPECT_FALSE(support::has_children());
}

TEST_F(RunProcess, AGrandchildThatKeepsThePipeDoesNotKeepACancelledOneWaiting) {
    run_net([]() -> Coro<> {
        auto before = get_running_loop().time();
        co_await expect_error<TimeoutExpired>(run_shell("sleep 5 & echo begun; wait", {.timeout = 100ms}));
        EXPECT_LT((get_running_loop().time() - before).count(), 4.0);
    });
}

Coro<> ask_by_interrupt(Process child) {
    child.send_signal(SIGINT);
    co_return;
}
Coro<> fail_to_ask(Process) {
    throw RuntimeError("cannot ask");
    co_return;
}

TEST_F(RunProcess, HowAChildIsAskedIsForTheCallerToSay) {
    run_net([]() -> Coro<> {
        const char* program = "trap 'echo interrupted; exit 0' INT; echo begun; while :; do sleep 0.01; done";
        try {
            co_await run_shell(program, {.timeout = 1s, .deliver_cancel = ask_by_interrupt});
            ADD_FAILURE();
        } catch (const TimeoutExpired& error) {
            EXPECT_EQ(error.stdout(), "begun\ninterrupted\n");
        }
        RunProcessOptions options{.timeout = 50ms, .deliver_cancel = fail_to_ask};
        co_await expect_error<TimeoutExpired>(run_process({"sleep", "3600"}, options));
    });
}

TEST_F(RunProcess, OptionsThatContradictEachOtherAreRefused) {
    run_net([]() -> Coro<> {
        co_await expect_error<ValueError>(run_process(Pipeline()));
        RunProcessOptions twice{.input = "x", .process = {.stdin = PIPE}};
        co_await expect_error<ValueError>(run_process({"true"}, twice));
        RunProcessOptions kept{.process = {.stdout = subprocess::DEVNULL}};
        co_await expect_error<ValueError>(run_process({"true"}, kept));
        RunProcessOptions groups{.kill_group = true, .process = {.process_group = 0}};
        co_await expect_error<ValueError>(run_process({"true"}, groups));
        co_await expect_error<ValueError>(run_process(Command()));
    });
}

TEST_F(RunProcess, WhatIsNotCapturedGoesWhereTheOptionsSay) {
    run_net([]() -> Coro<> {
        RunProcessOptions not_captured{.capture = false, .process = {.stdout = subprocess::DEVNULL}};
        RunProcessOptions as_one{.process = {.stderr = subprocess::STDOUT}};
        CompletedProcess quiet = co_await run_shell("echo x", not_captured);
        EXPECT_EQ(quiet.stdout, "");
        CompletedProcess merged = co_await run_shell("echo x; echo y >&2", as_one);
        EXPECT_EQ(merged.stdout, "x\ny\n");
    });
}

}  // namespace
