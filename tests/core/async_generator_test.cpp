// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "core/generator_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/wait_for.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace support;

TEST(AsyncGenerator, RunsOnlyWhileAStepIsAwaited) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto gen = numbers(trace, 2, 1);
        trace("made");
        while (auto item = co_await gen.next()) trace("got", *item);
        trace("over");
        auto item = co_await gen.next();
        if (!item) trace("still over");
    });
    EXPECT_EQ(text,
              "0:made, 1:yields 0, 1:got 0, 1:goes on, 2:yields 1, 2:got 1, 2:goes on, 2:ends, 2:over, 2:still over");
}

TEST(AsyncGenerator, IsThrownAnExceptionAtItsCoYield) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto echo = [&]() -> AsyncGenerator<int> {
            for (int i = 0; i < 3; ++i) {
                try {
                    co_yield i;
                } catch (const ValueError&) {
                    trace("caught", caught());
                }
            }
        };
        auto gen = echo();
        std::string item = co_await item_of(gen.next());
        trace(item);
        item = co_await item_of(gen.athrow(ValueError("a")));
        trace(item);
        item = co_await item_of(gen.next());
        trace(item);
        item = co_await item_of(gen.athrow(std::make_exception_ptr(ValueError("b"))));
        if (item == "None") trace("over");
        gen = echo();
        co_await gen.next();
        try {
            co_await gen.athrow(TypeError("c"));
        } catch (const TypeError&) {
            trace("out", caught());
        }
        item = co_await item_of(gen.next());
        trace(item);
    });
    EXPECT_EQ(
        text,
        "0:0, 0:caught ValueError('a'), 0:1, 0:2, 0:caught ValueError('b'), 0:over, 0:out TypeError('c'), 0:None");
}

TEST(AsyncGenerator, IsCancelledWhereItWaitsAndThatEndsIt) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto gen = numbers(trace, 3, 3, 1);
        auto use = [&]() -> Coro<> {
            try {
                while (auto item = co_await gen.next()) trace("got", *item);
            } catch (const CancelledError&) {
                trace(caught());
                throw;
            }
        };
        auto task = create_task(use);
        co_await passes(2);
        task.cancel("stop");
        co_await passes(4);
        std::string item = co_await item_of(gen.next());
        trace(task.done(), item);
    });
    EXPECT_EQ(text, "3:thrown CancelledError('stop'), 4:cleaned up, 4:CancelledError('stop'), 6:True None");
}

TEST(AsyncGenerator, IsAStageOfAPipeline) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto twice = [&](AsyncGenerator<int> source) -> AsyncGenerator<int> {
            std::exception_ptr thrown;
            try {
                while (auto item = co_await source.next()) co_yield *item * 2;
            } catch (...) {
                thrown = std::current_exception();
            }
            trace("double ends");
            if (thrown) std::rethrow_exception(thrown);
        };
        auto gen = twice(numbers(trace, 2));
        while (auto item = co_await gen.next()) trace("got", *item);
        gen = twice(numbers(trace, 2));
        std::string item = co_await item_of(gen.next());
        trace(item);
        co_await gen.aclose();
        trace("closed");
        co_await passes(3);
    });
    EXPECT_EQ(text,
              "0:yields 0, 0:got 0, 0:goes on, 0:yields 1, 0:got 2, 0:goes on, 0:ends, 0:double ends, 0:yields 0, 0:0, "
              "0:double ends, 0:closed, 2:thrown GeneratorExit(), 2:cleaned up");
}

