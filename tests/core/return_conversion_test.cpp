// An application may compile our headers with stricter warnings than ours; it must meet none in them.
#pragma GCC diagnostic error "-Wconversion"
#pragma GCC diagnostic error "-Wsign-conversion"

#include "support/run_test.h"

#include <asyncio/core/async_generator.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

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
struct ExplicitlyMade {
    explicit ExplicitlyMade(int v) : value(v) {}
    int value;
};
/// `return 5;` means the second.
struct MadeInTwoWays {
    explicit MadeInTwoWays(int) : how("explicitly") {}
    MadeInTwoWays(long) : how("implicitly") {}
    const char* how;
};
Coro<MadeInTwoWays> made_in_two_ways() { co_return 5; }
AsyncGenerator<MadeInTwoWays> yielded_in_two_ways() { co_yield 5; }

/// As smart pointers of COM do.
class WithOwnAddressOf {
public:
    explicit WithOwnAddressOf(int v) : tag_(v), inner_(std::make_unique<int>(v)) {}
    std::unique_ptr<int>* operator&() { return &inner_; }
    int sum() const { return tag_ + *inner_; }

private:
    int tag_;
    std::unique_ptr<int> inner_;
};
Coro<WithOwnAddressOf> with_own_address_of() { co_return WithOwnAddressOf(21); }
Coro<WithOwnAddressOf&> referred(WithOwnAddressOf& object) { co_return object; }

AsyncGenerator<const std::string&> lines() {
    const char* text = "a text that is too long to be kept without the heap";
    co_yield text;
    co_yield std::string(text);
}

Coro<std::unique_ptr<int>> moved() {
    auto value = std::make_unique<int>(42);
    co_return value;
}

template <class T, class U>
concept Returns = requires(detail::Promise<T>& promise, U value) {
    promise.return_value(value);
};
static_assert(!Returns<int, std::string> && !Returns<std::string, std::nullptr_t*>);
// What `return value;` does not do in a function.
static_assert(!Returns<std::unique_ptr<int>, int*> && !Returns<std::vector<int>, int>);
static_assert(!Returns<int, ExplicitNumber> && !Returns<ExplicitlyMade, int> &&
              Returns<ExplicitlyMade, ExplicitlyMade>);

template <class T, class U>
concept Yields = requires(detail::GeneratorPromise<T>& promise, U value) {
    promise.yield_value(value);
};
static_assert(!Yields<std::unique_ptr<int>, int*> && !Yields<std::vector<int>, int> &&
              Yields<std::string, const char*>);

template <class T, class U>
concept TakesResult = requires(Future<T> future, U value) {
    future.set_result(value);
};
static_assert(!TakesResult<std::unique_ptr<int>, int*> && TakesResult<std::string, const char*>);

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
    MadeInTwoWays made = co_await made_in_two_ways();
    EXPECT_STREQ(made.how, "implicitly");
    AsyncGenerator<MadeInTwoWays> made_by_yield = yielded_in_two_ways();
    std::optional<MadeInTwoWays> yielded = co_await made_by_yield.next();
    EXPECT_STREQ(yielded->how, "implicitly");
    auto future = get_running_loop().create_future<MadeInTwoWays>();
    future.set_result(5);
    EXPECT_STREQ(future.result().how, "implicitly");
    std::unique_ptr<int> pointer = co_await moved();
    EXPECT_EQ(*pointer, 42);
}

TEST(CoReturn, ConvertsAsAReturnDoesAndWarnsOfNothingInOurHeaders) { run_test(amain); }

TEST(CoReturn, TakesAnObjectsAddressWithoutItsOwnOperator) {
    run_test([]() -> Coro<> {
        WithOwnAddressOf object = co_await with_own_address_of();
        EXPECT_EQ(object.sum(), 42);
        WithOwnAddressOf& same = co_await referred(object);
        EXPECT_EQ(same.sum(), 42);
        auto task = create_task(with_own_address_of());
        co_await wait(task);
        EXPECT_EQ(task.result().sum(), 42);
        auto results = co_await gather(return_exceptions, with_own_address_of());
        EXPECT_EQ(std::get<0>(results)->sum(), 42);
    });
}

TEST(CoYield, OfATemporaryForAReferenceKeepsItUntilTheGeneratorGoesOn) {
    run_test([]() -> Coro<> {
        AsyncGenerator<const std::string&> generator = lines();
        int count = 0;
        while (const std::string* line = co_await generator.next()) {
            EXPECT_EQ(*line, "a text that is too long to be kept without the heap");
            ++count;
        }
        EXPECT_EQ(count, 2);
    });
}

}  // namespace
