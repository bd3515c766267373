// What the arguments of a coroutine function are converted to lives as long as the coroutine, however it is called.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/run_coroutine_threadsafe.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace asyncio;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

constexpr const char* literal = "a text that is too long to be kept without the heap";

Coro<std::string> refers(const std::string& text) {
    co_await sleep(0);
    co_return text;
}
struct Object {
    Coro<std::string> method(const std::string& text, int times) {
        co_await sleep(0);
        co_return own + text + std::to_string(times);
    }
    std::string own = "own ";
};
struct Overloaded {
    Coro<std::string> operator()(const std::string& text) const { return refers(text); }
    Coro<std::string> operator()(int) const { co_return "a number"; }
};

TEST(CallableArguments, OfAKnownSignatureAreKeptAsTheParametersWantThem) {
    run_test([]() -> Coro<> {
        std::string text = co_await create_task(refers, literal);
        EXPECT_EQ(text, literal);
        std::function<Coro<std::string>(const std::string&)> function = refers;
        text = co_await create_task(function, literal);
        EXPECT_EQ(text, literal);
        text = co_await create_task(std::ref(refers), literal);
        EXPECT_EQ(text, literal);
        auto with_more = [](const std::string& first, const std::string&, int times = 3) -> Coro<std::string> {
            co_await sleep(0);
            co_return first + std::to_string(times);
        };
        text = co_await create_task(with_more, literal, literal);
        EXPECT_EQ(text, std::string(literal).append("3"));
    });
}

TEST(CallableArguments, OfWhatIsBoundInFrontAreKeptAsTheRestOfItsParametersWantsThem) {
    run_test([]() -> Coro<> {
        auto object = std::make_shared<Object>();
        std::string text = co_await create_task(std::bind_front(&Object::method, object), literal, 2);
        EXPECT_EQ(text, std::string("own ") + literal + "2");
        text = co_await create_task(std::bind_front(&Object::method, object, std::string("x")), 2);
        EXPECT_EQ(text, "own x2");
        text = co_await create_task(std::bind_front(refers), literal);
        EXPECT_EQ(text, literal);
    });
}

TEST(CallableArguments, OfAnOverloadedFunctionAreHeldInTheCall) {
    run_test([]() -> Coro<> {
        std::string text = co_await create_task(Overloaded(), literal);
        EXPECT_EQ(text, literal);
        text = co_await create_task(Overloaded(), 5);
        EXPECT_EQ(text, "a number");
        text = co_await run_coroutine_threadsafe(Overloaded(), get_running_loop(), literal);
        EXPECT_EQ(text, literal);
        Task<std::string> task;
        co_await with(TaskGroup(), [&](TaskGroup& group) { task = group.create_task(Overloaded(), literal); });
        EXPECT_EQ(task.result(), literal);
    });
}

/// Notes how many of them there are.
class Counted {
public:
    explicit Counted(int& alive) : alive_(&alive) { ++alive; }
    Counted(const Counted& other) : alive_(other.alive_) { ++*alive_; }
    ~Counted() { --*alive_; }

private:
    int* alive_;
};
struct MakesCounted {
    MakesCounted(const char*) : counted(total) {}
    static inline int total = 0;
    Counted counted;
};
struct OverloadedForObjects {
    Coro<> operator()(const MakesCounted&) const {
        co_await sleep(0);
        EXPECT_EQ(MakesCounted::total, 1);
    }
    Coro<> operator()(int) const { co_return; }
};

TEST(CallableArguments, HeldInTheCallGoWithTheCoroutine) {
    run_test([]() -> Coro<> {
        Task<> task = create_task(OverloadedForObjects(), literal);
        EXPECT_EQ(MakesCounted::total, 1);
        co_await task;
        EXPECT_EQ(MakesCounted::total, 0);
        Task<> cancelled = create_task(OverloadedForObjects(), literal);
        cancelled.cancel();
        co_await sleep(0);
        EXPECT_TRUE(cancelled.cancelled());
        EXPECT_EQ(MakesCounted::total, 0);
    });
}

struct ThrowsWhenCalled {
    Coro<> operator()(const std::string&) const { throw ValueError("called"); }
    Coro<> operator()(int) const { co_return; }
};

TEST(CallableArguments, WhatTheCallThrowsIsThrownToWhoMakesTheTask) {
    run_test([]() -> Coro<> {
        EXPECT_EQ(support::outcome([] { return create_task(ThrowsWhenCalled(), literal); }), "ValueError('called')");
        co_return;
    });
}

