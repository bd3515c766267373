// What has a name and is called by a task may be gone when it is: AddressSanitizer sees what refers to it still.

#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/sync/lock.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/try_finally.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

/// What a callable captures; `seen` counts its letters each time that it is looked at.
struct Witness {
    std::string text = std::string(100, 'y');
    int* seen;
};
using Captured = std::shared_ptr<Witness>;

Captured capture(int& seen) { return std::make_shared<Witness>(Witness{.seen = &seen}); }
void see(const Captured& captured) { *captured->seen += static_cast<int>(captured->text.size()); }

Coro<int> answer() {
    co_await sleep(1ms);
    co_return 42;
}
Coro<int> fail() {
    co_await sleep(1ms);
    throw ValueError("x");
}

/// Awaits the task that `make` left alone, and expects that nothing of the captured is left.
template <class Make>
int result_of(Make make) {
    int result = 0;
    int seen = 0;
    std::weak_ptr<Witness> left;
    run_test([&]() -> Coro<> {
        Task<int> task = make(seen, left);
        std::string junk(200, 'z');
        result = co_await task;
    });
    EXPECT_TRUE(left.expired());
    return result + seen;
}

TEST(NamedCallables, TheBodyOfWithIsCopied) {
    int result = result_of([](int& seen, std::weak_ptr<Witness>& left) {
        Captured captured = capture(seen);
        left = captured;
        auto body = [captured](Timeout&) -> Coro<int> {
            co_await sleep(1ms);
            see(captured);
            co_return 1;
        };
        return create_task(with(timeout(1s), body));
    });
    EXPECT_EQ(result, 101);
}

TEST(NamedCallables, SoIsTheBodyOfAGroup) {
    int result = result_of([](int& seen, std::weak_ptr<Witness>& left) {
        Captured captured = capture(seen);
        left = captured;
        const auto body = [captured](TaskGroup& group) -> Coro<int> {
            group.create_task(answer());
            co_await sleep(1ms);
            see(captured);
            co_return 1;
        };
        return create_task(with(TaskGroup{}, body));
    });
    EXPECT_EQ(result, 101);
}

TEST(NamedCallables, SoIsTheCleanupOfTryFinally) {
    int result = result_of([](int& seen, std::weak_ptr<Witness>& left) {
        Captured captured = capture(seen);
        left = captured;
        auto cleanup = [captured] { see(captured); };
        return create_task(try_finally(answer(), cleanup));
    });
    EXPECT_EQ(result, 142);
}

TEST(NamedCallables, SoIsItsBody) {
    int result = result_of([](int& seen, std::weak_ptr<Witness>& left) {
        Captured captured = capture(seen);
        left = captured;
        auto body = [captured]() -> Coro<int> {
            co_await sleep(1ms);
            see(captured);
            co_return 1;
        };
        auto cleanup = [captured]() -> Coro<> {
            co_await sleep(1ms);
            see(captured);
        };
        return create_task(try_finally(body, cleanup));
    });
    EXPECT_EQ(result, 201);
}

TEST(NamedCallables, SoAreBodyAndHandlerOfTryExcept) {
    int result = result_of([](int& seen, std::weak_ptr<Witness>& left) {
        Captured captured = capture(seen);
        left = captured;
        auto body = [captured]() -> Coro<int> {
            see(captured);
            co_return co_await fail();
        };
        auto handler = [captured](const ValueError&) -> Coro<int> {
            co_await sleep(1ms);
            see(captured);
            co_return 2;
        };
        return create_task(try_except<ValueError>(body, handler));
    });
    EXPECT_EQ(result, 202);
}

TEST(NamedCallables, SoIsWhatOnExitCalls) {
    int result = result_of([](int& seen, std::weak_ptr<Witness>& left) {
        Captured captured = capture(seen);
        left = captured;
        auto cleanup = [captured]() -> Coro<> {
            co_await sleep(1ms);
            see(captured);
        };
        return create_task(with(on_exit(cleanup), answer));
    });
    EXPECT_EQ(result, 142);
}

TEST(NamedCallables, ATaskThatIsABodyKeepsItsValue) {
    run_test([]() -> Coro<> {
        Task<int> task = create_task(answer());
        int value = co_await try_finally(task, [] {});
        EXPECT_EQ(value, 42);
        value = co_await task;
        EXPECT_EQ(value, 42);
    });
}

TEST(NamedCallables, AManagerStaysWhereItIs) {
    run_test([]() -> Coro<> {
        Lock lock;
        auto body = [&lock] { return lock.locked(); };
        bool was_locked = co_await with(lock, body);
        EXPECT_TRUE(was_locked);
        EXPECT_FALSE(lock.locked());
    });
}

TEST(NamedCallables, WhatCannotBeCopiedAndWhatIsGivenByRefStayWhereTheyAre) {
    run_test([]() -> Coro<> {
        auto owner = [calls = std::make_unique<int>(0)] { return ++*calls; };
        int by_with = co_await with(timeout(1s), owner);
        int by_try_finally = co_await try_finally(owner, owner);
        EXPECT_EQ(by_with, 1);
        EXPECT_EQ(by_try_finally, 2);
        EXPECT_EQ(owner(), 4);

        auto counter = [calls = 0]() mutable { return ++calls; };
        int by_reference = co_await with(timeout(1s), std::ref(counter));
        int by_copy = co_await with(timeout(1s), counter);
        EXPECT_EQ(by_reference, 1);
        EXPECT_EQ(by_copy, 2);
        EXPECT_EQ(counter(), 2);
    });
}

}  // namespace
