// A child process of fork(): it has a copy of everything, the parent's descriptors, and one thread.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "os/thread_sanitizer.h"
#include "support/run_test.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::outcome;

constexpr int hung = 1000 + SIGALRM;

int end_of(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/// What a child exits with that does only this: its result, 99 for an exception; or 1000 and the signal that ended it.
template <class Body>
int in_child(Body body) {
    pid_t child = ::fork();
    if (child == 0) {
        ::alarm(30);
        int code = 99;
        try {
            code = body();
        } catch (...) {
        }
        ::_exit(code);
    }
    return end_of(child);
}

EventLoop loop_over_epoll() { return EventLoop({.io_backend = IoBackendKind::epoll}); }
EventLoop loop_over_io_uring() { return EventLoop({.io_backend = IoBackendKind::io_uring}); }

class ForkExecutor : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
#ifdef ASYNCIO_THREAD_SANITIZER
        GTEST_SKIP() << "ThreadSanitizer does not support threads in a child";
#endif
        EventLoop loop = factory()();
        if (loop.io_backend().name() != GetParam()) GTEST_SKIP() << "there is no " << GetParam() << " here";
    }
    using Factory = EventLoop (*)();
    Factory factory() const { return std::string(GetParam()) == "epoll" ? loop_over_epoll : loop_over_io_uring; }
    template <class Result>
    Result run(Coro<Result> main) {
        return asyncio::run(std::move(main), {.loop_factory = factory()});
    }
};
INSTANTIATE_TEST_SUITE_P(All, ForkExecutor, testing::Values("epoll", "io_uring"));

/// Timers, sockets and a thread: 42 if all work.
Coro<int> use_everything() {
    auto [a, b] = socketpair();
    co_await sock_sendall(a, "hi");
    std::string got = co_await sock_recv(b, 10);
    int number = co_await to_thread([] { return 40; });
    co_await sleep(1ms);
    co_return number + static_cast<int>(got.size());
}

// CPython: test_unix_events.py, TestFork.test_fork_not_share_event_loop
TEST_P(ForkExecutor, TheChildHasNoRunningLoop) {
    run([]() -> Coro<> {
        int code = in_child([] { return outcome(get_running_loop) == "RuntimeError('no running event loop')" ? 0 : 1; });
        EXPECT_EQ(code, 0);
        co_return;
    }());
}