// g++ 12 asked a generic lambda whether it can be called with nothing, and compiled it to find that out.
TEST(CallableArguments, OfAGenericLambdaAreTakenAsTheyAre) {
    run_test([]() -> Coro<> {
        auto generic = [](const auto& text, auto number) -> Coro<std::string> {
            co_await sleep(0);
            co_return std::string(text) + std::to_string(number);
        };
        std::string text = co_await create_task(generic, std::string("x"), 1);
        EXPECT_EQ(text, "x1");
        auto forwards = [](auto&&... values) { return refers(std::forward<decltype(values)>(values)...); };
        text = co_await create_task(forwards, std::string(literal));
        EXPECT_EQ(text, literal);
    });
}

struct Options {
    std::string text;
};

// g++ 12 destroys such a default argument twice where it holds what a call makes.
TEST(CallableArguments, OfAGenericLambdaWithAnAggregateForADefaultAreNotHeld) {
    run_test([]() -> Coro<> {
        auto generic = [](auto number, Options options = {literal}) -> Coro<std::string> {
            co_await sleep(0);
            co_return options.text + std::to_string(number);
        };
        std::string text = co_await create_task(generic, 7);
        std::string expected = literal;
        expected += '7';  // g++ 12 warns of what it makes of string + "7" here
        EXPECT_EQ(text, expected);
    });
}

// Python: create_task(f(x), name=...), loop.call_soon(f, x, context=...).
TEST(CallableArguments, MayBeFollowedByOptions) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto add = [](int a, int b, int c) -> Coro<int> { co_return a + b + c; };
        auto one = [](int a) -> Coro<int> { co_return a; };
        Task<int> free_one = create_task(one, 1, {.name = "one"});
        Task<int> free_three = create_task(add, 1, 2, 3, {.name = "three"});
        Task<int> of_loop = loop.create_task(one, 4, {.name = "loop", .eager_start = true});
        EXPECT_TRUE(of_loop.done());
        EXPECT_EQ(free_one.get_name() + free_three.get_name() + of_loop.get_name(), "onethreeloop");
        co_await with(TaskGroup{}, [&](TaskGroup& group) {
            EXPECT_EQ(group.create_task(one, 1, {.name = "member"}).get_name(), "member");
        });
        int sum = co_await free_three;
        EXPECT_EQ(sum, 6);
    });
}

TEST(CallableArguments, UpToSixMayBeFollowedByOptions) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto four = [](int a, int b, int c, int d) -> Coro<int> { co_return a + b + c + d; };
        auto five = [](int a, int b, int c, int d, int e) -> Coro<int> { co_return a + b + c + d + e; };
        auto six = [](int a, int b, int c, int d, int e, std::string f) -> Coro<int> {
            co_return a + b + c + d + e + static_cast<int>(f.size());
        };
        std::string names;
        int sum = 0;
        auto note = [&](Task<int> task) -> Coro<> {
            names += task.get_name();
            int result = co_await task;
            sum += result;
        };
        co_await note(create_task(four, 1, 2, 3, 4, {.name = "a"}));
        co_await note(create_task(five, 1, 2, 3, 4, 5, {.name = "b"}));
        co_await note(create_task(six, 1, 2, 3, 4, 5, "123456", {.name = "c"}));
        co_await note(loop.create_task(four, 1, 2, 3, 4, {.name = "d"}));
        co_await note(loop.create_task(five, 1, 2, 3, 4, 5, {.name = "e"}));
        co_await note(loop.create_task(six, 1, 2, 3, 4, 5, "123456", {.name = "f"}));
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            co_await note(group.create_task(four, 1, 2, 3, 4, {.name = "g"}));
            co_await note(group.create_task(five, 1, 2, 3, 4, 5, {.name = "h"}));
            co_await note(group.create_task(six, 1, 2, 3, 4, 5, "123456", {.name = "i"}));
        });
        EXPECT_EQ(names, "abcdefghi");
        EXPECT_EQ(sum, 3 * (10 + 15 + 21));
    });
}

ContextVar<int> variable("variable", 0);

TEST(CallableArguments, OfACallbackMayBeFollowedByOptions) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Context context = copy_context();
        context.run([] { variable.set(1); });
        int seen = 0;
        auto look = [&](int times) { seen += times * variable.get(); };
        loop.call_soon(look, 1, {.context = context});
        loop.call_soon_threadsafe(look, 10, {.context = context});
        loop.call_later(Seconds(0), look, 100, {.context = context});
        loop.call_at(loop.time(), [&](int a, int b) { seen += a * b * variable.get(); }, 10, 100, {.context = context});
        loop.call_soon(look, 10'000);
        co_await sleep(0.01);
        EXPECT_EQ(seen, 1'111);
    });
}

