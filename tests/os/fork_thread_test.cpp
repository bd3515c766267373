// A child of fork() has none of its parent's other threads, and none of the locks that they held.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "os/fork_support.h"
#include "support/run_test.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

class ForkThread : public ForkTest {};

Coro<> use_descriptors() {
    auto [a, b] = socketpair();
    get_running_loop().add_reader(a.fileno(), [] {});
    co_await asyncio::sleep(0);
    get_running_loop().remove_reader(a.fileno());
}

INSTANTIATE_TEST_SUITE_P(All, ForkThread, testing::Values("epoll", "io_uring"));

/// How many files of the kernel's own kinds, such as an epoll, are open. Allocates nothing: in a child of a process
/// with threads that is not sure to work under a sanitizer.
int open_kernel_objects() {
    int count = 0;
    for (int fd = 0; fd < 64; ++fd) {
        char name[64] = {};
        char path[32];
        std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (::readlink(path, name, sizeof name - 1) < 0) continue;
        if (std::string_view(name).starts_with("anon_inode:")) ++count;
    }
    return count;
}

TEST_P(ForkThread, NothingOfALoopThatAnotherThreadMakesOrDestroysIsOpenInTheChild) {
    std::atomic<bool> over = false;
    std::jthread other([&] {
        while (!over) {
            asyncio::run(use_descriptors(), {.loop_factory = factory()});
        }
    });
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(in_child(open_kernel_objects), 0);
    }
    over = true;
}

/// In a new process, where io_uring has not been tried out yet. Exits with how many children had something of that.
void try_out_io_uring_while_another_thread_forks() {
    std::atomic<int> children = 0;
    std::atomic<int> had_something = 0;
    std::atomic<bool> over = false;
    std::thread other([&] {
        for (; !over; ++children) {
            if (in_child(open_kernel_objects) != 0) ++had_something;
        }
    });
    while (children == 0) std::this_thread::yield();
    { EventLoop loop({.io_backend = IoBackendKind::io_uring}); }
    over = true;
    other.join();
    ::_exit(had_something);
}

TEST(ForkThreadOfIoUring, NothingOfWhatIoUringIsTriedOutWithIsOpenInTheChild) {
#ifdef ASYNCIO_THREAD_SANITIZER
    GTEST_SKIP() << "ThreadSanitizer does not support threads in a child";
#endif
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    for (int i = 0; i < 8; ++i) {
        EXPECT_EXIT(try_out_io_uring_while_another_thread_forks(), testing::ExitedWithCode(0), "");
    }
}

