#include <asyncio/errors/repr.h>

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using asyncio::detail::repr_of;

// Recorded from CPython 3.14.10, repr(float).
TEST(Repr, OfNumbersIsPythons) {
    EXPECT_EQ(repr_of(1.0), "1.0");
    EXPECT_EQ(repr_of(0.1), "0.1");
    EXPECT_EQ(repr_of(-0.0), "-0.0");
    EXPECT_EQ(repr_of(1e16), "1e+16");
    EXPECT_EQ(repr_of(123456789012345680.0), "1.2345678901234568e+17");
    EXPECT_EQ(repr_of(9999999999999998.0), "9999999999999998.0");
    EXPECT_EQ(repr_of(0.0001), "0.0001");
    EXPECT_EQ(repr_of(0.00001), "1e-05");
    EXPECT_EQ(repr_of(5e-324), "5e-324");
    EXPECT_EQ(repr_of(1.7976931348623157e308), "1.7976931348623157e+308");
    EXPECT_EQ(repr_of(std::numeric_limits<double>::infinity()), "inf");
    EXPECT_EQ(repr_of(-std::numeric_limits<double>::infinity()), "-inf");
    EXPECT_EQ(repr_of(std::numeric_limits<double>::quiet_NaN()), "nan");
    EXPECT_EQ(repr_of(true), "True");
    EXPECT_EQ(repr_of(-5), "-5");
    EXPECT_EQ(repr_of(std::numeric_limits<unsigned long long>::max()), "18446744073709551615");
    EXPECT_EQ(repr_of(std::numeric_limits<long long>::min()), "-9223372036854775808");
}

// Recorded from CPython 3.14.10: what reprlib.repr() makes of a future's result.
TEST(Repr, OfLongTextsIsShortened) {
    EXPECT_EQ(repr_of(std::string("short")), "'short'");
    EXPECT_EQ(repr_of("it's"), "\"it's\"");
    EXPECT_EQ(repr_of(std::string_view("a\nb")), "'a\\nb'");
    EXPECT_EQ(repr_of(std::string(28, 'x')), "'xxxxxxxxxxxxxxxxxxxxxxxxxxxx'");
    EXPECT_EQ(repr_of(std::string(29, 'x')), "'xxxxxxxxxxxx...xxxxxxxxxxxxx'");
    EXPECT_EQ(repr_of(std::string(100, 'x')), "'xxxxxxxxxxxx...xxxxxxxxxxxxx'");
}

// Recorded from CPython 3.14.10.
TEST(Repr, OfPlainValuesIsPythons) {
    EXPECT_EQ(asyncio::repr(-5), "-5");
    EXPECT_EQ(asyncio::repr(0.5F), "0.5");
    EXPECT_EQ(asyncio::repr(false), "False");
    EXPECT_EQ(asyncio::repr(std::nullopt), "None");
    EXPECT_EQ(asyncio::repr('x'), "'x'");
    EXPECT_EQ(asyncio::repr("it's"), "\"it's\"");
    EXPECT_EQ(asyncio::repr(std::string_view("a\nb")), "'a\\nb'");
    EXPECT_EQ(asyncio::repr(std::string(40, 'x')), "'" + std::string(40, 'x') + "'");
    EXPECT_EQ(asyncio::repr(std::pair<std::string, std::pair<int, bool>>("it's", {1, true})), "(\"it's\", (1, True))");
    EXPECT_EQ(repr_of(std::pair<int, std::string>(1, std::string(40, 'x'))), "(1, 'xxxxxxxxxxxx...xxxxxxxxxxxxx')");
    EXPECT_EQ(asyncio::repr(std::optional<int>()), "None");
    EXPECT_EQ(asyncio::repr(std::optional<std::string>("a")), "'a'");
    EXPECT_EQ(asyncio::repr(std::vector<int>{1, 2}), "[1, 2]");
    EXPECT_EQ(repr_of(std::vector<int>(7, 0)), "[0, 0, 0, 0, 0, 0, ...]");
}

struct Point {};

TEST(Repr, OfOtherObjectsIsTheirTypeAndPlace) {
    EXPECT_EQ(repr_of(Point()).find("<(anonymous namespace)::Point object at 0x"), 0U) << repr_of(Point());
    EXPECT_EQ(repr_of(std::set<int>()).find("<std::set<int"), 0U);
}

}  // namespace
