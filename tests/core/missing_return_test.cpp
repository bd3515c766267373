// A coroutine that ends without the value that it promises. clang warns of it and leaves it undefined.
#ifndef __clang__
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <string>

#pragma GCC diagnostic ignored "-Wreturn-type"

namespace {

using namespace asyncio;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

template <class T>
Coro<T> forgets(bool forget, T value) {
    co_await sleep(0);
    if (!forget) co_return value;
}

template <class T>
Coro<std::string> outcome_of(T awaitable) {
    try {
        co_await std::move(awaitable);
    } catch (const RuntimeError& error) {
        co_return error.what();
    }
    co_return "a value";
}

constexpr const char* said = "coroutine 'forgets' ended without co_return of a value, defined at ";

TEST(MissingReturn, IsAnErrorThatNamesTheCoroutine) {
    run_test([]() -> Coro<> {
        static const int lasting = 1;
        std::string text = co_await outcome_of(forgets<int>(true, 1));
        EXPECT_EQ(text.find(said), 0u) << text;
        EXPECT_NE(text.find("missing_return_test.cpp:"), text.npos) << text;
        text = co_await outcome_of(create_task(forgets<std::string>(true, "")));
        EXPECT_EQ(text.find(said), 0u) << text;
        text = co_await outcome_of(forgets<const int&>(true, lasting));
        EXPECT_EQ(text.find(said), 0u) << text;
        text = co_await outcome_of(forgets<int>(false, 1));
        EXPECT_EQ(text, "a value");
    });
}

TEST(MissingReturn, IsNoneWhereAnErrorOrACancellationEndsIt) {
    run_test([]() -> Coro<> {
        auto fails = []() -> Coro<int> {
            co_await sleep(0);
            throw RuntimeError("its own");
        };
        std::string text = co_await outcome_of(fails());
        EXPECT_EQ(text, "its own");
        Task<int> task = create_task(forgets<int>(true, 1));
        task.cancel();
        bool was_cancelled = false;
        try {
            co_await task;
        } catch (const CancelledError&) {
            was_cancelled = true;
        }
        EXPECT_TRUE(was_cancelled);
    });
}

}  // namespace
#endif