// CPython: test_unix_events.py, TestFork.test_fork_not_share_current_task
TEST_P(ForkExecutor, TheChildHasNoCurrentTask) {
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
TEST_P(ForkExecutor, ASignalToTheChildIsNoneToTheParent) {
    run([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        bool parent_handled = false;
        loop.add_signal_handler(SIGTERM, [&] { parent_handled = true; });
        int ready[2];
        EXPECT_EQ(::pipe(ready), 0);
        for (bool has_own_handler : {true, false}) {
            pid_t child = ::fork();
            if (child == 0) {
                ::alarm(30);
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
        co_await sleep(1ms);
        EXPECT_TRUE(parent_handled);
        ::close(ready[0]);
        ::close(ready[1]);
    }());
}

// CPython: test_unix_events.py, TestFork.test_fork_asyncio_run
TEST_P(ForkExecutor, TheChildMayRunALoopOfItsOwn) {
    EXPECT_EQ(in_child([&] { return run(use_everything()); }), 42);
    run([](ForkExecutor& test) -> Coro<> {
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
    pid_t child = ::fork();
    if (child == 0) {
        ::alarm(30);
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

TEST_P(ForkExecutor, AChildThatLeavesTheLoopByAnyWayEndsAndDoesNotDisturbTheParents) {
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

TEST_P(ForkExecutor, TheChildMayGoOnWithALoopThatSleptBefore) {
    EventLoop loop = factory()();
    int calls = 0;
    loop.add_signal_handler(SIGUSR1, [&] { ++calls; });
    auto [a, b] = socketpair();
    auto talk = [&](const char* word) -> Coro<bool> {
        auto reading = create_task(sock_recv(b, 10));
        co_await sleep(1ms);
        co_await sock_sendall(a, word);
        std::string got = co_await wait_for(reading, 10s);
        int before = calls;
        ::raise(SIGUSR1);
        co_await sleep(1ms);
        int number = co_await to_thread([] { return 1; });
        co_return got == word&& calls == before + number;
    };
    EXPECT_TRUE(loop.run_until_complete(talk("one")));
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(in_child([&] { return loop.run_until_complete(talk("child")) ? 0 : 1; }), 0);
        EXPECT_TRUE(loop.run_until_complete(talk("two")));
    }
    // And a child's child.
    EXPECT_EQ(in_child([&] { return in_child([&] { return loop.run_until_complete(talk("deep")) ? 5 : 1; }); }), 5);
    EXPECT_EQ(calls, 3);
}

TEST_P(ForkExecutor, TheChildMayGoOnWithTheRunningLoopFromItsNextCallbackOn) {
    run([]() -> Coro<> {
        auto [a, b] = socketpair();
        int readable = 0;
        get_running_loop().add_reader(b.fileno(), [&, fd = b.fileno()] {
            char byte = 0;
            readable += static_cast<int>(::recv(fd, &byte, 1, 0));
        });
        co_await sleep(1ms);
        pid_t child = ::fork();
        if (child == 0) {
            ::alarm(30);
            bool had_none = outcome([] { return sleep(1ms); }) != "nothing";
            co_await sleep(0);
            int all = co_await use_everything();
            co_await sock_sendall(a, "x");
            co_await sleep(5ms);
            ::_exit(all == 42 && readable == 1 && current_task() ? 4 + static_cast<int>(had_none) : 1);
        }
        int code = end_of(child);
        EXPECT_TRUE(code == 4 || code == 5) << code;
        EXPECT_EQ(readable, 0);
        get_running_loop().remove_reader(b.fileno());
    }());
}

TEST_P(ForkExecutor, CtrlCEndsTheChild) {
    run([]() -> Coro<> {
        int code = in_child([] {
            ::raise(SIGINT);
            return 0;
        });
        EXPECT_EQ(code, 1000 + SIGINT);
        co_await sleep(0);
    }());
}

TEST_P(ForkExecutor, WhatWasHandedToThreadsIsTheParentsAlone) {
    run([]() -> Coro<> {
        ThreadPoolExecutor pool(1);
        int said[2];
        int go[2];
        EXPECT_EQ(::pipe(said), 0);
        EXPECT_EQ(::pipe(go), 0);
        auto wait_for_go = [&] {
            char x = 0;
            [[maybe_unused]] auto size = ::read(go[0], &x, 1);
        };
        auto say = [&] { [[maybe_unused]] auto size = ::write(said[1], "x", 1); };
        EventLoop& loop = get_running_loop();
        auto blocked = loop.run_in_executor(&pool, wait_for_go);
        auto queued = loop.run_in_executor(&pool, say);
        int code = in_child([&] {
            // The thread is not here; another one starts.
            EventLoop own;
            auto number = [&]() -> Coro<int> {
                co_return co_await get_running_loop().run_in_executor(&pool, [] { return 6; });
            };
            int got = own.run_until_complete(number());
            queued.cancel();
            pool.shutdown(true);
            return got;
        });
        EXPECT_EQ(code, 6);
        pollfd look{said[0], POLLIN, 0};
        EXPECT_EQ(::poll(&look, 1, 0), 0);
        [[maybe_unused]] auto size = ::write(go[1], "x", 1);
        co_await blocked;
        co_await queued;
        EXPECT_EQ(::poll(&look, 1, 0), 1);
        pool.shutdown(true);
        for (int fd : {said[0], said[1], go[0], go[1]}) ::close(fd);
    }());
}

TEST_P(ForkExecutor, AThreadThatCallsAtThatMomentDoesNotLockTheChild) {
    EventLoop loop = factory()();
    std::atomic<bool> over = false;
    std::thread caller([&] {
        while (!over) loop.call_soon_threadsafe([] {});
    });
    for (int i = 0; i < 100; ++i) {
        loop.run_until_complete([]() -> Coro<> { co_await sleep(0.01ms); }());
        int code = in_child([&] {
            loop.run_until_complete([]() -> Coro<> { co_await sleep(0.01ms); }());
            loop.close();
            return 0;
        });
        ASSERT_EQ(code, 0) << (code == hung ? "it hangs" : "");
    }
    over = true;
    caller.join();
}

TEST_P(ForkExecutor, AHandleMayBeCancelledInsideTheCallThatForked) {
    EventLoop loop = factory()();
    int code = 99;
    Handle handle;
    handle = loop.call_soon_threadsafe([&] {
        code = in_child([&] {
            handle.cancel();
            return 0;
        });
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(code, 0);
}

TEST_P(ForkExecutor, AStreamThatIsReadAtThatMomentIsTheParents) {
    EventLoop loop = factory()();
    bool is_child = false;
    auto [a, b] = socketpair();
    auto read_line = [&]() -> Coro<std::string> {
        Streams streams = co_await open_unix_connection({.sock = &a});
        auto reading = create_task([](StreamReader reader) -> Coro<std::string> {
            std::string line = co_await reader.readline();
            co_return line;
        }(streams.reader));
        co_await sleep(1ms);
        pid_t child = ::fork();
        if (child == 0) {
            ::alarm(30);
            is_child = true;
            co_await sleep(0);
            if (get_running_loop().io_backend().name() == "io_uring") {
                // What came meanwhile might have gone to the parent: no line with a hole.
                std::string error = co_await support::outcome_of(std::move(reading));
                ::_exit(error.find("ConnectionAbortedError") != std::string::npos ? 0 : 1);
            }
            ::_exit(0);
        }
        EXPECT_EQ(end_of(child), 0);
        ::send(b.fileno(), "line\n", 5, 0);
        co_return co_await wait_for(reading, 10s);
    };
    EXPECT_EQ(loop.run_until_complete(read_line()), "line\n");
}

}  // namespace
}  // namespace asyncio