TEST_P(ForkThread, WhatWasHandedToThreadsIsTheParentsAlone) {
    run([]() -> Coro<> {
        ThreadPoolExecutor pool(1);
        int said[2];
        int go[2];
        EXPECT_EQ(::pipe(said), 0);
        EXPECT_EQ(::pipe(go), 0);
        std::atomic<bool> begun = false;
        auto wait_for_go = [&] {
            char x = 0;
            begun = true;
            [[maybe_unused]] auto size = ::read(go[0], &x, 1);
        };
        auto say = [&] { [[maybe_unused]] auto size = ::write(said[1], "x", 1); };
        EventLoop& loop = get_running_loop();
        auto blocked = loop.run_in_executor(&pool, wait_for_go);
        auto queued = loop.run_in_executor(&pool, say);
        // A thread that begins holds locks of a sanitizer's allocator, which the child would wait for.
        while (!begun) std::this_thread::yield();
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

/// Its threads end when they are told to.
class SlowExecutor : public Executor {
public:
    void submit(ExecutorJob& job) override { threads_.submit(job); }
    bool try_cancel(ExecutorJob& job) noexcept override { return threads_.try_cancel(job); }
    void shutdown(bool wait) override {
        if (wait) {
            joining = true;
            joining.notify_all();
            may_end.wait(false);
        }
        threads_.shutdown(wait);
    }

    std::atomic<bool> joining = false;
    std::atomic<bool> may_end = false;

private:
    ThreadPoolExecutor threads_;
};

Coro<> fork_while_it_ends(SlowExecutor& executor, std::optional<Seconds> timeout) {
    EventLoop& loop = get_running_loop();
    loop.set_default_executor(executor);
    Task<> shutdown = create_task(loop.shutdown_default_executor(timeout));
    co_await sleep(0);
    executor.joining.wait(false);
    pid_t child = fork_with_alarm();
    if (child == 0) {
        co_await sleep(0);  // the loop is the child's from here on
        co_await shutdown;
        bool refuses = support::outcome([&] { loop.run_in_executor(&executor, [] {}); }).starts_with("RuntimeError");
        ::_exit(refuses ? 7 : 8);
    }
    EXPECT_EQ(end_of(child), 7);
    EXPECT_FALSE(shutdown.done());
    executor.may_end = true;
    executor.may_end.notify_all();
    co_await shutdown;
}

TEST_P(ForkThread, AShutdownOfTheExecutorThatIsUnderWayIsOverInTheChild) {
    for (std::optional<Seconds> timeout : {std::optional<Seconds>(), std::optional<Seconds>(60s)}) {
        SlowExecutor executor;
        run(fork_while_it_ends(executor, timeout));
    }
}

TEST_P(ForkThread, AThreadThatCallsAtThatMomentDoesNotLockTheChild) {
    EventLoop loop = factory()();
    std::atomic<bool> over = false;
    std::atomic<int> queued = 0;
    std::jthread caller([&] {
        while (!over) {
            if (queued > 10) continue;
            ++queued;
            loop.call_soon_threadsafe([&] { --queued; });
        }
    });
    for (int i = 0; i < 100; ++i) {
        loop.run_until_complete([]() -> Coro<> { co_await sleep(0.01ms); }());
        int code = in_child([&] {
            loop.run_until_complete([]() -> Coro<> { co_await sleep(0.01ms); }());
            loop.close();
            return 0;
        });
        EXPECT_EQ(code, 0) << (code == hung ? "it hangs" : "");
        if (code != 0) break;
    }
    over = true;
}

TEST_P(ForkThread, ALoopThatAnotherThreadWasRunningMayBeDestroyedThere) {
    auto loop = std::unique_ptr<EventLoop>(new EventLoop(factory()()));
    Future<> future = loop->create_future();
    std::atomic<bool> runs = false;
    std::jthread runner([&] {
        loop->call_soon([&] { runs = true; });
        loop->run_forever();
    });
    while (!runs) std::this_thread::yield();
    int code = in_child([&] {
        std::string closing = support::outcome([&] { loop->close(); });
        loop.reset();
        std::string asking = support::outcome([&] { return &future.get_loop(); });
        if (asking != "RuntimeError('the event loop was destroyed')") return 1;
        return closing == "RuntimeError('Cannot close a running event loop')" ? 7 : 2;
    });
    EXPECT_EQ(code, 7);
    loop->call_soon_threadsafe([&] { loop->stop(); });
}

TEST_P(ForkThread, AThreadThatLooksAtAFutureAtThatMomentDoesNotLockTheChild) {
    EventLoop loop = factory()();
    auto future = run_coroutine_threadsafe([]() -> Coro<int> { co_return 4; }(), loop);
    std::atomic<bool> over = false;
    std::jthread looker([&] {
        while (!over) static_cast<void>(future.done());
    });
    for (int i = 0; i < 100; ++i) {
        int code = in_child([&] { return future.done() ? 1 : 0; });
        EXPECT_EQ(code, 0) << (code == hung ? "it hangs" : "");
        if (code != 0) break;
    }
    over = true;
    loop.run_until_complete([]() -> Coro<> { co_await sleep(1ms); }());
    EXPECT_EQ(future.result(), 4);
}

}  // namespace
}  // namespace asyncio
