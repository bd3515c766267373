#include <asyncio/asyncio.h>
#include <asyncio/core/context_of.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "core/tracebacks.h"
#include "introspect/plain_text.h"
#include "support/run_test.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::plain;
using support::run_test;

std::exception_ptr error_of(Coro<> main, RunOptions options = {}) {
    options.clock = VirtualClock{};
    try {
        run(std::move(main), options);
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

std::size_t count_lines(const std::exception_ptr& error) { return detail::traceback_lines(error).lines.size(); }

Coro<> fail(std::string message) {
    co_await sleep(1ms);
    throw ValueError(message);
}
Coro<> work(std::string message) { co_await fail(message); }

constexpr int line_of_await = __LINE__ + 5;

Coro<> await_a_worker() {
    current_task().set_name("main");
    Task<> worker = create_task(work("boom"), {.name = "worker"});
    co_await worker;
}

const char* const text_of_two_tasks =
    "Traceback (most recent call last):\n"
    "  File, in await_a_worker, task 'main'\n"
    "    co_await worker;\n"
    "  File, in work, task 'worker'\n"
    "    Coro<> work(std::string message) { co_await fail(message); }\n"
    "  File, in fail\n"
    "    co_await sleep(1ms);\n"
    "ValueError: boom\n";

TEST(Traceback, OfWhatLeavesRunGoesThroughAllTasks) {
    std::exception_ptr error = error_of(await_a_worker());
    EXPECT_EQ(plain(format_exception(error)), text_of_two_tasks);
    std::string text = format_exception(error);
    EXPECT_NE(text.find("traceback_test.cpp\", line " + std::to_string(line_of_await) + ", in await_a_worker"),
              std::string::npos)
        << text;
    testing::internal::CaptureStderr();
    print_exception(error);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), text);
}

TEST(Traceback, OfWhatCrossedNoAwaitIsALine) {
    EXPECT_EQ(format_exception(std::make_exception_ptr(ValueError("boom"))), "ValueError: boom\n");
    EXPECT_EQ(format_exception(std::make_exception_ptr(CancelledError())), "CancelledError\n");
    EXPECT_EQ(format_exception(std::make_exception_ptr(7)), "int\n");
    EXPECT_EQ(format_exception(nullptr), "NoneType: None\n");
}

TEST(Traceback, OfAGroupHasEachLeafsOwn) {
    auto one_more = [](TaskGroup& group) { group.create_task(fail("deep"), {.name = "third"}); };
    auto nested = [&]() -> Coro<> { co_await with(TaskGroup(), one_more); };
    auto two = [&]() -> Coro<> {
        current_task().set_name("main");
        auto body = [&](TaskGroup& group) {
            group.create_task(work("one\ntwo"), {.name = "first"});
            group.create_task(nested(), {.name = "second"});
        };
        co_await with(TaskGroup(), body);
    };
    EXPECT_EQ(plain(format_exception(error_of(two()))),
              "  + Exception Group Traceback (most recent call last):\n"
              "  |   File, in Traceback_OfAGroupHasEachLeafsOwn_Test::TestBody::<lambda>, task 'main'\n"
              "  |     co_await with(TaskGroup(), body);\n"
              "  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)\n"
              "  +-+---------------- 1 ----------------\n"
              "    | Traceback (most recent call last):\n"
              "    |   File, in work, task 'first'\n"
              "    |     Coro<> work(std::string message) { co_await fail(message); }\n"
              "    |   File, in fail\n"
              "    |     co_await sleep(1ms);\n"
              "    | ValueError: one\n"
              "    | two\n"
              "    +---------------- 2 ----------------\n"
              "    | Exception Group Traceback (most recent call last):\n"
              "    |   File, in Traceback_OfAGroupHasEachLeafsOwn_Test::TestBody::<lambda>, task 'second'\n"
              "    |     auto nested = [&]() -> Coro<> { co_await with(TaskGroup(), one_more); };\n"
              "    | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
              "    +-+---------------- 1 ----------------\n"
              "      | Traceback (most recent call last):\n"
              "      |   File, in fail, task 'third'\n"
              "      |     co_await sleep(1ms);\n"
              "      | ValueError: deep\n"
              "      +------------------------------------\n");
}

std::string logged;

