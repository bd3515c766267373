#include <asyncio/context/context.h>
#include <asyncio/errors/builtin_errors.h>
#include <asyncio/errors/exceptions.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using detail::ContextScope;
using detail::ContextSlot;
using detail::current_context_slot;

template <class Function>
std::string outcome(Function function) {
    try {
        function();
    } catch (...) {
        std::string text = repr(std::current_exception());
        std::string result;  // without addresses
        for (std::size_t at = 0; at < text.size();) {
            if (text.compare(at, 2, "0x") == 0) {
                result += "0x.";
                at = text.find_first_not_of("0123456789abcdef", at + 2);
            } else {
                result += text[at++];
            }
        }
        return result;
    }
    return "nothing";
}

struct Options {
    ContextRef context = {};
};
static_assert(std::is_trivially_destructible_v<Options>);
static_assert(!std::is_copy_constructible_v<ContextVar<int>>);

TEST(ContextVar, GivesItsValueThenItsDefault) {
    ContextVar<int> with_default("d", 3);
    ContextVar<int> without("x");
    EXPECT_EQ(with_default.name(), "d");
    EXPECT_EQ(with_default.get(), 3);
    EXPECT_EQ(with_default.get(5), 5);
    EXPECT_EQ(without.get(7), 7);
    without.set(1);
    EXPECT_EQ(without.get(), 1);
    EXPECT_EQ(without.get(7), 1);
}

TEST(ContextVar, WithoutValueThrowsLookupError) {
    ContextVar<int> var("x");
    EXPECT_EQ(outcome([&] { var.get(); }), "LookupError(\"<ContextVar name='x' at 0x.>\")");
}

TEST(ContextVar, ResetGoesBackToTheValueBefore) {
    ContextVar<std::string> var("x");
    Token first = var.set("one");
    Token second = var.set("two");
    var.reset(second);
    EXPECT_EQ(var.get(), "one");
    var.reset(first);
    EXPECT_EQ(outcome([&] { var.get(); }), "LookupError(\"<ContextVar name='x' at 0x.>\")");
}

// CPython: reset in the wrong order is allowed and prints 9, then 1
TEST(ContextVar, ResetsInAnyOrder) {
    ContextVar<int> var("x");
    var.set(9);
    Token first = var.set(1);
    Token second = var.set(2);
    var.reset(first);
    EXPECT_EQ(var.get(), 9);
    var.reset(second);
    EXPECT_EQ(var.get(), 1);
}

TEST(ContextVar, RefusesATokenTwiceOrFromElsewhere) {
    ContextVar<int> var("x");
    ContextVar<int> other("d");
    Token token = var.set(1);
    Token copy = token;
    EXPECT_EQ(outcome([&] { other.reset(token); }),
              "ValueError(\"<Token var=<ContextVar name='x' at 0x.> at 0x.> was created by a "
              "different ContextVar\")");
    EXPECT_EQ(outcome([&] { copy_context().run([&] { var.reset(token); }); }),
              "ValueError(\"<Token var=<ContextVar name='x' at 0x.> at 0x.> was created in a "
              "different Context\")");
    var.reset(token);
    const char* used =
        "RuntimeError(\"<Token used var=<ContextVar name='x' at 0x.> at 0x.> has already been used "
        "once\")";
    EXPECT_EQ(outcome([&] { var.reset(copy); }), used);
    EXPECT_EQ(outcome([&] { other.reset(token); }), used);
}

TEST(ContextVar, GuardResetsAtTheEndOfItsScope) {
    ContextVar<int> var("x", 0);
    {
        auto guard = var.set(11).guard();
        EXPECT_EQ(var.get(), 11);
    }
    EXPECT_EQ(var.get(), 0);
    Token token = var.set(5);
    {
        auto guard = token.guard();
        var.reset(token);
        var.set(6);
    }
    EXPECT_EQ(var.get(), 6);
}

TEST(ContextVar, ValuesEndWithTheLastContextThatHasThem) {
    auto value = std::make_shared<int>(1);
    ContextVar<std::shared_ptr<int>> var("x");
    {
        Context context;
        context.run([&] { var.set(value); });
        EXPECT_EQ(value.use_count(), 2);
        Context copy = context.copy();
        context.run([&] { var.set(nullptr); });
        EXPECT_EQ(value.use_count(), 2);
    }
    EXPECT_EQ(value.use_count(), 1);
}

