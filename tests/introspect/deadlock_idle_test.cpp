// The library's own threads, where they have nothing to do, are nobody who could still wake a loop.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "introspect/deadlock_support.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::deadlock_in_child;

constexpr char expected[] =
    "Deadlock: nothing can run any more, and 1 task waits\n  'waiter' waits for <Event unset, waiters:1> at HERE";

Coro<> waits_for_ever() {
    Event never;
    current_task().set_name("waiter");
    co_await never.wait();
}

TEST(DeadlockBesideIdle, WorkersOfPoolsThatHaveNoJob) {
    auto main = []() -> Coro<> {
        ThreadPoolExecutor pool(2);
        EventLoop& loop = get_running_loop();
        for (int i = 0; i < 3; ++i) {
            co_await gather(to_thread([] {}), to_thread([] {}), loop.run_in_executor(&pool, [] {}));
        }
        co_await waits_for_ever();
    };
    EXPECT_EQ(deadlock_in_child(main()), expected);
}

TEST(DeadlockBesideIdle, TheOneOfDumpTasksOn) {
    auto main = []() -> Coro<> {
        dump_tasks_on(SIGQUIT);
        co_await waits_for_ever();
    };
    EXPECT_EQ(deadlock_in_child(main()), expected);
}

TEST(DeadlockBesideIdle, AStallWatchdog) {
    auto main = []() -> Coro<> {
        StallWatchdog watchdog({.threshold = 1h});
        co_await sleep(20ms);  // its thread is there
        co_await waits_for_ever();
    };
    EXPECT_EQ(deadlock_in_child(main()), expected);
}

TEST(DeadlockBesideIdle, IsNoneWhereTheReportOfAWatchdogWakesTheLoop) {
    auto main = []() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Event event;
        std::atomic<bool> told = false;
        auto report = [&](const Stall&) {
            if (told.exchange(true)) return;
            std::this_thread::sleep_for(100ms);
            loop.call_soon_threadsafe([&] { event.set(); });
        };
        StallWatchdog watchdog({.threshold = 10ms, .report = report, .native_stack = false});
        co_await sleep(0s);  // it sees a step from its beginning
        while (!told) std::this_thread::sleep_for(1ms);
        co_await event.wait();
    };
    EXPECT_EQ(deadlock_in_child(main()), "none");
}

/// A job of a pool that nobody's loop knows of.
class Job final : public ExecutorJob {
public:
    explicit Job(std::function<void()> function) : function_(std::move(function)) {}
    void run() noexcept override { function_(); }

private:
    std::function<void()> function_;
};

TEST(DeadlockBesideIdle, IsNoneWhereAWorkerHasAJobThatIsNotTheLoops) {
    auto main = []() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Event event;
        ThreadPoolExecutor pool(2);
        co_await gather(loop.run_in_executor(&pool, [] {}), loop.run_in_executor(&pool, [] {}));
        Job job([&] {
            std::this_thread::sleep_for(100ms);
            loop.call_soon_threadsafe([&] { event.set(); });
        });
        pool.submit(job);
        co_await event.wait();
    };
    EXPECT_EQ(deadlock_in_child(main()), "none");
}

TEST(DeadlockBesideIdle, WhereAnotherGoesIdleLongAfterTheLoop) {
    auto main = []() -> Coro<> {
        std::thread([] { std::this_thread::sleep_for(1200ms); }).detach();
        co_await waits_for_ever();
    };
    EXPECT_EQ(deadlock_in_child(main()), expected);
}

TEST(DeadlockBesideIdle, IsNoneWhereASignalCutTheWaitShort) {
    auto wants = [](Lock& first, Lock& second) -> Coro<> {
        auto one = co_await first.guard();
        co_await sleep(0s);
        auto two = co_await second.guard();
    };
    auto main = [&]() -> Coro<> {
        std::signal(SIGUSR1, [](int) {});
        EventLoop& loop = get_running_loop();
        Lock a;
        Lock b;
        Task<> left = create_task(wants(a, b));
        Task<> right = create_task(wants(b, a));
        std::thread helps([&, self = ::pthread_self()] {
            for (int i = 0; i < 3; ++i) {
                std::this_thread::sleep_for(5ms);
                ::pthread_kill(self, SIGUSR1);
            }
            loop.call_soon_threadsafe([&] { left.cancel(); });
        });
        co_await wait(left, right);
        helps.join();
    };
    EXPECT_EQ(deadlock_in_child(main()), "none");
}

TEST(DeadlockBesideIdle, IsCountedAnewInAForkedChild) {
    ThreadPoolExecutor pool(1);
    std::atomic<bool> done = false;
    Job job([&] { done = true; });
    pool.submit(job);
    while (!done) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(20ms);  // until it is idle; in the child there is none
    auto main = []() -> Coro<> {
        Event event;
        EventLoop& loop = get_running_loop();
        std::thread wakes([&] {
            std::this_thread::sleep_for(100ms);
            loop.call_soon_threadsafe([&] { event.set(); });
        });
        co_await event.wait();
        wakes.join();
    };
    EXPECT_EQ(deadlock_in_child(main()), "none");
}

}  // namespace
