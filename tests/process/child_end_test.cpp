#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/datagram_support.h"
#include "net/pipe_support.h"
#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::PIPE;
using subprocess::Process;
using support::run_net;

namespace {

/// Keeps the log from standard error.
class Log {
public:
    Log() : former_(set_log_handler([](LogLevel, std::string_view line) { text() += line; })) { text().clear(); }
    ~Log() { set_log_handler(former_); }
    Log(const Log&) = delete;
    static std::string& text() {
        static std::string all;
        return all;
    }

private:
    LogHandler former_;
};

using ChildEnds = support::ProcessTest;

long resident_kilobytes() {
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    return pages * (::sysconf(_SC_PAGESIZE) / 1024);
}

#ifdef __SANITIZE_ADDRESS__
constexpr long allowed_growth = 100'000;  // it keeps for a while what was freed
#else
constexpr long allowed_growth = 300;
#endif

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST_F(ChildEnds, AChildWhoseHandlesAreGoneRunsOnAndIsReaped) {
    run_net([]() -> Coro<> {
        support::PipeEnds input(0);
        pid_t pid = 0;
        {
            Process child = co_await create_subprocess_exec("cat", {}, {.stdin = input.reader(), .stdout = PIPE});
            pid = child.pid();
        }
        co_await sleep(20ms);
        EXPECT_TRUE(is_alive(pid));
        input.close_writer();
        bool is_over = co_await support::until([&] { return !is_alive(pid); });
        EXPECT_TRUE(is_over);
    });
}

TEST_F(ChildEnds, WhatNobodyCanReadAnyMoreDoesNotHoldTheChildUp) {
    run_net([]() -> Coro<> {
        pid_t pid = 0;
        {
            Process child = co_await create_subprocess_shell("head -c 1000000 /dev/zero", {.stdout = PIPE});
            pid = child.pid();
        }
        bool is_over = co_await support::until([&] { return !is_alive(pid); });
        EXPECT_TRUE(is_over);
    });
}

TEST_F(ChildEnds, AChildThatStillRunsWhenItsLoopIsClosedIsKilled) {
    pid_t pid = 0;
    Process kept;
    run_net([&]() -> Coro<> {
        kept = co_await create_subprocess_exec("sleep", {"3600"}, {.stdin = PIPE, .stdout = PIPE, .stderr = PIPE});
        pid = kept.pid();
    });
    EXPECT_FALSE(is_alive(pid));
    EXPECT_FALSE(support::has_children());
    EXPECT_EQ(kept.returncode(), -SIGKILL);
    EXPECT_THROW(kept.kill(), ProcessLookupError);
}

TEST_F(ChildEnds, ATaskThatWaitsForItWhenTheLoopEndsIsCancelled) {
    bool was_cancelled = false;
    run_net([&]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        create_task(
            [](Process its, bool& cancelled) -> Coro<> {
                try {
                    co_await its.wait();
                } catch (const CancelledError&) {
                    cancelled = true;
                }
            },
            child, std::ref(was_cancelled));
        co_await sleep(0s);
    });
    EXPECT_TRUE(was_cancelled);
}

TEST_F(ChildEnds, WhoeverReapsOurChildIsTold) {
    Log log;
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", "3600");
        child.kill();
        ::waitpid(child.pid(), nullptr, 0);
        int code = co_await child.wait();
        EXPECT_EQ(code, 255);
    });
    EXPECT_NE(Log::text().find("exit status already read"), std::string::npos) << Log::text();
}

TEST_F(ChildEnds, WhereNobodyWantsToHearOfChildrenThereIsNoStatus) {
    auto former = std::signal(SIGCHLD, SIG_IGN);  // the kernel reaps them
    Log log;
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("true");
        int code = co_await child.wait();
        EXPECT_EQ(code, 255);
    });
    std::signal(SIGCHLD, former);
}

TEST_F(ChildEnds, TheProgramsOwnChildrenAreLeftAlone) {
    run_net([]() -> Coro<> {
        pid_t own = ::fork();
        if (own == 0) ::_exit(7);
        for (int i = 0; i < 20; ++i) {
            Process child = co_await create_subprocess_exec("true");
            co_await child.wait();
        }
        int status = 0;
        EXPECT_EQ(::waitpid(own, &status, 0), own);
        EXPECT_EQ(WEXITSTATUS(status), 7);
    });
}

TEST_F(ChildEnds, AForkedChildThatClosesTheLoopDoesNotKillItsParentsChild) {
    EventLoop loop = new_event_loop();
    Process child = loop.run_until_complete(create_subprocess_exec("sleep", {"3600"}, {.stdin = PIPE}));
    pid_t forked = ::fork();
    if (forked == 0) {
        loop.close();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(forked, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(is_alive(child.pid()));
    child.kill();
    int code = loop.run_until_complete([](Process its) -> Coro<int> { co_return co_await its.wait(); }(child));
    EXPECT_EQ(code, -SIGKILL);
    child = Process();
    loop.close();
}

TEST_F(ChildEnds, ThousandsLeaveNothing) {
    run_net([]() -> Coro<> {
        long warmed_up = 0;
        for (int i = 0; i < 20; ++i) {
            if (i == 5) warmed_up = resident_kilobytes();
            std::vector<Task<>> all;
            for (int k = 0; k < 50; ++k) {
                all.push_back(create_task([]() -> Coro<> {
                    Process child = co_await create_subprocess_exec("true", {}, {.stdin = PIPE, .stdout = PIPE});
                    co_await child.communicate("x");
                    EXPECT_EQ(child.returncode(), 0);
                }));
            }
            co_await gather(all);
            EXPECT_EQ(support::has_children(), false);
        }
        EXPECT_LT(resident_kilobytes() - warmed_up, allowed_growth);
    });
}

TEST_F(ChildEnds, SeveralThreadsMayStartThemAtOnce) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([] {
            run([]() -> Coro<> {
                for (int k = 0; k < 25; ++k) {
                    Process child = co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE});
                    auto [out, err] = co_await child.communicate("data");
                    EXPECT_EQ(out, "data");
                    EXPECT_EQ(child.returncode(), 0);
                }
            }());
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
