#pragma once

#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "os/thread_sanitizer.h"

namespace asyncio {

/// What end_of() gives for a child that hangs.
inline constexpr int hung = 1000 + SIGALRM;

/// What a child exited with; or 1000 and the signal that ended it.
inline int end_of(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/// Zero in the child, which ends by a signal if it hangs.
inline pid_t fork_with_alarm() {
    pid_t child = ::fork();
    if (child == 0) ::alarm(30);
    return child;
}

/// The end of a child that does only this and exits with its result, 99 for an exception.
template <class Body>
int in_child(Body body) {
    pid_t child = fork_with_alarm();
    if (child == 0) {
        int code = 99;
        try {
            code = body();
        } catch (...) {
        }
        ::_exit(code);
    }
    return end_of(child);
}

/// Runs a test with each backend of the library.
class ForkTest : public testing::TestWithParam<const char*> {
public:
    static EventLoop loop_over_epoll() { return EventLoop({.io_backend = IoBackendKind::epoll}); }
    static EventLoop loop_over_io_uring() { return EventLoop({.io_backend = IoBackendKind::io_uring}); }
    using Factory = EventLoop (*)();
    Factory factory() const { return std::string(GetParam()) == "epoll" ? loop_over_epoll : loop_over_io_uring; }
    template <class Result>
    Result run(Coro<Result> main) {
        return asyncio::run(std::move(main), {.loop_factory = factory()});
    }

protected:
    void SetUp() override {
#ifdef ASYNCIO_THREAD_SANITIZER
        GTEST_SKIP() << "ThreadSanitizer does not support threads in a child";
#endif
        EventLoop loop = factory()();
        if (loop.io_backend().name() != GetParam()) GTEST_SKIP() << "there is no " << GetParam() << " here";
    }
};

/// Timers, sockets and a thread: 42 if all work.
inline Coro<int> use_everything() {
    auto [a, b] = socketpair();
    co_await sock_sendall(a, "hi");
    std::string got = co_await sock_recv(b, 10);
    int number = co_await to_thread([] { return 40; });
    co_await sleep(std::chrono::milliseconds(1));
    co_return number + static_cast<int>(got.size());
}

}  // namespace asyncio