TEST(AsyncGenerator, RefusesAStepWhileAnotherIsUnderWay) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto gen = numbers(trace, 2, 1);
        auto use = [&](char name) -> Coro<> {
            try {
                std::string item;
                if (name == 'c') {
                    co_await gen.aclose();
                } else if (name == 'd') {
                    item = co_await item_of(gen.athrow(ValueError("x")));
                } else {
                    item = co_await item_of(gen.next());
                }
                trace(std::string(1, name), item);
            } catch (const std::exception&) {
                trace(std::string(1, name), caught());
            }
        };
        std::vector<Task<>> tasks;
        for (char name : {'a', 'b', 'c', 'd'}) tasks.push_back(create_task(use, name));
        co_await passes(4);
        co_await gen.aclose();
    });
    EXPECT_EQ(text,
              "1:b RuntimeError('anext(): asynchronous generator is already running'), "
              "1:c RuntimeError('aclose(): asynchronous generator is already running'), "
              "1:d RuntimeError('athrow(): asynchronous generator is already running'), 2:yields 0, 2:a 0, "
              "4:thrown GeneratorExit(), 4:cleaned up");
}

TEST(AsyncGenerator, ThrowsWhatItsBodyThrowsAndIsOver) {
    run_test([]() -> Coro<> {
        auto make = []() -> AsyncGenerator<int> {
            co_yield 1;
            throw ValueError("boom");
        };
        auto gen = make();
        co_await gen.next();
        std::string said;
        try {
            co_await gen.next();
        } catch (const ValueError&) {
            said = caught();
        }
        EXPECT_EQ(said, "ValueError('boom')");
        std::string item = co_await item_of(gen.next());
        EXPECT_EQ(item, "None");
    });
}

/// Counts how often it is copied and moved.
struct Counted {
    Counted() = default;
    Counted(const Counted& other) : copies(other.copies + 1), moves(other.moves) {}
    Counted(Counted&& other) noexcept : copies(other.copies), moves(other.moves + 1) {}
    int copies = 0;
    int moves = 0;
};

TEST(AsyncGenerator, CopiesWhatHasANameAndMovesTheRest) {
    run_test([]() -> Coro<> {
        auto make = []() -> AsyncGenerator<Counted> {
            Counted named;
            co_yield named;
            co_yield std::move(named);
        };
        auto gen = make();
        auto copied = co_await gen.next();
        EXPECT_EQ(copied->copies, 1);
        auto moved = co_await gen.next();
        EXPECT_EQ(moved->copies, 0);
        co_await gen.aclose();
    });
}

TEST(AsyncGenerator, YieldsWhatCanOnlyBeMovedAndWhatHasToBeConverted) {
    run_test([]() -> Coro<> {
        auto boxes = []() -> AsyncGenerator<std::unique_ptr<int>> {
            for (int i = 0; i < 3; ++i) co_yield std::make_unique<int>(i);
        };
        int sum = 0;
        auto gen = boxes();
        while (auto box = co_await gen.next()) sum += **box;
        EXPECT_EQ(sum, 3);
        auto words = []() -> AsyncGenerator<std::string> { co_yield "a word"; };
        auto word = words();
        auto item = co_await word.next();
        EXPECT_EQ(*item, "a word");
        co_await word.aclose();
    });
}

TEST(AsyncGenerator, YieldsReferencesAsPointers) {
    run_test([]() -> Coro<> {
        std::vector<std::string> lines{"a", "b"};
        auto each = [&]() -> AsyncGenerator<std::string&> {
            for (std::string& line : lines) co_yield line;
        };
        auto gen = each();
        static_assert(std::is_same_v<decltype(gen)::Item, std::string*>);
        while (auto line = co_await gen.next()) *line += "!";
        EXPECT_EQ(lines, (std::vector<std::string>{"a!", "b!"}));
        auto constant = [&]() -> AsyncGenerator<const std::string&> { co_yield lines[0]; };
        auto gen2 = constant();
        const std::string* line = co_await gen2.next();
        EXPECT_EQ(line, &lines[0]);
        co_await gen2.aclose();
    });
}

TEST(AsyncGenerator, ShowsItsFramesOnTheStackOfTheTask) {
    run_test([]() -> Coro<> {
        Trace trace;
        auto gen = numbers(trace, 1, 2);
        auto use = [&]() -> Coro<> {
            while (auto item = co_await gen.next()) continue;
        };
        auto task = create_task(use);
        co_await sleep(0s);
        std::string functions;
        for (const StackEntry& entry : task.get_stack()) functions += entry.function + " ";
        EXPECT_TRUE(functions.ends_with("<lambda> support::numbers support::passes ")) << functions;
        co_await task;
    });
}