Coro<> fail_twice() {
    auto body = [](TaskGroup& group) {
        group.create_task(fail("one"));
        group.create_task([]() -> Coro<> {
            co_await sleep(1ms);
            throw RuntimeError("two");
        });
    };
    co_await with(TaskGroup(), body);
}

TEST(Traceback, OfAPartOfAGroupIsThatOfTheWhole) {
    std::exception_ptr error = error_of(fail_twice());
    std::string head = plain(format_exception(error));
    head.erase(head.find("  | ExceptionGroup:"));
    auto begins_so = [&](const std::exception_ptr& part) { return plain(format_exception(part)).starts_with(head); };
    const auto* group = exception_cast<ExceptionGroup>(error);
    EXPECT_NE(head.find("co_await with(TaskGroup(), body);"), std::string::npos) << head;
    EXPECT_TRUE(begins_so(group->subgroup<RuntimeError>()));
    EXPECT_TRUE(begins_so(group->subgroup<std::exception>())) << "all of it";
    ExceptionSplit split = group->split<RuntimeError>();
    EXPECT_TRUE(begins_so(split.matched) && begins_so(split.rest));
    EXPECT_EQ(count_lines(ExceptionGroup(*group).subgroup<RuntimeError>()), 0U) << "a copy was never thrown";
    std::exception_ptr rest;
    try {
        std::rethrow_exception(error);
    } catch (...) {
        try {
            except_star<RuntimeError>(
                [&](const BaseExceptionGroup&) { EXPECT_TRUE(begins_so(std::current_exception())); });
        } catch (...) {
            rest = std::current_exception();
        }
    }
    EXPECT_TRUE(begins_so(rest));
    EXPECT_EQ(exception_cast<ExceptionGroup>(rest)->exceptions().size(), 1U);
}

TEST(Traceback, OfAPartOfAGroupHasTheContextOfTheWhole) {
    std::exception_ptr context = error_of(fail("before"));
    std::exception_ptr error = error_of(fail_twice());
    set_context(error, context);
    EXPECT_EQ(context_of(exception_cast<ExceptionGroup>(error)->subgroup<RuntimeError>()), context);
}

TEST(Traceback, IsLoggedWithATaskThatNobodyAskedAndWithAHandlersError) {
    LogHandler before = set_log_handler([](LogLevel, std::string_view message) { logged += message; });
    run_test([]() -> Coro<> {
        Task<> outer = create_task(await_a_worker());
        co_await wait(outer);
    });
    set_log_handler(before);
    std::string text = plain(logged);
    std::string lines = text_of_two_tasks;
    lines.pop_back();
    EXPECT_TRUE(text.starts_with("Task exception was never retrieved\nfuture: <Task finished name='main'")) << text;
    EXPECT_TRUE(text.ends_with("\n" + lines)) << text;
}

// As in Python, where a future's result() raises with the traceback that the future had.
TEST(Traceback, OfAnErrorThatSeveralTasksAwaitIsThatOfTheLatest) {
    run_test([]() -> Coro<> {
        Future<> future = get_running_loop().create_future();
        Task<> failing = create_task(fail("shared"), {.name = "failing"});
        auto wait_for_task = [&]() -> Coro<> { co_await failing; };
        auto wait_for_future = [&]() -> Coro<> { co_await future; };
        Task<> first = create_task(wait_for_task(), {.name = "first"});
        Task<> second = create_task(wait_for_task(), {.name = "second"});
        co_await wait(first, second);
        std::string text = format_exception(second.exception());
        EXPECT_EQ(text.find("task 'first'"), std::string::npos) << text;
        EXPECT_NE(text.find("task 'second'"), std::string::npos) << text;
        EXPECT_NE(text.find("task 'failing'"), std::string::npos) << text;
        EXPECT_EQ(first.exception(), second.exception());

        future.set_exception(first.exception());
        Task<> third = create_task(wait_for_future(), {.name = "third"});
        Task<> fourth = create_task(wait_for_future(), {.name = "fourth"});
        co_await wait(third, fourth);
        text = format_exception(fourth.exception());
        EXPECT_NE(text.find("task 'failing'"), std::string::npos) << text;
        EXPECT_NE(text.find("task 'second'"), std::string::npos) << text;
        EXPECT_EQ(text.find("task 'third'"), std::string::npos) << text;
        EXPECT_NE(text.find("task 'fourth'"), std::string::npos) << text;
    });
}

Coro<> throw_again(const std::exception_ptr& error) {
    co_await sleep(0s);
    std::rethrow_exception(error);
}