TEST(ContextVar, ManyVariablesKeepApart) {
    std::vector<std::unique_ptr<ContextVar<int>>> vars;
    for (int i = 0; i < 50; ++i) vars.push_back(std::make_unique<ContextVar<int>>("v", -i));
    Context context;
    context.run([&] {
        std::vector<std::pair<int, Token>> tokens;
        for (int i = 49; i >= 0; i -= 2) tokens.emplace_back(i, vars[static_cast<std::size_t>(i)]->set(i));
        for (int i = 0; i < 50; ++i) EXPECT_EQ(vars[static_cast<std::size_t>(i)]->get(), i % 2 == 1 ? i : -i);
        EXPECT_EQ(copy_context().size(), 25U);
        for (auto& [i, token] : tokens) vars[static_cast<std::size_t>(i)]->reset(token);
        EXPECT_EQ(copy_context().size(), 0U);
    });
    EXPECT_EQ(context.size(), 0U);
}

// A value whose destructor uses variables itself
struct Meddler {
    explicit Meddler(ContextVar<int>& the_var) : var(&the_var) {}
    Meddler(Meddler&& other) noexcept : var(std::exchange(other.var, nullptr)) {}
    ~Meddler() {
        if (var) var->set(var->get(0) + 1);
    }
    ContextVar<int>* var;
};

TEST(ContextVar, DestructorsOfValuesMaySetVariables) {
    ContextVar<int> count("count");
    Context context;
    context.run([&] {
        ContextVar<Meddler> var("x");
        var.set(Meddler(count));
        var.set(Meddler(count));
        EXPECT_EQ(count.get(), 1);
        Token token = var.set(Meddler(count));
        var.reset(token);
        EXPECT_EQ(count.get(), 1);
        token = var.set(Meddler(count));
        EXPECT_EQ(count.get(), 2);
    });
}

TEST(Context, StartsEmptyAndKeepsWhatRunSets) {
    ContextVar<int> var("x", 1);
    var.set(2);
    Context context;
    EXPECT_EQ(context.size(), 0U);
    EXPECT_FALSE(context.contains(var));
    EXPECT_EQ(context.get(var), std::nullopt);
    int seen = context.run(
        [&](int value) {
        int before = var.get();
        var.set(value);
        return before;
        },
        77);
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(context.get(var), 77);
    EXPECT_TRUE(context.contains(var));
    EXPECT_EQ(context.size(), 1U);
    EXPECT_EQ(var.get(), 2);
    Context copy = context.copy();
    EXPECT_FALSE(copy == context);
    copy.run([&] { var.set(78); });
    EXPECT_EQ(context.get(var), 77);
}

TEST(Context, CannotBeEnteredTwice) {
    Context context;
    EXPECT_EQ(outcome([&] { context.run([&] { context.run([] {}); }); }),
              "RuntimeError('cannot enter context: <Context object at 0x.> is already entered')");
    EXPECT_EQ(outcome([&] { context.run([] {}); }), "nothing");
    EXPECT_EQ(outcome([&] { context.run([] { throw ValueError("v"); }); }), "ValueError('v')");
    EXPECT_EQ(outcome([&] { context.run([] {}); }), "nothing");
}

TEST(Context, CopyContextShowsTheValuesOfItsMoment) {
    ContextVar<int> var("x");
    var.set(1);
    Context context = copy_context();
    var.set(2);
    EXPECT_EQ(context.get(var), 1);
    EXPECT_EQ(context.run([&] { return var.get(); }), 1);
    context.run([&] { EXPECT_FALSE(copy_context() == context); });
}

TEST(ContextSlot, IsASnapshotUntilItsContextIsAskedFor) {
    ContextVar<int> var("x", 0);
    Token outer = var.set(1);
    ContextSlot slot = ContextSlot::copy_current();
    EXPECT_FALSE(slot.is_shared());
    {
        ContextScope scope(slot);
        EXPECT_EQ(var.get(), 1);
        Token token = var.set(2);
        EXPECT_FALSE(slot.is_shared());
        Context context = slot.context();
        EXPECT_TRUE(slot.is_shared());
        EXPECT_EQ(context.get(var), 2);
        EXPECT_TRUE(context == slot.context());
        // It is entered, by this very scope.
        EXPECT_EQ(outcome([&] { context.run([] {}); }),
                  "RuntimeError('cannot enter context: <Context object at 0x.> is already entered')");
        var.set(3);
        EXPECT_EQ(context.get(var), 3);
        var.reset(token);  // made before the slot was shared
        EXPECT_EQ(context.get(var), 1);
    }
    EXPECT_EQ(slot.context().run([&] { return var.get(); }), 1);
    var.reset(outer);
    EXPECT_EQ(var.get(), 0);
}

