// An application may compile our headers with stricter warnings than ours; it must meet none in them.
#pragma GCC diagnostic error "-Wconversion"
#pragma GCC diagnostic error "-Wsign-conversion"

#include "support/run_test.h"

#include <asyncio/core/task.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>

namespace {

using namespace asyncio;
using namespace support;

Coro<std::size_t> zero() { co_return 0; }
Coro<long> widened(short value) { co_return value; }
Coro<double> in_braces() { co_return {}; }

struct Flags {
    unsigned low : 4;
};
Coro<unsigned> bit_field(Flags flags) { co_return flags.low; }

struct ExplicitNumber {
    explicit operator int() const { return 42; }
};
Coro<int> by_explicit_conversion() { co_return ExplicitNumber(); }

struct ExplicitlyMade {
    explicit ExplicitlyMade(int v) : value(v) {}
    int value;
};
Coro<ExplicitlyMade> by_explicit_constructor() { co_return 42; }

Coro<std::unique_ptr<int>> moved() {
    auto value = std::make_unique<int>(42);
    co_return value;
}

template <class T, class U>
concept Returns = requires(detail::Promise<T>& promise, U value) {
    promise.return_value(value);
};
static_assert(!Returns<int, std::string> && !Returns<std::string, std::nullptr_t*>);

Coro<> amain() {
    std::size_t constant = co_await zero();
    EXPECT_EQ(constant, 0u);
    long wide = co_await widened(-3);
    EXPECT_EQ(wide, -3);
    double braces = co_await in_braces();
    EXPECT_EQ(braces, 0.0);
    Flags flags{5};
    unsigned bits = co_await bit_field(flags);
    EXPECT_EQ(bits, 5u);
    int converted = co_await by_explicit_conversion();
    EXPECT_EQ(converted, 42);
    ExplicitlyMade made = co_await by_explicit_constructor();
    EXPECT_EQ(made.value, 42);
    std::unique_ptr<int> pointer = co_await moved();
    EXPECT_EQ(*pointer, 42);
}

TEST(CoReturn, ConvertsNumbersAsAReturnDoesAndWarnsOfNothingInOurHeaders) { run_test(amain); }

}  // namespace
