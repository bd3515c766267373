#include "detail/patience.h"

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using asyncio::detail::Patience;

namespace {

/// Whether it looks at all. What it looks for is there at once, or never.
bool watches(Patience& patience, bool is_there) {
    bool looked = false;
    patience.watch(is_there ? 1h : 0h, [&] {
        looked = true;
        return is_there;
    });
    return looked;
}

int watches_in_vain(Patience& patience, int times) {
    int watched = 0;
    for (int i = 0; i < times; ++i) watched += watches(patience, false) ? 1 : 0;
    return watched;
}

TEST(Patience, IsTriedAtFirst) {
    Patience patience;
    EXPECT_TRUE(watches(patience, true));
}

TEST(Patience, ThatDoesNotPayIsTriedOnceInAThousandSleeps) {
    Patience patience;
    EXPECT_EQ(watches_in_vain(patience, 1), 1);
    EXPECT_EQ(watches_in_vain(patience, 999), 0);
    EXPECT_EQ(watches_in_vain(patience, 1), 1);
    EXPECT_EQ(watches_in_vain(patience, 3000), 3);
}

TEST(Patience, ThatHasPaidOutlivesSixteenDisappointments) {
    Patience patience;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(watches(patience, true));
    EXPECT_EQ(watches_in_vain(patience, 16), 16);
    EXPECT_EQ(watches_in_vain(patience, 900), 0);
}

TEST(Patience, ComesBackWithATrialThatPays) {
    Patience patience;
    EXPECT_EQ(watches_in_vain(patience, 1000), 1);
    EXPECT_TRUE(watches(patience, true));
    EXPECT_TRUE(watches(patience, true));
}

}  // namespace
