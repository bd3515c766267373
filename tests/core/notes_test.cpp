#include <asyncio/core/notes.h>

#include <asyncio/asyncio.h>
#include <asyncio/core/context_of.h>
#include <asyncio/core/traceback.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "introspect/plain_text.h"
#include "support/run_test.h"

namespace {

using namespace asyncio;
using support::plain;
using support::run_test;
using Notes = std::vector<std::string>;

std::exception_ptr error(const char* message) { return std::make_exception_ptr(ValueError(message)); }

TEST(Notes, StandBelowTheMessageAndNowhereElse) {
    std::exception_ptr noted = error("boom");
    EXPECT_EQ(notes_of(noted), Notes());
    for (const char* note : {"one", "two\nlines", "", "end\n"}) add_note(noted, note);
    EXPECT_EQ(notes_of(noted), (Notes{"one", "two\nlines", "", "end\n"}));
    EXPECT_EQ(format_exception(noted), "ValueError: boom\none\ntwo\nlines\n\nend\n\n");
    EXPECT_EQ(repr(noted), "ValueError('boom')");
    EXPECT_EQ(str(noted), "boom");
}

TEST(Notes, OfWhatIsThrownOnGoWithItThroughTasks) {
    auto fail = []() -> Coro<> {
        co_await asyncio::sleep(0);
        throw ValueError("boom");
    };
    auto load = [&](std::string name) -> Coro<> {
        try {
            co_await fail();
        } catch (const std::exception&) {
            add_note("while loading " + name);
            throw;
        }
    };
    std::exception_ptr seen;
    run_test([&]() -> Coro<> {
        Task<> task = create_task(load("a"), {.name = "loader"});
        try {
            co_await task;
        } catch (const ValueError&) {
            add_note("in main");
            seen = task.exception();
        }
    });
    EXPECT_EQ(notes_of(seen), (Notes{"while loading a", "in main"}));
    std::string text = format_exception(seen);
    EXPECT_NE(text.find("\nValueError: boom\nwhile loading a\nin main\n"), std::string::npos) << text;
}

TEST(Notes, OfGroupsStandBelowTheirMessagesInTheFrame) {
    std::exception_ptr first = error("in");
    std::exception_ptr inner = make_exception_group("inner", {first, error("2")});
    std::exception_ptr group = make_exception_group("g", {inner, std::make_exception_ptr(OSError(5, "x"))});
    add_note(first, "n-in");
    add_note(inner, "of inner");
    add_note(group, "n-g\n\nmore");
    EXPECT_EQ(format_exception(group),
              "  | ExceptionGroup: g (2 sub-exceptions)\n"
              "  | n-g\n"
              "  | \n"
              "  | more\n"
              "  +-+---------------- 1 ----------------\n"
              "    | ExceptionGroup: inner (2 sub-exceptions)\n"
              "    | of inner\n"
              "    +-+---------------- 1 ----------------\n"
              "      | ValueError: in\n"
              "      | n-in\n"
              "      +---------------- 2 ----------------\n"
              "      | ValueError: 2\n"
              "      +------------------------------------\n"
              "    +---------------- 2 ----------------\n"
              "    | OSError: [Errno 5] x\n"
              "    +------------------------------------\n");
}

TEST(Notes, OfAGroupAreCopiedToItsParts) {
    std::exception_ptr whole = make_exception_group("g", {error("a"), std::make_exception_ptr(OSError(5, "x"))});
    add_note(whole, "of all");
    const auto* group = exception_cast<BaseExceptionGroup>(whole);
    auto split = group->split<ValueError>();
    EXPECT_EQ(notes_of(split.matched), Notes{"of all"});
    EXPECT_EQ(notes_of(split.rest), Notes{"of all"});
    add_note(split.matched, "of this part");
    EXPECT_EQ(notes_of(split.matched), (Notes{"of all", "of this part"}));
    EXPECT_EQ(notes_of(whole), Notes{"of all"});
    EXPECT_EQ(notes_of(group->subgroup<std::exception>()), Notes{"of all"});
    std::exception_ptr rest;
    try {
        except_star<OSError>(whole, [](const BaseExceptionGroup&) {});
    } catch (...) {
        rest = std::current_exception();
    }
    EXPECT_EQ(repr(rest), "ExceptionGroup('g', [ValueError('a')])");
    EXPECT_EQ(notes_of(rest), Notes{"of all"});
}

TEST(Notes, OfTheContextAndOfTheCauseAreToldWithThem) {
    std::exception_ptr first = error("first");
    add_note(first, "n1");
    std::exception_ptr second = error("second");
    add_note(second, "n2");
    set_context(second, first);
    EXPECT_EQ(format_exception(second),
              "ValueError: first\nn1\n\n"
              "During handling of the above exception, another exception occurred:\n\n"
              "ValueError: second\nn2\n");
    std::exception_ptr timeout = std::make_exception_ptr(TimeoutError("late", first));
    EXPECT_EQ(format_exception(timeout),
              "ValueError: first\nn1\n\n"
              "The above exception was the direct cause of the following exception:\n\n"
              "TimeoutError: late\n");
}

TEST(Notes, AreThoseOfOneExceptionAndDieWithIt) {
    std::exception_ptr noted = error("boom");
    std::exception_ptr same = noted;
    add_note(noted, "one");
    EXPECT_EQ(notes_of(same), Notes{"one"});
    try {
        std::rethrow_exception(noted);
    } catch (const ValueError& caught) {
        std::exception_ptr copy = std::make_exception_ptr(ValueError(caught));
        EXPECT_EQ(notes_of(copy), Notes());  // another exception
        add_note("two");
    }
    EXPECT_EQ(notes_of(same), (Notes{"one", "two"}));
    noted = same = nullptr;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(notes_of(error("new")), Notes());  // some at that address
}

TEST(Notes, OfNoExceptionAreRefused) {
    EXPECT_EQ(notes_of(nullptr), Notes());
    EXPECT_THROW(add_note(nullptr, "x"), ValueError);
    EXPECT_THROW(add_note("x"), RuntimeError);
}

TEST(Notes, OfThreadsThatNoteAtOnceAreAllThere) {
    std::exception_ptr shared = error("boom");
    auto note_many = [shared] {
        for (int i = 0; i < 100; ++i) {
            add_note(shared, "note");
            notes_of(shared);
        }
    };
    std::thread other(note_many);
    note_many();
    other.join();
    EXPECT_EQ(notes_of(shared).size(), 200U);
}

}  // namespace
