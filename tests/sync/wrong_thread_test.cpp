// In debug mode what belongs to a loop finds out that it is used in a thread that is not its loop's. Not for TSan: what
// is refused was looked at before, and stop() is only told of.
#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::outcome;

namespace {

/// What each use gave that did not throw as it should.
class Uses {
public:
    template <class Use>
    void operator()(const char* name, Use use) {
        std::string told = outcome([&] { return use(), 0; });
        if (told != "RuntimeError('Non-thread-safe operation invoked on an event loop other than the current one')") {
            passed.push_back(std::string(name) + ": " + told);
        }
    }
    std::vector<std::string> passed;
};
using Names = std::vector<std::string>;

Coro<> wait_for_release(Semaphore& semaphore) { co_await semaphore.acquire(); }
Coro<> wait_for_set(Event& event) { co_await event.wait(); }
Coro<> wait_for_lock(Lock& lock) {
    co_await lock.acquire();
    lock.release();
}

TEST(WrongPlace, InDebugModeALoopsFunctionsAndHandlesThrowThere) {
    auto body = []() -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimerHandle later = loop.call_later(60, [] {});
        Future<int> future = loop.create_future<int>();
        Task<> task = create_task([]() -> Coro<> { co_await asyncio::sleep(60); });
        Uses uses;
        auto use = [&] {
            uses("call_soon", [&] { loop.call_soon([] {}); });
            uses("call_later", [&] { loop.call_later(1, [] {}); });
            uses("call_at", [&] { loop.call_at(TimePoint(), [] {}); });
            uses("TimerHandle.cancel", [&] { later.cancel(); });
            uses("add_done_callback", [&] { future.add_done_callback([](auto&&) {}); });
            uses("set_result", [&] { future.set_result(1); });
            uses("set_exception", [&] { future.set_exception(ValueError("x")); });
            uses("Future.cancel", [&] { future.cancel(); });
            uses("Task.cancel", [&] { task.cancel(); });
            uses("create_task", [&] { loop.create_task([]() -> Coro<> { co_return; }()); });
            uses("all_tasks", [&] { all_tasks(loop); });
        };
        co_await to_thread(use);
        EXPECT_EQ(uses.passed, Names());
        EXPECT_FALSE(later.cancelled());
        EXPECT_FALSE(future.done());
        later.cancel();
        task.cancel();
        co_await asyncio::wait(task);
    };
    run(body(), {.debug = true});
}

TEST(WrongPlace, InDebugModePrimitivesThatAreTheLoopsThrowThereAndDoNotChange) {
    auto body = []() -> Coro<> {
        Semaphore semaphore(0);
        Event event;
        Lock lock;
        co_await lock.acquire();
        Task<> acquires = create_task(wait_for_release(semaphore));
        Task<> waits = create_task(wait_for_set(event));
        Task<> locks = create_task(wait_for_lock(lock));
        co_await asyncio::sleep(0);
        Uses uses;
        auto use = [&] {
            uses("Semaphore.release", [&] { semaphore.release(); });
            uses("Event.set", [&] { event.set(); });
            uses("Lock.release", [&] { lock.release(); });
        };
        co_await to_thread(use);
        EXPECT_FALSE(event.is_set());
        EXPECT_TRUE(lock.locked());
        semaphore.release();
        event.set();
        lock.release();
        co_await gather(acquires, waits, locks);
        EXPECT_TRUE(semaphore.locked());
        event.clear();
        co_await lock.acquire();
        co_await to_thread(use);  // nobody waits now
        EXPECT_EQ(uses.passed, Names());
        EXPECT_TRUE(semaphore.locked());
        EXPECT_FALSE(event.is_set());
        EXPECT_TRUE(lock.locked());
        lock.release();
    };
    run(body(), {.debug = true});
}

std::string told;

// It has to work in destructors, so it cannot throw.
TEST(WrongPlace, InDebugModeStopIsLoggedThere) {
    LogHandler before = set_log_handler([](LogLevel, std::string_view message) { told += message; });
    auto body = []() -> Coro<> {
        co_await to_thread([&loop = get_running_loop()] { loop.stop(); });
        EXPECT_TRUE(told.starts_with("Non-thread-safe operation: stop()")) << told;
    };
    try {
        run(body(), {.debug = true});
    } catch (const RuntimeError&) {  // it was stopped before its future was done, perhaps
    }
    set_log_handler(before);
    EXPECT_FALSE(told.empty());
}

}  // namespace
