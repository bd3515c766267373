#include "support/run_test.h"

#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

using asyncio::Coro;

// What a user's program may be made of.
namespace shop {

using Work = std::pair<std::vector<asyncio::StackEntry>, int>;

Work here(std::source_location where = std::source_location::current()) {
    return {asyncio::current_task().get_stack(), static_cast<int>(where.line())};
}

namespace deep {
Coro<Work> fetch(int, void (*)(int)) noexcept { co_return here(); }
}  // namespace deep

namespace {
Coro<Work> hidden(const std::vector<std::pair<int, std::string>>&) { co_return here(); }
}  // namespace

template <class T>
Coro<Work> generic(T) {
    co_return here();
}
template <int number, class... Rest>
Coro<Work> of_number(Rest...) {
    co_return here();
}

class Cart {
public:
    Coro<Work> pay(std::function<int(int)>) { co_return here(); }
    Coro<Work> look() const { co_return here(); }
    Coro<Work> leave() && { co_return here(); }
    static Coro<Work> open(int) { co_return here(); }
    template <class T>
    Coro<Work> add(T) {
        co_return here();
    }
    Coro<Work> with_lambda() {
        auto inside = [](int) -> Coro<Work> { co_return here(); };
        co_return co_await inside(1);
    }
};

/// Lambdas made where their function has parameters, qualifiers or template parameters.
struct Maker {
    auto in_const(int, std::vector<int>) const {
        return [](std::string) -> Coro<Work> { co_return here(); };
    }
    template <class T>
    static auto in_template(T) {
        return []() -> Coro<Work> { co_return here(); };
    }
    auto in_lambda() const& {
        return [](int) { return [](int) -> Coro<Work> { co_return here(); }; };
    }
};

template <class T>
struct Box {
    Coro<Work> unpack() { co_return here(); }
};

struct Functor {
    Coro<Work> operator()(int) const { co_return here(); }
};

Coro<Work> with_generic_lambda() {
    auto inside = [](auto value) -> Coro<Work> {
        static_cast<void>(value);
        co_return here();
    };
    co_return co_await inside(1);
}

}  // namespace shop

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>
using Names = std::vector<std::string>;

Names names_of(const std::vector<StackEntry>& stack) {
    Names names;
    for (const StackEntry& entry : stack) names.push_back(entry.function);
    return names;
}
std::vector<int> lines_of(const std::vector<StackEntry>& stack) {
    std::vector<int> lines;
    for (const StackEntry& entry : stack) lines.push_back(entry.line);
    return lines;
}

/// The name under which a running coroutine appears; all others of its stack, too, if it is not the task's own.
std::string name_of(Coro<shop::Work> coro) {
    auto stack = run(std::move(coro), {.clock = VirtualClock{}}).first;
    return stack.back().function;
}

TEST(StackNames, AreThoseThatAUserWrote) {
    EXPECT_EQ(name_of(shop::deep::fetch(1, nullptr)), "shop::deep::fetch");
    std::vector<std::pair<int, std::string>> pairs;
    EXPECT_EQ(name_of(shop::hidden(pairs)), "shop::hidden");
    EXPECT_EQ(name_of(shop::generic(1)), "shop::generic");
    EXPECT_EQ(name_of(shop::generic(std::vector<std::string>())), "shop::generic");
    std::string of_number = name_of(shop::of_number<3>(1, 'c'));
    EXPECT_EQ(of_number, "shop::of_number");
    shop::Cart cart;
    EXPECT_EQ(name_of(cart.pay({})), "shop::Cart::pay");
    EXPECT_EQ(name_of(cart.look()), "shop::Cart::look");
    EXPECT_EQ(name_of(std::move(cart).leave()), "shop::Cart::leave");
    EXPECT_EQ(name_of(shop::Cart::open(1)), "shop::Cart::open");
    EXPECT_EQ(name_of(cart.add(1.5)), "shop::Cart::add");
    EXPECT_EQ(name_of(cart.with_lambda()), "shop::Cart::with_lambda::<lambda>");
    EXPECT_EQ(name_of(shop::with_generic_lambda()), "shop::with_generic_lambda::<lambda>");
    shop::Maker maker;
    auto in_const = maker.in_const(1, {});
    EXPECT_EQ(name_of(in_const("")), "shop::Maker::in_const::<lambda>");
    auto in_template = shop::Maker::in_template(1);
    std::string of_template = name_of(in_template());  // clang: without <int>
    EXPECT_TRUE(of_template == "shop::Maker::in_template<int>::<lambda>" ||
                of_template == "shop::Maker::in_template::<lambda>")
        << of_template;
    auto in_lambda = maker.in_lambda()(1);
    EXPECT_EQ(name_of(in_lambda(1)), "shop::Maker::in_lambda::<lambda>::<lambda>");
    shop::Functor functor;
    EXPECT_EQ(name_of(functor(1)), "shop::Functor");
    shop::Box<int> box;
    std::string of_box = name_of(box.unpack());
    EXPECT_TRUE(of_box == "shop::Box<T>::unpack" || of_box == "shop::Box<int>::unpack") << of_box;
}