TEST(ContextSlot, SharesAContext) {
    ContextVar<int> var("x", 0);
    Context context;
    ContextSlot first = ContextSlot::share(context);
    ContextSlot second = ContextSlot::share(context);
    std::optional<Token> token;
    {
        ContextScope scope(first);
        token = var.set(5);
        EXPECT_EQ(outcome([&] { ContextScope again(second); }),
                  "RuntimeError('cannot enter context: <Context object at 0x.> is already entered')");
        EXPECT_EQ(current_context_slot(), &first);
    }
    {
        ContextSlot*& current = current_context_slot();
        ContextScope scope(current, second);
        EXPECT_EQ(var.get(), 5);
        var.reset(*token);
    }
    EXPECT_EQ(context.size(), 0U);
}

TEST(ContextSlot, MovesAndEndsItsValues) {
    auto value = std::make_shared<int>(1);
    ContextVar<std::shared_ptr<int>> var("x");
    ContextSlot target;
    {
        ContextSlot slot;
        {
            ContextScope scope(slot);
            var.set(value);
        }
        target = std::move(slot);
        ContextSlot copy = ContextSlot::copy(target);
        ContextSlot moved = std::move(copy);
        EXPECT_EQ(value.use_count(), 2);
    }
    EXPECT_EQ(value.use_count(), 2);
    target = ContextSlot();
    EXPECT_EQ(value.use_count(), 1);
}

TEST(ContextSlot, MadeAContextUnderAnotherScopeIsLeftInOrder) {
    ContextSlot outer;
    std::optional<Context> context;
    {
        ContextScope outer_scope(outer);
        Context().run([&] { context = outer.context(); });
    }
    EXPECT_EQ(outcome([&] { context->run([] {}); }), "nothing");
}

TEST(ContextRef, IsNoneOrRefersToAContext) {
    Context context;
    EXPECT_FALSE(Options{}.context);
    Options options{.context = context};
    ASSERT_TRUE(options.context);
    EXPECT_TRUE(options.context.get() == context);
}

ContextVar<int> global_var("global", 0);

struct LateUser {
    bool used = false;
    ~LateUser() {
        if (!used) return;
        Token token = global_var.set(global_var.get() + 1);
        global_var.reset(token);
    }
};
thread_local LateUser late_user;

TEST(ContextThread, EachThreadStartsEmptyAndMayUseVariablesToItsEnd) {
    global_var.set(1);
    std::thread([] {
        late_user.used = true;
        EXPECT_EQ(global_var.get(), 0);
        global_var.set(2);
    }).join();
    EXPECT_EQ(global_var.get(), 1);
}

TEST(ContextThread, ContextsTravelAndAreEnteredByOneThreadAtATime) {
    ContextVar<std::string> var("x", "none");
    var.set("a value that is too long for the string itself");
    Context shared = copy_context();
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&, mine = copy_context()] {
            for (int round = 0; round < 500; ++round) {
                mine.run([&] {
                    EXPECT_EQ(var.get(), "a value that is too long for the string itself");
                    Token token = var.set("own");
                    Context copy = copy_context();
                    EXPECT_EQ(copy.get(var), "own");
                    var.reset(token);
                });
                try {
                    shared.run([&] { var.set(std::to_string(round)); });
                } catch (const RuntimeError&) {  // the other one is in there
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(var.get(), "a value that is too long for the string itself");
}

TEST(Context, GivesAValueBySubscriptOrThrowsKeyError) {
    static ContextVar<int> number("number", 5);
    Context context;
    EXPECT_THROW(static_cast<void>(context[number]), KeyError);  // a default does not count, as in Python
    context.run([] { number.set(7); });
    EXPECT_EQ(context[number], 7);
}

}  // namespace