TEST(AsyncGenerator, ShowsWhereItYieldedWhenAnExceptionPassesThroughIt) {
    run_test([]() -> Coro<> {
        int line = 0;
        auto make = [&]() -> AsyncGenerator<int> {
            co_await passes(1);
            line = __LINE__ + 1;
            co_yield 1;
        };
        auto gen = make();
        co_await gen.next();
        auto task = create_task([&]() -> Coro<> { co_await gen.athrow(ValueError("x")); });
        std::string said;
        try {
            co_await task;
        } catch (const ValueError&) {
            said = caught();
        }
        EXPECT_EQ(said, "ValueError('x')");
        auto stack = task.get_stack();
        EXPECT_EQ(stack.size(), 2U);
        EXPECT_EQ(stack.back().line, line);
    });
}

TEST(AsyncGenerator, WorksUnderATimeoutAndAsATask) {
    run_test([]() -> Coro<> {
        auto slow = []() -> AsyncGenerator<int> {
            co_yield 1;
            co_await sleep(1h);
            co_yield 2;
        };
        auto gen = slow();
        auto first = co_await wait_for(gen.next(), 1s);
        EXPECT_EQ(*first, 1);
        std::string said;
        try {
            co_await wait_for(gen.next(), 1s);
        } catch (const TimeoutError&) {
            said = caught();
        }
        EXPECT_EQ(said, "TimeoutError()");
        gen = slow();
        auto task = ensure_future(gen.next());
        auto item = co_await std::move(task);
        EXPECT_EQ(*item, 1);
        co_await gen.aclose();
    });
}

TEST(AsyncGenerator, RunsInTheContextOfWhoeverAwaitsAStep) {
    static ContextVar<int> number{"number", 0};
    run_test([]() -> Coro<> {
        auto make = []() -> AsyncGenerator<int> {
            while (true) co_yield number.get();
        };
        auto gen = make();
        number.set(1);
        std::string here = co_await item_of(gen.next());
        auto other = [&]() -> Coro<std::string> {
            number.set(2);
            co_return co_await item_of(gen.next());
        };
        std::string there = co_await create_task(other);
        EXPECT_EQ(here + there, "12");
        co_await gen.aclose();
    });
}

TEST(AsyncGenerator, CanBeEmpty) {
    AsyncGenerator<int> none;
    EXPECT_FALSE(none);
    EXPECT_EQ(outcome([&] { return none.next(); }).find("RuntimeError('this AsyncGenerator is empty"), 0U);
    auto gen = ignores_its_closing();
    EXPECT_TRUE(gen);
    EXPECT_EQ(repr(gen).find("<async_generator object "), 0U);
    EXPECT_NE(repr(gen).find("ignores_its_closing at 0x"), std::string::npos);
}

TEST(AsyncGenerator, RunsAMillionStepsInConstantStack) {
    run_test([]() -> Coro<> {
        auto count = [](int end) -> AsyncGenerator<int> {
            for (int i = 0; i < end; ++i) co_yield i;
        };
        auto gen = count(1'000'000);
        long long sum = 0;
        while (auto item = co_await gen.next()) sum += *item;
        EXPECT_EQ(sum, 499999500000);
    });
}

TEST(AsyncGenerator, NestsAThousandDeep) {
    run_test([]() -> Coro<> {
        struct Nest {
            static AsyncGenerator<int> of(int depth) {
                if (depth == 0) {
                    co_yield 1;
                    co_return;
                }
                auto below = of(depth - 1);
                while (auto item = co_await below.next()) co_yield *item + 1;
            }
        };
        auto gen = Nest::of(1000);
        std::string item = co_await item_of(gen.next());
        EXPECT_EQ(item, "1001");
        item = co_await item_of(gen.next());
        EXPECT_EQ(item, "None");
    });
}

}  // namespace