// A task of three frames, with the lines of its awaits.
int leaf_line, middle_line, top_line;

Coro<> leaf(Future<> future) {
    leaf_line = __LINE__ + 1;
    co_await future;
}
Coro<> middle(Future<> future) {
    co_await sleep(0);
    middle_line = __LINE__ + 1;
    co_await leaf(future);
}
Coro<> top(Future<> future) {
    top_line = __LINE__ + 1;
    co_await middle(future);
    co_await sleep(0);
}

TEST(Stack, OfASuspendedTaskHasAllFramesOldestFirst) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future();
        auto task = create_task(top(future));
        co_await sleep(0);
        co_await sleep(0);
        auto stack = task.get_stack();
        EXPECT_EQ(names_of(stack), (Names{"top", "middle", "leaf"}));
        EXPECT_EQ(lines_of(stack), (std::vector<int>{top_line, middle_line, leaf_line}));
        for (const StackEntry& entry : stack) {
            EXPECT_NE(entry.file.find("stack_test.cpp"), std::string::npos);
        }
        // A limit keeps the newest.
        EXPECT_EQ(names_of(task.get_stack(2)), (Names{"middle", "leaf"}));
        EXPECT_EQ(names_of(task.get_stack(1)), Names{"leaf"});
        EXPECT_EQ(names_of(task.get_stack(7)).size(), 3U);
        EXPECT_TRUE(task.get_stack(0).empty());
        EXPECT_TRUE(task.get_stack(-1).empty());
        EXPECT_EQ(names_of(AnyTask(task).get_stack()), names_of(stack));
        future.set_result();
        co_await task;
        EXPECT_TRUE(task.get_stack().empty());
    });
}

TEST(Stack, OfAFailedTaskHasTheFramesOfItsException) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future();
        auto task = create_task(top(future));
        co_await sleep(0);
        co_await sleep(0);
        future.set_exception(ValueError("x"));
        std::string end;
        try {
            co_await task;
        } catch (const ValueError&) {
            end = caught();
        }
        EXPECT_EQ(end, "ValueError('x')");
        auto stack = task.get_stack();
        EXPECT_EQ(names_of(stack), (Names{"top", "middle", "leaf"}));
        EXPECT_EQ(lines_of(stack), (std::vector<int>{top_line, middle_line, leaf_line}));
        // A limit keeps the oldest.
        EXPECT_EQ(names_of(task.get_stack(2)), (Names{"top", "middle"}));
        EXPECT_TRUE(task.get_stack(0).empty());
    });
}

TEST(Stack, OfATaskThatFailedOnAnotherExceptionThanItCaughtHasThatOnes) {
    run_test([]() -> Coro<> {
        auto fail = [](int number) -> Coro<> {
            throw ValueError(std::to_string(number));
            co_return;
        };
        auto body = [&]() -> Coro<> {
            bool failed = false;
            try {
                co_await fail(1);
            } catch (const ValueError&) {
                failed = true;
            }
            if (failed) throw ValueError("2");
        };
        auto task = create_task(body());
        co_await sleep(0);
        EXPECT_EQ(repr(task.exception()), "ValueError('2')");
        EXPECT_EQ(task.get_stack().size(), 1U);
    });
}

TEST(Stack, OfACancelledTaskIsEmpty) {
    run_test([]() -> Coro<> {
        auto task = create_task(top(get_running_loop().create_future()));
        co_await sleep(0);
        task.cancel();
        co_await sleep(0);
        EXPECT_TRUE(task.cancelled());
        EXPECT_TRUE(task.get_stack().empty());
    });
}

Coro<int> unstarted() { co_return 1; }  // a stack's line before the first step

TEST(Stack, OfATaskThatHasNotBegunIsItsFunction) {
    run_test([]() -> Coro<> {
        auto task = create_task(unstarted());
        auto stack = task.get_stack();
        EXPECT_EQ(names_of(stack), Names{"unstarted"});
        EXPECT_FALSE(stack.at(0).has_awaited);
        EXPECT_TRUE(format_stack(stack).ends_with(", in unstarted (before its first await)\n")) << format_stack(stack);
        EXPECT_TRUE(task.get_coro());
        EXPECT_FALSE(task.get_coro().is_suspended());
        co_await task;
    });
}

Coro<> look_at_oneself(int& line, std::vector<StackEntry>& stack) {
    line = __LINE__ + 1;
    co_await sleep(0);
    stack = current_task().get_stack();
    EXPECT_TRUE(current_task().get_coro().is_running());
    EXPECT_FALSE(current_task().get_coro().is_suspended());
}
Coro<> look_from_above(int& line, std::vector<StackEntry>& stack) { co_await look_at_oneself(line, stack); }

TEST(Stack, OfTheRunningTaskReachesTheRunningFrame) {
    run_test([]() -> Coro<> {
        int line = 0;
        std::vector<StackEntry> stack;
        auto task = create_task(look_from_above(line, stack));
        co_await task;
        EXPECT_EQ(names_of(stack), (Names{"look_from_above", "look_at_oneself"}));
        EXPECT_EQ(stack.at(1).line, line);
    });
}

