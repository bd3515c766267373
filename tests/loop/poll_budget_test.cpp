#include "loop/poll_budget.h"

#include <asyncio/loop/seconds.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace {

using namespace asyncio;
using detail::PollBudget;

/// How many callbacks run in each of the turns, if each takes so long.
std::vector<int> turns_of_callbacks(PollBudget& budget, std::int64_t nanoseconds, int turns) {
    std::vector<int> sizes;
    auto now = TimePoint::from_nanoseconds(1'000'000'000);
    budget.forget_idle_time(now);
    for (int turn = 0; turn < turns; ++turn) {
        budget.renew(now);
        int callbacks = 0;
        for (; !budget.is_spent(); ++callbacks) {
            budget.spend(1);
            now = TimePoint::from_nanoseconds(now.nanoseconds() + nanoseconds);
        }
        sizes.push_back(callbacks);
    }
    return sizes;
}

TEST(PollBudget, AllowsAsManyCallbacksAsFitInFiftyMicroseconds) {
    PollBudget budget;
    EXPECT_EQ(turns_of_callbacks(budget, 5'000, 8).back(), 10);
    EXPECT_EQ(turns_of_callbacks(budget, 1'000'000, 8).back(), 1);
}

TEST(PollBudget, AllowsSixtyFourAtMostAndNoMoreThanTwiceTheLast) {
    PollBudget budget;
    EXPECT_EQ(turns_of_callbacks(budget, 100, 8), (std::vector<int>{2, 4, 8, 16, 32, 64, 64, 64}));
}

TEST(PollBudget, OfAClockThatATestMovesIsOnePass) {
    PollBudget budget;
    budget.renew_each_pass();
    EXPECT_EQ(turns_of_callbacks(budget, 100, 3), (std::vector<int>{1, 1, 1}));
}

}  // namespace
