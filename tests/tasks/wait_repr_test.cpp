#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/wait.h>

#include "support/run_test.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;
using support::run_test;

Coro<int> value(int number) { co_return number; }

// Python: repr((set of tasks, set()))
TEST(WaitRepr, OfTheResultIsThatOfTwoSets) {
    run_test([]() -> Coro<> {
        Task<int> one = create_task(value(1));
        Task<int> two = create_task(value(2));
        auto result = co_await wait(one, two);
        EXPECT_EQ(repr(result), "({" + repr(one) + ", " + repr(two) + "}, set())");
        WaitResult<AnyFuture> nothing;
        EXPECT_EQ(repr(nothing), "(set(), set())");
    });
}

TEST(WaitRepr, OfTheConstantsIsThatOfPythonsStrings) {
    EXPECT_EQ(repr(FIRST_COMPLETED), "'FIRST_COMPLETED'");
    EXPECT_EQ(repr(FIRST_EXCEPTION), "'FIRST_EXCEPTION'");
    EXPECT_EQ(repr(ALL_COMPLETED), "'ALL_COMPLETED'");
}

}  // namespace