// CPython: what Task.print_stack() prints, test_tasks.py of earlier versions
std::string printed(const AnyTask& task, std::optional<int> limit = std::nullopt) {
    char* data = nullptr;
    std::size_t size = 0;
    std::FILE* file = open_memstream(&data, &size);
    task.print_stack(limit, file);
    std::fclose(file);
    std::string text(data, size);
    std::free(data);
    return text;
}

TEST(Stack, IsPrintedAsPythonDoes) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future();
        auto task = create_task(top(future), {.name = "mine"});
        co_await sleep(0);
        co_await sleep(0);
        std::string file = std::source_location::current().file_name();
        auto entry = [&](int line, const char* function, const char* source) {
            return "  File \"" + file + "\", line " + std::to_string(line) + ", in " + function + "\n    " + source +
                   "\n";
        };
        std::string text = printed(task);
        EXPECT_EQ(text.find("Stack for <Task pending name='mine' coro=<top() running at "), 0U) << text;
        std::string frames = entry(top_line, "top", "co_await middle(future);") +
                             entry(middle_line, "middle", "co_await leaf(future);") +
                             entry(leaf_line, "leaf", "co_await future;");
        std::string head = " (most recent call last):\n";
        EXPECT_EQ(text.substr(text.find(head) + head.size()), frames);
        EXPECT_EQ(printed(task, 1).substr(printed(task, 1).find(head) + head.size()),
                  entry(leaf_line, "leaf", "co_await future;"));
        future.set_exception(ValueError("x"));
        co_await sleep(0);
        co_await sleep(0);
        text = printed(task);
        EXPECT_EQ(text.find("Traceback for <Task finished name='mine' coro=<top() done, defined at "), 0U) << text;
        EXPECT_EQ(text.substr(text.find(head) + head.size()), frames + "ValueError: x\n");
        EXPECT_NE(task.exception(), nullptr);
        auto done = create_task(unstarted());
        co_await done;
        EXPECT_EQ(printed(done), "No stack for " + repr(done) + "\n");
    });
}

Coro<> throws_at_once(bool does) {
    if (does) throw ValueError("at once");
    co_await sleep(0);
}
Coro<> calls_what_throws() { co_await throws_at_once(true); }

TEST(Stack, OfWhatThrewBeforeItsFirstAwaitShowsNoLineThatDidNotThrow) {
    run_test([]() -> Coro<> {
        auto task = create_task(calls_what_throws());
        co_await sleep(0);
        std::string text = printed(task);
        EXPECT_NE(
            text.find(", in calls_what_throws\n    Coro<> calls_what_throws() { co_await throws_at_once(true); }\n"),
            std::string::npos)
            << text;
        EXPECT_TRUE(text.ends_with(", in throws_at_once (before its first await)\nValueError: at once\n")) << text;
    });
}

// A pending task that dies with its loop, and an exception that nobody reads

TEST(Stack, IsReportedForATaskDestroyedPending) {
    Reports reports;
    {
        EventLoop loop;
        reports.listen(loop);
        auto future = loop.create_future();
        auto task = loop.create_task(top(future), {.name = "left behind"});
        for (int i = 0; i < 3; ++i) {
            loop.stop();
            loop.run_forever();
        }
        loop.create_task(unstarted());
    }
    EXPECT_EQ(reports.messages, Names(2, "Task was destroyed but it is pending!"));
    ASSERT_EQ(reports.stacks.size(), 2U);
    EXPECT_EQ(names_of(reports.stacks.at(0)), (Names{"top", "middle", "leaf"}));
    EXPECT_EQ(names_of(reports.stacks.at(1)), Names{"unstarted"});
    EXPECT_EQ(reports.contexts.at(0).task.get_name(), "left behind");
    EXPECT_EQ(reports.exceptions.at(0), "None");
    EXPECT_FALSE(reports.contexts.at(0).task.done());
}

TEST(Stack, IsReportedForAnExceptionThatNobodyReads) {
    Reports reports;
    run_test([&]() -> Coro<> {
        reports.listen(get_running_loop());
        auto future = get_running_loop().create_future();
        create_task(top(future), {.name = "failing"});
        co_await sleep(0);
        co_await sleep(0);
        future.set_exception(ValueError("x"));
        co_await sleep(0);
        EXPECT_EQ(reports.str(), "Task exception was never retrieved: ValueError('x')");
        EXPECT_EQ(names_of(reports.stacks.at(0)), (Names{"top", "middle", "leaf"}));
        EXPECT_NE(repr(reports.contexts.at(0).future).find("name='failing'"), std::string::npos);
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_tb_logger_not_called_after_cancel
TEST(Stack, IsNotReportedForATaskThatWasCancelledAfterItsEnd) {
    Reports reports;
    run_test([&]() -> Coro<> {
        reports.listen(get_running_loop());
        auto failing = create_task([]() -> Coro<> {
            throw TypeError("x");
            co_return;
        });
        co_await sleep(0.05);
        EXPECT_TRUE(failing.done());
        EXPECT_FALSE(failing.cancel());
        failing = {};
    });
    EXPECT_EQ(reports.str(), "");
}

}  // namespace