TEST(CallableArguments, OptionsBehindThemAreTheTasksAlsoIfTheFunctionCouldTakeThem) {
    auto names = [](int, TaskOptions own = {}) -> Coro<std::string> {
        std::string given(own.name);
        co_return current_task().get_name() + " " + given;
    };
    run_test([&]() -> Coro<> {
        const TaskOptions task{.name = "task"};
        const TaskOptions own{.name = "own"};
        auto expect = [](const char* text, Task<std::string> of) -> Coro<> {
            std::string result = co_await of;
            EXPECT_EQ(result, text);
        };
        EventLoop& loop = get_running_loop();
        co_await expect("task ", create_task(names, 1, task));
        co_await expect("task ", create_task(names, 1, {.name = "task"}));
        co_await expect("task own", create_task(names, 1, own, task));
        co_await expect("task ", loop.create_task(names, 1, task));
        co_await expect("task own", loop.create_task(names, 1, own, task));
        co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
            co_await expect("task ", group.create_task(names, 1, task));
            co_await expect("task own", group.create_task(names, 1, own, task));
        });
    });
}

TEST(CallableArguments, OptionsThatACallbackTakesBehindThemAreItsOwn) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Context context = copy_context();
        context.run([] { variable.set(1); });
        const CallbackOptions options{.context = context};
        std::string seen;
        auto see = [&](int, CallbackOptions own) {
            seen += (own.context ? "own " : "no ") + repr(variable.get()) + "|";
        };
        loop.call_soon(see, 1, options);
        loop.call_soon(see, 1, options, options);
        loop.call_soon_threadsafe(see, 1, options);
        loop.call_later(Seconds(0), see, 1, options, options);
        loop.call_at(loop.time(), see, 1, options);
        co_await asyncio::sleep(1);
        EXPECT_EQ(seen, "own 0|own 1|own 0|own 1|own 0|");
    });
}

TEST(CallableArguments, UpToSixOfACallbackMayBeFollowedByOptions) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Context context = copy_context();
        context.run([] { variable.set(1); });
        const CallbackOptions options{.context = context};
        int seen = 0;
        int calls = 0;
        auto sum = [&](auto... numbers) {
            seen += (numbers + ...) * variable.get();
            ++calls;
        };
        auto three = [&](int a, int b, int c) { sum(a, b, c); };
        auto four = [&](int a, int b, int c, int d) { sum(a, b, c, d); };
        auto five = [&](int a, int b, int c, int d, int e) { sum(a, b, c, d, e); };
        auto six = [&](int a, int b, int c, int d, int e, int f) { sum(a, b, c, d, e, f); };
        loop.call_soon(three, 1, 2, 3, {.context = context});
        loop.call_soon(four, 1, 2, 3, 4, {.context = context});
        loop.call_soon(five, 1, 2, 3, 4, 5, {.context = context});
        loop.call_soon(six, 1, 2, 3, 4, 5, 6, {.context = context});
        loop.call_soon_threadsafe(three, 1, 2, 3, options);
        loop.call_soon_threadsafe(four, 1, 2, 3, 4, options);
        loop.call_soon_threadsafe(five, 1, 2, 3, 4, 5, options);
        loop.call_soon_threadsafe(six, 1, 2, 3, 4, 5, 6, options);
        loop.call_later(Seconds(0), three, 1, 2, 3, options);
        loop.call_later(Seconds(0), four, 1, 2, 3, 4, options);
        loop.call_later(Seconds(0), five, 1, 2, 3, 4, 5, options);
        loop.call_later(Seconds(0), six, 1, 2, 3, 4, 5, 6, {.context = context});
        loop.call_at(loop.time(), three, 1, 2, 3, options);
        loop.call_at(loop.time(), four, 1, 2, 3, 4, options);
        loop.call_at(loop.time(), five, 1, 2, 3, 4, 5, options);
        loop.call_at(loop.time(), six, 1, 2, 3, 4, 5, 6, {.context = context});
        loop.call_soon(six, 1, 2, 3, 4, 5, 6);  // its context has another value
        co_await sleep(0.01);
        EXPECT_EQ(seen, 4 * (6 + 10 + 15 + 21));
        EXPECT_EQ(calls, 17);
    });
}

}  // namespace