TEST(Traceback, OfAnErrorThatIsThrownAgainAndAgainIsBounded) {
    std::exception_ptr error = error_of(fail("again"));
    auto again_and_again = [&]() -> Coro<> {
        for (int i = 0; i < 1000; ++i) {
            try {
                co_await throw_again(error);
            } catch (const ValueError&) {
            }
        }
        std::rethrow_exception(error);
    };
    EXPECT_EQ(error_of(again_and_again()), error);
    EXPECT_EQ(count_lines(error), detail::TracebackLines::most);
    std::string text = plain(format_exception(error));
    EXPECT_NE(text.find("  [Previous line repeated 196 more times]\n  [602 lines are left out]\n"), std::string::npos)
        << text;
    EXPECT_TRUE(std::regex_search(text, std::regex("  File, in fail, task 'Task-[0-9]+'\n.*\nValueError: again\n$")))
        << text;
}

Coro<> descend(int depth) {
    if (depth == 0) throw ValueError("bottom");
    co_await descend(depth - 1);
}

Coro<> check(bool is_right) {
    if (!is_right) throw ValueError("wrong");
    co_await sleep(0s);
}
Coro<> await_a_check() { co_await check(false); }

TEST(Traceback, SaysWhereItWasThrownBeforeTheFirstAwait) {
    std::string text =
        std::regex_replace(plain(format_exception(error_of(await_a_check()))), std::regex("Task-[0-9]+"), "T");
    EXPECT_EQ(text,
              "Traceback (most recent call last):\n"
              "  File, in await_a_check, task 'T'\n"
              "    Coro<> await_a_check() { co_await check(false); }\n"
              "  File, in check (before its first await)\n"
              "ValueError: wrong\n");
}

TEST(Traceback, FoldsARecursion) {
    std::string text = plain(format_exception(error_of(descend(100))));
    EXPECT_TRUE(
        std::regex_search(text, std::regex("  File, in descend, task 'Task-[0-9]+'\n    co_await descend.*\n"
                                           "  File, in descend\n    co_await descend.*\n"
                                           "  File, in descend\n    co_await descend.*\n"
                                           "  File, in descend\n    co_await descend.*\n"
                                           "  \\[Previous line repeated 96 more times\\]\n"
                                           "  File, in descend \\(before its first await\\)\nValueError: bottom\n$")))
        << text;
}

TEST(Traceback, BeginsWithWhatTheErrorWasThrownFrom) {
    auto translate = []() -> Coro<> {
        try {
            co_await fail("inner");
        } catch (const ValueError&) {
            std::throw_with_nested(RuntimeError("outer"));
        }
    };
    std::string text = plain(format_exception(error_of(translate())));
    std::string inner =
        "Traceback (most recent call last):\n  File, in fail\n    co_await sleep(1ms);\nValueError: inner\n\n"
        "The above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n";
    EXPECT_EQ(text.substr(0, inner.size()), inner) << text;
    EXPECT_TRUE(text.ends_with("co_await fail(\"inner\");\nRuntimeError: outer\n")) << text;
}

TEST(Traceback, SaysWhatWasDealtWithWhenTheErrorWasThrown) {
    std::exception_ptr first = error_of(fail("first"));
    std::exception_ptr second = error_of(fail("second"));
    set_context(second, first);
    std::exception_ptr third = std::make_exception_ptr(ValueError("third"));
    set_context(third, second);
    EXPECT_EQ(error_of(throw_again(third)), third);
    std::string lines = "Traceback (most recent call last):\n  File, in fail, task TASK\n    co_await sleep(1ms);\n";
    std::string during = "\nDuring handling of the above exception, another exception occurred:\n\n";
    std::string text = std::regex_replace(plain(format_exception(third)), std::regex("'Task-[0-9]+'"), "TASK");
    EXPECT_EQ(text,
              lines + "ValueError: first\n" + during + lines + "ValueError: second\n" + during +
                  "Traceback (most recent call last):\n  File, in throw_again, task TASK\n    co_await sleep(0s);\n"
                  "ValueError: third\n");
    EXPECT_EQ(context_of(third), second);
    first = second = nullptr;
    EXPECT_EQ(count_lines(context_of(third)), 1U);
}

