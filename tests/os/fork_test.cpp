// A child process of fork(): it has a copy of everything, the parent's descriptors, and one thread.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <string>

#include "os/fork_support.h"
#include "support/run_test.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::outcome;

class Fork : public ForkTest {};
INSTANTIATE_TEST_SUITE_P(All, Fork, testing::Values("epoll", "io_uring"));

// CPython: test_unix_events.py, TestFork.test_fork_not_share_event_loop
TEST_P(Fork, TheChildHasNoRunningLoop) {
    run([]() -> Coro<> {
        int code =
            in_child([] { return outcome(get_running_loop) == "RuntimeError('no running event loop')" ? 0 : 1; });
        EXPECT_EQ(code, 0);
        co_return;
    }());
}

// CPython: test_unix_events.py, TestFork.test_fork_not_share_current_task
TEST_P(Fork, TheChildHasNoCurrentTask) {
    run([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        EXPECT_TRUE(current_task(loop));
        int code = in_child([&] { return current_task(loop) ? 1 : 0; });
        EXPECT_EQ(code, 0);
        EXPECT_TRUE(current_task(loop));
        co_return;
    }());
}

// CPython: test_unix_events.py, TestFork.test_fork_signal_handling
TEST_P(Fork, ASignalToTheChildIsNoneToTheParent) {
    run([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        bool parent_handled = false;
        loop.add_signal_handler(SIGTERM, [&] { parent_handled = true; });
        int ready[2];
        EXPECT_EQ(::pipe(ready), 0);
        for (bool has_own_handler : {true, false}) {
            pid_t child = fork_with_alarm();
            if (child == 0) {
                if (has_own_handler) std::signal(SIGTERM, [](int) { ::_exit(7); });
                [[maybe_unused]] auto size = ::write(ready[1], "x", 1);
                if (!has_own_handler) ::raise(SIGTERM);  // as in Python, caught and told to nobody
                while (has_own_handler) ::pause();
                ::_exit(8);
            }
            char x = 0;
            EXPECT_EQ(::read(ready[0], &x, 1), 1);
            if (has_own_handler) ::kill(child, SIGTERM);
            EXPECT_EQ(end_of(child), has_own_handler ? 7 : 8);
        }
        // The parent's loop still works.
        co_await sleep(1ms);
        EXPECT_FALSE(parent_handled);
        ::raise(SIGTERM);
        for (int i = 0; i < 1000 && !parent_handled; ++i) co_await sleep(1ms);
        EXPECT_TRUE(parent_handled);
        ::close(ready[0]);
        ::close(ready[1]);
    }());
}

// CPython: test_unix_events.py, TestFork.test_fork_asyncio_run
TEST_P(Fork, TheChildMayRunALoopOfItsOwn) {
    EXPECT_EQ(in_child([&] { return run(use_everything()); }), 42);
    run([](ForkTest& test) -> Coro<> {
        auto [a, b] = socketpair();
        auto reading = create_task(sock_recv(b, 10));
        co_await sleep(1ms);  // it waits
        EXPECT_EQ(in_child([&] { return test.run(use_everything()); }), 42);
        co_await sock_sendall(a, "x");
        std::string got = co_await wait_for(reading, 10s);
        EXPECT_EQ(got, "x");
        int all = co_await use_everything();
        EXPECT_EQ(all, 42);
    }(*this));
}

Coro<> fork_and_leave(int how, int& code) {
    auto [a, b] = socketpair();
    auto reading = create_task(sock_recv(b, 10));
    co_await to_thread([] {});
    pid_t child = fork_with_alarm();
    if (child == 0) {
        if (how == 0) b.close();
        if (how < 2) throw SystemExit(3);
        code = 3;
        co_return;
    }
    code = end_of(child);
    co_await sock_sendall(a, "x");
    std::string got = co_await wait_for(reading, 10s);
    EXPECT_EQ(got, "x");
    for (int i = 0; i < 20; ++i) {
        auto again = create_task(sock_recv(b, 10));
        co_await sleep(0.1ms);
        co_await sock_sendall(a, "y");
        got = co_await wait_for(again, 10s);
        EXPECT_EQ(got, "y");
    }
}

TEST_P(Fork, AChildThatLeavesTheLoopByAnyWayEndsAndDoesNotDisturbTheParents) {
    for (int how : {0, 1, 2}) {
        pid_t parent = ::getpid();
        int code = 99;
        try {
            run(fork_and_leave(how, code));
        } catch (const SystemExit& exit) {
            code = exit.code();
        }
        if (::getpid() != parent) ::_exit(code);
        EXPECT_EQ(code, 3) << how;
    }
}

TEST_P(Fork, CtrlCEndsTheChild) {
    run([]() -> Coro<> {
        int code = in_child([] {
            ::raise(SIGINT);
            return 0;
        });
        EXPECT_EQ(code, 1000 + SIGINT);
        co_await sleep(0);
    }());
}

}  // namespace
}  // namespace asyncio
