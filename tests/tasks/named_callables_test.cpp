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
#include <optional>
#include <string>
#include <string_view>

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

/// Where it gives something of itself, it must not be a copy that is gone when that is looked at.
TEST(NamedCallables, WhatGivesAReferenceOrAViewStaysWhereItIs) {
    run_test([]() -> Coro<> {
        auto body = [text = std::string(100, 'b')]() -> const std::string& { return text; };
        auto view = [text = std::string(100, 'v')]() -> std::string_view { return text; };
        auto handler = [text = std::string(100, 'h')](const ValueError&) -> const std::string& { return text; };
        auto failing = []() -> const std::string& { throw ValueError("x"); };
        const std::string& by_with = co_await with(timeout(1s), body);
        const std::string& by_try_finally = co_await try_finally(body, [] {});
        const std::string& by_try_except = co_await try_except<ValueError>(body, handler);
        const std::string& by_handler = co_await try_except<ValueError>(failing, handler);
        auto perhaps = [text = std::string(100, 'p')]() -> std::optional<std::string_view> { return text; };
        std::string_view viewed = co_await with(timeout(1s), view);
        std::optional<std::string_view> viewed_perhaps = co_await with(timeout(1s), perhaps);
        std::string junk(200, 'z');
        EXPECT_EQ(&by_with, &body());
        EXPECT_EQ(&by_try_finally, &body());
        EXPECT_EQ(&by_try_except, &body());
        EXPECT_EQ(by_handler, std::string(100, 'h'));
        EXPECT_EQ(viewed, std::string(100, 'v'));
        EXPECT_EQ(viewed_perhaps, std::string(100, 'p'));
    });
}

TEST(NamedCallables, SoDoesACoroutineFunctionThatGivesOne) {
    run_test([]() -> Coro<> {
        auto body = [text = std::string(100, 'b')]() -> Coro<const std::string&> {
            co_await sleep(1ms);
            co_return text;
        };
        const std::string& by_try_finally = co_await try_finally(body, [] {});
        const std::string& by_with = co_await with(timeout(1s), body);
        EXPECT_EQ(&by_with, &by_try_finally);
        EXPECT_EQ(by_with, std::string(100, 'b'));
    });
}

struct Animal {
    Animal() = default;
    Animal(const Animal&) = default;
    virtual ~Animal() = default;
    virtual std::string operator()() { return "animal"; }
};
struct Dog : Animal {
    std::string operator()() override { return "dog"; }
};

TEST(NamedCallables, WhatMayBeMoreThanItsClassIsNotCutOff) {
    run_test([]() -> Coro<> {
        Dog dog;
        Animal& animal = dog;
        std::string by_with = co_await with(timeout(1s), animal);
        std::string by_try_finally = co_await try_finally(animal, animal);
        EXPECT_EQ(by_with, "dog");
        EXPECT_EQ(by_try_finally, "dog");
    });
}

struct CopiedOnly {
    CopiedOnly() = default;
    CopiedOnly(const CopiedOnly&) = default;
    CopiedOnly(CopiedOnly&&) = delete;
    int operator()() const { return 7; }
};
struct CopiedInWords : CopiedOnly {
    CopiedInWords() = default;
    explicit CopiedInWords(const CopiedInWords&) {}
};

TEST(NamedCallables, WhatCannotBePassedByValueStaysWhereItIs) {
    run_test([]() -> Coro<> {
        CopiedOnly only;
        CopiedInWords in_words;
        int by_with = co_await with(timeout(1s), only);
        int by_try_finally = co_await try_finally(in_words, only);
        EXPECT_EQ(by_with, 7);
        EXPECT_EQ(by_try_finally, 7);
    });
}

struct Unmoved {
    Unmoved(int number) : value(number) {}  // NOLINT(google-explicit-constructor)
    Unmoved(const Unmoved&) = delete;
    int value;
};

TEST(NamedCallables, ATaskThatIsACleanupKeepsItsValue) {
    run_test([]() -> Coro<> {
        auto text = []() -> Coro<std::string> { co_return std::string(100, 'a'); };
        auto unmoved = []() -> Coro<Unmoved> { co_return 3; };
        Task<std::string> first = create_task(text);
        Task<std::string> second = create_task(text);
        Task<Unmoved> third = create_task(unmoved);
        co_await try_finally(answer(), first);
        co_await with(on_exit(second), answer);
        co_await try_finally(answer(), third);
        EXPECT_EQ(first.result(), std::string(100, 'a'));
        EXPECT_EQ(second.result(), std::string(100, 'a'));
        EXPECT_EQ(third.result().value, 3);
    });
}

}  // namespace