TEST(Traceback, OfACancellationIsThereInDebugModeAndSaysWhoCancelled) {
    auto main = []() -> Coro<> {
        current_task().set_name("main");
        Task<> sleeper = create_task([]() -> Coro<> { co_await sleep(1h); }, TaskOptions{.name = "sleeper"});
        co_await sleep(0s);
        sleeper.cancel("enough");
        co_await sleeper;
    };
    std::string text = plain(format_exception(error_of(main())));
    EXPECT_EQ(text, "CancelledError: enough\ncancelled by 'main' at HERE\n");
    text = plain(format_exception(error_of(main(), {.debug = true})));
    EXPECT_TRUE(text.starts_with("Traceback (most recent call last):\n  File, in ")) << text;
    EXPECT_NE(text.find(", task 'sleeper'\n"), std::string::npos) << text;
    EXPECT_NE(text.find("task 'main'\n    co_await sleeper;\n"), std::string::npos) << text;
}

// The lines live as long as the exception, and neither longer nor shorter.

struct Told : std::exception {
    explicit Told(std::shared_ptr<int> the_token) : token(std::move(the_token)) {}
    std::shared_ptr<int> token;
};

Coro<> throw_told(std::shared_ptr<int> token) {
    co_await sleep(0s);
    throw Told(token);
}
Coro<> throw_number() {
    co_await sleep(0s);
    throw 7;  // has no destructor
}

TEST(Traceback, LivesAsLongAsTheException) {
    auto token = std::make_shared<int>(1);
    std::exception_ptr error = error_of(throw_told(token));
    std::exception_ptr copy = error;
    EXPECT_EQ(count_lines(error), 1U);
    error = nullptr;
    EXPECT_EQ(token.use_count(), 2);
    EXPECT_EQ(count_lines(copy), 1U);
    copy = nullptr;
    EXPECT_EQ(token.use_count(), 1);
    for (int i = 0; i < 100; ++i) {  // at the same address
        EXPECT_EQ(count_lines(std::make_exception_ptr(Told(token))), 0U);
        EXPECT_EQ(count_lines(error_of(throw_told(token))), 1U);
        EXPECT_EQ(count_lines(error_of(throw_number())), 1U);
        EXPECT_EQ(count_lines(std::make_exception_ptr(7)), 0U);
    }
    EXPECT_EQ(token.use_count(), 1);
    std::vector<std::exception_ptr> many;
    for (int i = 0; i < 1000; ++i) many.push_back(error_of(throw_told(token)));
    for (const std::exception_ptr& one : many) EXPECT_EQ(count_lines(one), 1U);
    many.clear();
    EXPECT_EQ(token.use_count(), 1);
}

TEST(TracebackThread, OfAnErrorThatLoopsOfSeveralThreadsThrow) {
    auto token = std::make_shared<int>(1);
    auto error = std::make_exception_ptr(Told(token));
    auto throw_often = [&] {
        EventLoop loop;
        for (int i = 0; i < 100; ++i) {
            try {
                loop.run_until_complete(throw_again(error));
            } catch (const Told&) {
            }
            std::ignore = format_exception(error);
            EXPECT_EQ(count_lines(error_of(throw_told(token))), 1U);
        }
    };
    std::thread one(throw_often);
    std::thread two(throw_often);
    one.join();
    two.join();
    std::size_t lines = count_lines(error);  // a thread may take away what the other has just added: see above
    EXPECT_TRUE(lines >= 1 && lines <= 200) << lines;
    error = nullptr;
    EXPECT_EQ(token.use_count(), 1);
}

TEST(TracebackDeathTest, OfAnErrorThatNobodyCatchesIsPrinted) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto uncaught = [] { std::thread([] { run(await_a_worker()); }).join(); };
    EXPECT_DEATH(uncaught(),
                 "in await_a_worker, task 'main'\n.*\n.*in work, task 'worker'\n.*\n.*in fail\n.*\nValueError: boom\n"
                 "(.*\n)*terminate called after throwing.*ValueError'\n  what\\(\\):  boom");
}

TEST(TracebackDeathTest, OfAnErrorThatNobodyCatchesHasItsNotesAlsoIfItCrossedNoAwait) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto throw_noted = [] {
        std::exception_ptr error = std::make_exception_ptr(ValueError("boom"));
        add_note(error, "while loading");
        std::rethrow_exception(error);
    };
    EXPECT_DEATH(std::thread(throw_noted).join(), "ValueError: boom\nwhile loading\n");
}

}  // namespace
