// Which task has locked a lock: what a finder of deadlocks follows from one waiting task to the next.
#include "sync/sync_support.h"

#include <asyncio/core/as_coroutine.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/sync/condition.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/lock.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using namespace support;

/// "nobody", or the name of the task that has locked it.
std::string owner_of(const Lock& lock) {
    detail::TaskBase* owner = detail::owner_of(lock);
    return owner != nullptr ? owner->name() : "nobody";
}

Coro<> hold(Lock& lock, Event& until) {
    auto guard = co_await lock.guard();
    co_await until.wait();
}

TEST(LockOwner, IsTheTaskThatHasLockedItAndThenTheNextInLine) {
    run_test([]() -> Coro<> {
        Lock lock;
        Event first;
        Event second;
        EXPECT_EQ(owner_of(lock), "nobody");
        Task<> one = create_task(hold(lock, first), {.name = "one"});
        Task<> two = create_task(hold(lock, second), {.name = "two"});
        co_await sleep(0s);
        EXPECT_EQ(owner_of(lock), "one");
        first.set();
        co_await one;
        EXPECT_EQ(owner_of(lock), "two");
        second.set();
        co_await two;
        EXPECT_EQ(owner_of(lock), "nobody");
    });
}

TEST(LockOwner, IsKnownHoweverItWasLocked) {
    run_test([]() -> Coro<> {
        Lock lock;
        Condition condition(lock);
        std::string self = current_task().get_name();
        co_await lock.acquire();
        EXPECT_EQ(owner_of(lock), self);
        lock.release();
        co_await with(lock, [&] { EXPECT_EQ(owner_of(lock), self); });
        auto acquire = lock.acquire();
        co_await acquire;
        EXPECT_EQ(owner_of(lock), self);
        Task<> waits = create_task(
            [&]() -> Coro<> {
                auto guard = co_await condition.guard();
                co_await condition.wait();
                EXPECT_EQ(owner_of(lock), "waits");
            },
            {.name = "waits"});
        lock.release();
        co_await sleep(0s);
        EXPECT_EQ(owner_of(lock), "nobody");
        co_await with(condition, [&] { condition.notify(); });
        co_await waits;
        Coro<bool> in_child = as_coroutine(lock.acquire());
        co_await std::move(in_child);
        EXPECT_EQ(owner_of(lock), self);
    });
}

TEST(LockOwner, IsNobodyWhenTheTaskThatHasLockedItIsOver) {
    run_test([]() -> Coro<> {
        Lock lock;
        for (const char* name : {"", "named"}) {
            auto lock_it = [&]() -> Coro<> { co_await lock.acquire(); };
            // The same address again and again: no later task may be taken for the one that is gone.
            TaskOptions options{.name = *name != 0 ? std::string_view(name) : std::string_view()};
            co_await create_task(lock_it, options);
            EXPECT_TRUE(lock.locked());
            EXPECT_EQ(owner_of(lock), "nobody");
            Event never;
            Task<> later = create_task([&]() -> Coro<> { co_await never.wait(); },
                                       {.name = *name != 0 ? std::string_view(name) : std::string_view()});
            co_await sleep(0s);
            EXPECT_EQ(owner_of(lock), "nobody");
            never.set();
            co_await later;
            lock.release();
        }
    });
}

TEST(LockOwner, IsTheSameTaskUnderANewName) {
    run_test([]() -> Coro<> {
        Lock lock;
        Event end;
        Task<> task = create_task(hold(lock, end));
        co_await sleep(0s);
        task.set_name("first");
        EXPECT_EQ(owner_of(lock), "first");
        task.set_name("second");
        EXPECT_EQ(owner_of(lock), "second");
        end.set();
        co_await task;
    });
}

}  // namespace
