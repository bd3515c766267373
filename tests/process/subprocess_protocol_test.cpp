#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::PIPE;
using subprocess::STDOUT;
using support::run_net;

namespace {

using SubprocessProtocols = support::ProcessTest;

class Noting : public SubprocessProtocol {
public:
    void connection_made(SubprocessTransport its) override {
        transport = its;
        EXPECT_EQ(state, "INITIAL");
        state = "CONNECTED";
    }
    void pipe_data_received(int fd, std::string_view bytes) override {
        data[fd] += bytes;
        got_data[fd].set();
    }
    void pipe_connection_lost(int fd, std::exception_ptr) override { disconnected.insert(fd); }
    void process_exited() override {
        EXPECT_EQ(state, "CONNECTED");
        returncode = transport.get_returncode();
    }
    void connection_lost(std::exception_ptr error) override {
        EXPECT_FALSE(error);
        EXPECT_EQ(state, "CONNECTED");
        state = "CLOSED";
        completed.set();
    }

    std::string state = "INITIAL";
    SubprocessTransport transport;
    std::map<int, std::string> data;
    std::map<int, Event> got_data;
    std::set<int> disconnected;
    std::optional<int> returncode;
    Event completed;
};

/// CPython's echo.py: writes what it reads, as it comes.
const char* const echo = "while read -r line; do printf %s \"$line\"; done";

auto make_noting() {
    return [] { return make_protocol<Noting>(); };
}

// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_exec
// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_interactive
TEST_F(SubprocessProtocols, SpeaksWithAChildUntilTheTransportIsClosed) {
    run_net([]() -> Coro<> {
        auto [transport, protocol] = co_await subprocess_exec(make_noting(), "sh", {"-c", echo});
        EXPECT_EQ(protocol->state, "CONNECTED");
        Transport in = transport.get_pipe_transport(0);
        in.write("Python \n");
        co_await protocol->got_data[1].wait();
        protocol->got_data[1].clear();
        EXPECT_EQ(protocol->data[1], "Python");
        in.write("The Winner\n");
        co_await protocol->got_data[1].wait();
        EXPECT_EQ(protocol->data[1], "PythonThe Winner");
        transport.close();
        EXPECT_TRUE(transport.is_closing());
        co_await protocol->completed.wait();
        EXPECT_EQ(protocol->returncode, -SIGKILL);
        EXPECT_FALSE(transport.get_protocol());
    });
}

// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_shell
TEST_F(SubprocessProtocols, AShellsOutputComesAndAllPipesEnd) {
    run_net([]() -> Coro<> {
        auto [transport, protocol] = co_await subprocess_shell(make_noting(), "echo Python");
        transport.get_pipe_transport(0).close();
        co_await protocol->completed.wait();
        EXPECT_EQ(protocol->returncode, 0);
        EXPECT_EQ(protocol->disconnected, (std::set<int>{0, 1, 2}));
        EXPECT_EQ(protocol->data[1], "Python\n");
        EXPECT_EQ(protocol->data[2], "");
        transport.close();
    });
}

// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_exitcode
// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_close_after_finish
// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_wait_no_same_group
TEST_F(SubprocessProtocols, WithoutPipesItIsOverWhenTheChildIs) {
    run_net([]() -> Coro<> {
        SubprocessOptions none{.stdin = nullptr, .stdout = nullptr, .stderr = nullptr, .start_new_session = true};
        auto [transport, protocol] = co_await subprocess_shell(make_noting(), "exit 7", none);
        for (int fd : {-1, 0, 1, 2, 3}) EXPECT_FALSE(transport.get_pipe_transport(fd));
        co_await protocol->completed.wait();
        EXPECT_EQ(protocol->returncode, 7);
        EXPECT_EQ(transport.get_returncode(), 7);
        transport.close();
    });
}

// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_kill
// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_terminate
// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_send_signal
// CPython: test_subprocess.py, SubprocessTransportTests.test_proc_exited
TEST_F(SubprocessProtocols, ASignalEndsIt) {
    run_net([]() -> Coro<> {
        for (int signum : {SIGKILL, SIGTERM, SIGHUP}) {
            auto [transport, protocol] = co_await subprocess_exec(make_noting(), "cat");
            if (signum == SIGKILL) {
                transport.kill();
            } else if (signum == SIGTERM) {
                transport.terminate();
            } else {
                transport.send_signal(signum);
            }
            co_await protocol->completed.wait();
            EXPECT_EQ(protocol->returncode, -signum);
            EXPECT_THROW(transport.send_signal(SIGTERM), ProcessLookupError);
            EXPECT_THROW(transport.terminate(), ProcessLookupError);
            EXPECT_THROW(transport.kill(), ProcessLookupError);
            transport.close();
        }
    });
}

// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_stderr
// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_stderr_redirect_to_stdout
TEST_F(SubprocessProtocols, BothOutputsApartOrAsOne) {
    run_net([]() -> Coro<> {
        const char* both = "read -r line; printf OUT:%s \"$line\"; printf ERR:%s \"$line\" >&2";
        auto [transport, protocol] = co_await subprocess_shell(make_noting(), both);
        transport.get_pipe_transport(0).write("test\n");
        co_await protocol->completed.wait();
        EXPECT_EQ(protocol->data[1], "OUT:test");
        EXPECT_EQ(protocol->data[2], "ERR:test");
        EXPECT_EQ(protocol->returncode, 0);

        auto merged = co_await subprocess_shell(make_noting(), both, {.stderr = STDOUT});
        EXPECT_TRUE(merged.transport.get_pipe_transport(1));
        EXPECT_FALSE(merged.transport.get_pipe_transport(2));
        merged.transport.get_pipe_transport(0).write("test\n");
        co_await merged.protocol->completed.wait();
        EXPECT_EQ(merged.protocol->data[1], "OUT:testERR:test");
    });
}

// CPython: test_events.py, SubprocessTestsMixin.test_subprocess_close_client_stream
TEST_F(SubprocessProtocols, AChildLearnsThatNobodyReads) {
    run_net([]() -> Coro<> {
        const char* program =
            "trap '' PIPE; read -r line; echo OUT:$line; read -r line; echo $line || printf ERR:broken >&2; sleep 3600";
        auto [transport, protocol] = co_await subprocess_shell(make_noting(), program, {.process_group = 0});
        Transport in = transport.get_pipe_transport(0);
        Transport out = transport.get_pipe_transport(1);
        in.write("test\n");
        co_await protocol->got_data[1].wait();
        EXPECT_EQ(protocol->data[1], "OUT:test\n");
        out.close();
        while (!protocol->disconnected.contains(1)) co_await sleep(0s);
        in.write("xxx\n");
        while (protocol->data[2].find("ERR:broken") == std::string::npos) co_await sleep(1ms);
        ::kill(-transport.get_pid(), SIGKILL);
        transport.close();
        co_await protocol->completed.wait();
        EXPECT_EQ(protocol->returncode, -SIGKILL);
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_subprocess_protocol_events
TEST_F(SubprocessProtocols, EachPipeTellsItsDataAndThenItsEnd) {
    run_net([]() -> Coro<> {
        class Events : public SubprocessProtocol {
        public:
            void connection_made(SubprocessTransport) override { of_pipe[0].push_back("made"); }
            void pipe_data_received(int fd, std::string_view data) override {
                of_pipe[fd].push_back("data " + std::string(data));
            }
            void pipe_connection_lost(int fd, std::exception_ptr) override { of_pipe[fd].push_back("lost"); }
            void process_exited() override { of_pipe[0].push_back("exited"); }
            void connection_lost(std::exception_ptr) override {
                of_pipe[0].push_back("over");
                over.set();
            }
            std::map<int, std::vector<std::string>> of_pipe;
            Event over;
        };
        auto factory = [] { return make_protocol<Events>(); };
        auto [transport, protocol] =
            co_await subprocess_shell(factory, "printf stdout; printf stderr >&2", {.stdin = nullptr});
        co_await protocol->over.wait();
        using Lines = std::vector<std::string>;
        EXPECT_EQ(protocol->of_pipe[0], (Lines{"made", "exited", "over"}));
        EXPECT_EQ(protocol->of_pipe[1], (Lines{"data stdout", "lost"}));
        EXPECT_EQ(protocol->of_pipe[2], (Lines{"data stderr", "lost"}));
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_cancel_post_init
TEST_F(SubprocessProtocols, ACancelledStartLeavesNothing) {
    run_net([]() -> Coro<> {
        for (int passes = 0; passes < 10; ++passes) {
            auto creating = create_task(subprocess_exec(make_noting(), "sleep", {"3600"}));
            for (int i = 0; i < passes; ++i) co_await sleep(0s);
            creating.cancel();
            try {
                auto made = co_await creating;
                made.transport.close();
                co_await made.protocol->completed.wait();
            } catch (const CancelledError&) {
            }
            EXPECT_FALSE(support::has_children());
        }
    });
}

// CPython: test_subprocess.py, SubprocessMixin.test_close_kill_running
// CPython: test_subprocess.py, SubprocessMixin.test_close_dont_kill_finished
TEST_F(SubprocessProtocols, ClosingKillsWhatRunsAndNothingElse) {
    run_net([]() -> Coro<> {
        auto [transport, protocol] = co_await subprocess_exec(make_noting(), "sleep", {"3600"});
        EXPECT_EQ(transport.get_returncode(), std::nullopt);
        transport.close();
        transport.close();
        co_await protocol->completed.wait();
        EXPECT_EQ(protocol->returncode, -SIGKILL);

        auto ended = co_await subprocess_shell(make_noting(), "read -r x; exit 3");
        ended.transport.get_pipe_transport(0).write("\n");
        siginfo_t info;
        ::waitid(P_PID, static_cast<id_t>(ended.transport.get_pid()), &info, WEXITED | WNOWAIT);
        EXPECT_EQ(ended.transport.get_returncode(), std::nullopt);
        ended.transport.close();
        co_await ended.protocol->completed.wait();
        EXPECT_EQ(ended.protocol->returncode, 3);
    });
}

TEST_F(SubprocessProtocols, ASubprocessIsShownAsPythonShowsIt) {
    run_net([]() -> Coro<> {
        auto [transport, protocol] = co_await subprocess_exec(make_noting(), "cat", {}, {.stderr = nullptr});
        std::string pid = std::to_string(transport.get_pid());
        std::string text = repr(transport);
        EXPECT_EQ(text.find("<_UnixSubprocessTransport pid=" + pid + " running stdin=<_UnixWritePipeTransport fd="), 0U)
            << text;
        EXPECT_NE(text.find(" stdout=<_UnixReadPipeTransport fd="), std::string::npos) << text;
        EXPECT_EQ(text.find("stderr"), std::string::npos);
        transport.get_pipe_transport(0).close();
        co_await protocol->completed.wait();
        EXPECT_NE(repr(transport).find(" returncode=0"), std::string::npos);
    });
}

TEST_F(SubprocessProtocols, AnotherProtocolCanTakeItsPlace) {
    run_net([]() -> Coro<> {
        auto [transport, protocol] = co_await subprocess_shell(make_noting(), "read -r x; echo $x");
        auto next = make_protocol<Noting>();
        next->state = "CONNECTED";
        next->transport = transport;
        transport.set_protocol(next);
        EXPECT_THROW(transport.set_protocol(make_protocol<Protocol>()), TypeError);
        transport.get_pipe_transport(0).write("x\n");
        co_await next->completed.wait();
        EXPECT_EQ(next->data[1], "x\n");
        EXPECT_EQ(protocol->data[1], "");
    });
}

/// Then nobody tells the child's transport of the pipe's end; the leak checker looks on.
TEST_F(SubprocessProtocols, AnotherProtocolMayStandOnAPipe) {
    run_net([]() -> Coro<> {
        auto [transport, protocol] = co_await subprocess_exec(make_noting(), "cat");
        transport.get_pipe_transport(1).set_protocol(make_protocol<Protocol>());
        transport.kill();
        while (!protocol->returncode) co_await sleep(1ms);
        EXPECT_EQ(protocol->state, "CONNECTED");
    });
}

TEST_F(SubprocessProtocols, WhatAProtocolThrowsIsTold) {
    run_net([]() -> Coro<> {
        class Bad : public SubprocessProtocol {
        public:
            void connection_made(SubprocessTransport) override { throw RuntimeError("made"); }
            void pipe_data_received(int, std::string_view) override { throw RuntimeError("data"); }
            void pipe_connection_lost(int, std::exception_ptr) override { throw RuntimeError("lost"); }
            void process_exited() override { throw RuntimeError("exited"); }
            void connection_lost(std::exception_ptr) override { throw RuntimeError("over"); }
        };
        std::multiset<std::string> told;
        Event over;
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
            std::string text = repr(context.exception);
            told.insert(text);
            if (text == "RuntimeError('over')") over.set();
        });
        auto factory = [] { return make_protocol<Bad>(); };
        auto [transport, protocol] = co_await subprocess_shell(factory, "echo x", {.stdin = nullptr});
        co_await over.wait();
        EXPECT_EQ(told, (std::multiset<std::string>{"RuntimeError('made')", "RuntimeError('data')",
                                                    "RuntimeError('lost')", "RuntimeError('lost')",
                                                    "RuntimeError('exited')", "RuntimeError('over')"}));
    });
}

}  // namespace
