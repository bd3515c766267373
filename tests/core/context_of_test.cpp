#include <asyncio/core/context_of.h>

#include <asyncio/core/traceback.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/exceptions.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace asyncio;

/// "c <- b <- a": an error, its context, and so on.
std::string chain(std::exception_ptr error) {
    std::string text;
    for (; error; error = context_of(error)) text += (text.empty() ? "" : " <- ") + str(error);
    return text;
}

std::exception_ptr error(const char* name) { return std::make_exception_ptr(ValueError(name)); }

TEST(ContextOf, IsNullUntilItIsSet) {
    EXPECT_EQ(context_of(nullptr), nullptr);
    std::exception_ptr a = error("a");
    EXPECT_EQ(context_of(a), nullptr);
    std::exception_ptr b = error("b");
    set_context(b, a);
    EXPECT_EQ(context_of(b), a);
    set_context(b, nullptr);
    EXPECT_EQ(context_of(b), nullptr);
    set_context(nullptr, a);
}

TEST(ContextOf, LivesAsLongAsTheErrorThatHasIt) {
    auto token = std::make_shared<int>(1);
    struct Holds {
        std::shared_ptr<int> token;
    };
    std::exception_ptr b = std::make_exception_ptr(Holds{token});
    set_context(b, std::make_exception_ptr(Holds{token}));
    EXPECT_EQ(token.use_count(), 3);
    std::exception_ptr again = b;
    b = nullptr;
    EXPECT_EQ(token.use_count(), 3);
    again = nullptr;
    EXPECT_EQ(token.use_count(), 1);
}

TEST(ContextOf, OfAnErrorThatIsThrownAndCaughtStaysWithIt) {
    std::exception_ptr thrown;
    try {
        throw ValueError("thrown");
    } catch (const ValueError&) {
        thrown = std::current_exception();
        set_context(thrown, error("before"));
    }
    try {
        std::rethrow_exception(thrown);
    } catch (...) {
        thrown = nullptr;
        EXPECT_EQ(chain(std::current_exception()), "thrown <- before");
    }
    std::exception_ptr number = std::make_exception_ptr(7);  // a type without a destructor
    set_context(number, error("before"));
    EXPECT_EQ(str(context_of(number)), "before");
}

TEST(ContextOf, NewErrorsAtTheAddressOfDeadOnesHaveNone) {
    for (int i = 0; i < 1000; ++i) {
        std::exception_ptr a = error("a");
        EXPECT_EQ(context_of(a), nullptr);
        set_context(a, error("b"));
    }
}

TEST(ContextOf, IsNeverACircle) {
    std::exception_ptr a = error("a");
    std::exception_ptr b = error("b");
    std::exception_ptr c = error("c");
    set_context(a, a);
    EXPECT_EQ(chain(a), "a");
    set_context(b, a);
    set_context(c, b);
    set_context(a, c);  // as `raise a` in the handler of c: a is taken out of c's chain
    EXPECT_EQ(chain(a), "a <- c <- b");
}

TEST(ContextOf, GoesToTheEndOfTheChainThatAnErrorHas) {
    std::exception_ptr a = error("a");
    std::exception_ptr b = error("b");
    std::exception_ptr c = error("c");
    set_context(c, b);
    detail::chain_context(c, a, 0);
    EXPECT_EQ(chain(c), "c <- b <- a");
    detail::chain_context(c, a, 0);
    detail::chain_context(c, c, 0);
    detail::chain_context(c, nullptr, 0);
    EXPECT_EQ(chain(c), "c <- b <- a");
}

TEST(ContextOf, OfAnEarlierTimeIsNoPartOfTheChain) {
    std::exception_ptr a = error("a");
    std::exception_ptr b = error("b");
    std::exception_ptr c = error("c");
    set_context(c, b);
    detail::chain_context(c, a, detail::count_of_contexts());
    EXPECT_EQ(chain(c), "c <- a");
}

TEST(ContextOf, OfAPartOfAGroupIsAsOldAsThatOfTheWhole) {
    std::exception_ptr a = error("a");
    std::exception_ptr b = error("b");
    std::uint64_t begun = detail::count_of_contexts();
    std::exception_ptr whole = make_exception_group("both", {error("c"), std::make_exception_ptr(OSError("d"))});
    set_context(whole, b);
    std::exception_ptr part = exception_cast<ExceptionGroup>(whole)->subgroup<OSError>();
    detail::chain_context(part, a, begun);
    EXPECT_EQ(chain(context_of(part)), "b <- a");
}

TEST(ContextOf, IsPrintedBeforeTheError) {
    std::exception_ptr b = error("b");
    set_context(b, error("a"));
    EXPECT_EQ(
        format_exception(b),
        "ValueError: a\n\nDuring handling of the above exception, another exception occurred:\n\nValueError: b\n");
}

TEST(ContextOf, OfALongChainDiesWithoutADeepStack) {
    std::exception_ptr first = error("first");
    std::exception_ptr last = first;
    for (int i = 0; i < 50'000; ++i) {
        std::exception_ptr next = error("next");
        set_context(last, next);
        last = std::move(next);
    }
    last = nullptr;
    first = nullptr;
}

TEST(ContextOf, IsSafeWhereManyThreadsUseIt) {
    std::vector<std::thread> threads;
    std::exception_ptr shared = error("shared");
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([shared] {
            for (int j = 0; j < 1000; ++j) {
                std::exception_ptr mine = error("mine");
                set_context(mine, shared);
                set_context(shared, error("other"));
                EXPECT_NE(context_of(shared), nullptr);
                EXPECT_EQ(context_of(mine), shared);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
