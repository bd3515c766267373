// Programs whose own handlers of fork() are older than their first loop: each test is a process of its own.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "os/fork_support.h"

namespace asyncio {
namespace {

EventLoop* loop_of_parent = nullptr;
int calls = 0;

/// Another thread forks while the process's first loop runs. How often the parent's handler was called back by the
/// loop; 99 if the child did not end well.
int calls_after_fork(void (*in_parent)(), void (*in_child_of_fork)()) {
    ::alarm(30);
    ::pthread_atfork(nullptr, in_parent, in_child_of_fork);
    EventLoop loop;
    loop_of_parent = &loop;
    loop.add_signal_handler(SIGUSR2, [] {});
    int end = 0;
    std::thread forker([&] {
        end = in_child([] { return 0; });
        loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.run_forever();
    forker.join();
    loop.close();
    return end == 0 ? calls : 99;
}

void nothing() {}

class EarlyFork : public testing::Test {
protected:
    void SetUp() override {
#ifdef ASYNCIO_THREAD_SANITIZER
        GTEST_SKIP() << "ThreadSanitizer does not support threads in a child";
#endif
        GTEST_FLAG_SET(death_test_style, "threadsafe");  // which begins the program anew
    }
};

TEST_F(EarlyFork, ItsHandlersInTheParentMayCallALoop) {
    auto in_parent = [] { loop_of_parent->call_soon_threadsafe([] { ++calls; }); };
    EXPECT_EXIT(::_exit(calls_after_fork(in_parent, nothing)), testing::ExitedWithCode(1), "");
}

TEST_F(EarlyFork, ItsHandlersInTheChildMayMakeALoop) {
    auto in_the_child = [] {
        EventLoop loop;
        loop.add_signal_handler(SIGUSR1, [] {});
    };
    EXPECT_EXIT(::_exit(calls_after_fork(nothing, in_the_child)), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace asyncio
