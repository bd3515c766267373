// Every trace in this file was recorded from CPython 3.14.10: what happens, with the number of the loop's pass.
#include "core/generator_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace support;

TEST(AsyncGenerator, WaitsInItsCleanUpWhenItIsClosed) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto gen = numbers(trace, 3, 0, 2);
        std::string item = co_await item_of(gen.next());
        trace(item);
        co_await gen.aclose();
        trace("closed");
        co_await gen.aclose();
        item = co_await item_of(gen.next());
        trace(item);
    });
    EXPECT_EQ(text, "0:yields 0, 0:0, 0:thrown GeneratorExit(), 2:cleaned up, 2:closed, 2:None");
}

TEST(AsyncGenerator, IsClosedByATaskWhenItIsDropped) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        {
            auto gen = numbers(trace, 3, 0, 1);
            std::string item = co_await item_of(gen.next());
            trace(item);
        }
        trace("dropped", all_tasks().size());
        co_await passes(1);
        trace(all_tasks().size());
        co_await passes(4);
        trace("main ends", all_tasks().size());
    });
    EXPECT_EQ(text, "0:yields 0, 0:0, 0:dropped 1, 1:2, 2:thrown GeneratorExit(), 3:cleaned up, 5:main ends 1");
}

TEST(AsyncGenerator, SeesTheCancellationOfTheTaskThatWasToCloseIt) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        {
            auto gen = numbers(trace, 3, 0, 1);
            co_await gen.next();
        }
        co_await passes(1);
        for (const AnyTask& task : all_tasks()) {
            if (task != current_task()) task.cancel();
        }
        co_await passes(4);
        trace("main ends");
    });
    EXPECT_EQ(text, "0:yields 0, 2:thrown CancelledError(), 3:cleaned up, 5:main ends");
    text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto gen = numbers(trace, 3, 0, 1);
        co_await gen.next();
        trace("main ends");
    });
    EXPECT_EQ(text, "0:yields 0, 0:main ends, 2:thrown CancelledError(), 3:cleaned up");
}

TEST(AsyncGenerator, IsClosedByRunWhenItIsLeftOpen) {
    std::vector<AsyncGenerator<int>> kept;
    std::string text = trace_to_the_end([&](Trace& trace) -> Coro<> {
        for (int i = 0; i < 2; ++i) {
            kept.push_back(numbers(trace, 3, 0, 1));
            co_await kept.back().next();
        }
        trace("main ends");
    });
    EXPECT_EQ(text,
              "0:yields 0, 0:yields 0, 0:main ends, 3:thrown GeneratorExit(), 3:thrown GeneratorExit(), 4:cleaned up, "
              "4:cleaned up");
}

TEST(AsyncGenerator, CanBeCancelledInItsCleanUp) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        auto gen = numbers(trace, 3, 0, 3);
        co_await gen.next();
        auto close = [&]() -> Coro<> {
            try {
                co_await gen.aclose();
                trace("closed");
            } catch (const CancelledError&) {
                trace(caught());
                throw;
            }
        };
        auto task = create_task(close);
        co_await passes(2);
        task.cancel();
        co_await passes(3);
        std::string item = co_await item_of(gen.next());
        trace(task.cancelled(), item);
    });
    EXPECT_EQ(text, "0:yields 0, 1:thrown GeneratorExit(), 3:CancelledError(), 5:True None");
}

TEST(AsyncGenerator, TellsTheExceptionHandlerWhatGoesWrongInItsClosing) {
    std::vector<AsyncGenerator<int>> kept;
    std::string text = trace_to_the_end([&](Trace& trace) -> Coro<> {
        EventLoop& loop = get_running_loop();
        loop.set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
            std::string message = context.message.substr(0, context.message.find(" at 0x"));
            trace(message, repr(context.exception));
        });
        for (auto* make : {&fails_when_it_is_closed, &ignores_its_closing}) {
            auto gen = make();
            co_await gen.next();
        }
        co_await passes(3);
        kept.push_back(fails_when_it_is_closed());
        kept.push_back(ignores_its_closing());
        for (auto& gen : kept) co_await gen.next();
        trace("main ends");
    });
    std::string closing = "an error occurred during closing of asynchronous generator <async_generator object ";
    EXPECT_EQ(text,
              "2:Task exception was never retrieved ValueError('boom'), 2:Task exception was never retrieved "
              "RuntimeError('async generator ignored GeneratorExit'), 3:main ends, 8:" +
                  closing + "support::fails_when_it_is_closed ValueError('boom'), 8:" + closing +
                  "support::ignores_its_closing RuntimeError('async generator ignored GeneratorExit')");
}

TEST(AsyncGenerator, SaysThatItIgnoredItsClosingAndCanGoOn) {
    run_test([]() -> Coro<> {
        auto gen = ignores_its_closing();
        co_await gen.next();
        std::string said;
        try {
            co_await gen.aclose();
        } catch (const RuntimeError&) {
            said = caught();
        }
        EXPECT_EQ(said, "RuntimeError('async generator ignored GeneratorExit')");
        co_await gen.aclose();
        std::string thrown = co_await item_of(gen.athrow(ValueError("x")));
        std::string third = co_await item_of(gen.next());
        std::string over = co_await item_of(gen.next());
        EXPECT_EQ(thrown + third + over, "None3None");
    });
}

TEST(ShutdownAsyncgens, ClosesAllAtTheSameTimeAndWaitsForThem) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        std::vector<AsyncGenerator<int>> open;
        for (int i = 0; i < 3; ++i) open.push_back(numbers(trace, 3, 0, 2));
        for (auto& gen : open) co_await gen.next();
        co_await get_running_loop().shutdown_asyncgens();
        trace("shut down");
        co_await get_running_loop().shutdown_asyncgens();
        trace("nothing to do");
    });
    EXPECT_EQ(text,
              "0:yields 0, 0:yields 0, 0:yields 0, 1:thrown GeneratorExit(), 1:thrown GeneratorExit(), "
              "1:thrown GeneratorExit(), 3:cleaned up, 3:cleaned up, 3:cleaned up, 5:shut down, 5:nothing to do");
}

// As gather() of what is done already, it gives up no pass.
TEST(ShutdownAsyncgens, DoesNotWaitForWhatEagerTasksHaveClosed) {
    std::string text = trace_to_the_end([](Trace& trace) -> Coro<> {
        get_running_loop().set_task_factory(eager_task_factory);
        auto gen = numbers(trace, 3);
        co_await gen.next();
        co_await get_running_loop().shutdown_asyncgens();
        trace("shut down");
    });
    EXPECT_EQ(text, "0:yields 0, 0:thrown GeneratorExit(), 0:cleaned up, 0:shut down");
}

TEST(ShutdownAsyncgens, PassesACancellationOnAndStillWaits) {
    run_test([]() -> Coro<> {
        Trace trace;
        std::vector<AsyncGenerator<int>> open;
        for (int i = 0; i < 2; ++i) open.push_back(numbers(trace, 3, 0, i * 2));
        for (auto& gen : open) co_await gen.next();
        auto task = create_task(get_running_loop().shutdown_asyncgens());
        task.add_done_callback([&](Task<> done) { trace("cancelled", done.cancelled()); });
        co_await passes(3);
        task.cancel();
        co_await passes(8);
        EXPECT_EQ(trace.str(),
                  "0:yields 0, 0:yields 0, 2:thrown GeneratorExit(), 2:cleaned up, 2:thrown GeneratorExit(), "
                  "7:cancelled True");
    });
}

TEST(ShutdownAsyncgens, WarnsOfAGeneratorThatBeginsAfterIt) {
    static std::vector<std::string> logged;
    LogHandler before = set_log_handler([](LogLevel, std::string_view text) { logged.emplace_back(text); });
    run_test([]() -> Coro<> {
        co_await get_running_loop().shutdown_asyncgens();
        auto gen = ignores_its_closing();
        co_await gen.next();
        while (auto item = co_await gen.next()) continue;
    });
    set_log_handler(before);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_EQ(logged[0].find("asynchronous generator <async_generator object support::ignores_its_closing at 0x"), 0U);
    EXPECT_NE(logged[0].find("> was scheduled after loop.shutdown_asyncgens() call"), std::string::npos);
}

TEST(AsyncGenerator, ThatHasNotBegunEndsWithoutRunning) {
    run_test([]() -> Coro<> {
        Trace trace;
        auto counted = std::make_shared<int>(1);
        auto make = [&](std::shared_ptr<int> argument) -> AsyncGenerator<int> {
            trace("runs", *argument);
            co_yield 1;
        };
        {
            auto dropped = make(counted);
            EXPECT_EQ(counted.use_count(), 2);
        }
        EXPECT_EQ(counted.use_count(), 1);
        auto closed = make(counted);
        co_await closed.aclose();
        std::string item = co_await item_of(closed.next());
        EXPECT_EQ(item, "None");
        auto thrown = make(counted);
        std::string said;
        try {
            co_await thrown.athrow(ValueError("x"));
        } catch (const ValueError&) {
            said = caught();
        }
        EXPECT_EQ(said, "ValueError('x')");
        item = co_await item_of(thrown.next());
        EXPECT_EQ(item, "None");
        EXPECT_EQ(counted.use_count(), 1);
        EXPECT_EQ(trace.str(), "");
    });
}

TEST(AsyncGenerator, SurvivesItsLoop) {
    AsyncGenerator<int> suspended;
    AsyncGenerator<int> waiting;
    bool cleaned = false;
    struct Clean {
        ~Clean() { flag = true; }
        bool& flag;
    };
    auto make = [&](bool waits) -> AsyncGenerator<int> {
        Clean clean{cleaned};
        co_yield 1;
        if (waits) co_await sleep(1h);
        co_yield 2;
    };
    {
        EventLoop loop;
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        loop.run_until_complete([&]() -> Coro<> {
            suspended = make(false);
            co_await suspended.next();
            waiting = make(true);
            co_await waiting.next();
        }());
        auto task = loop.create_task([&]() -> Coro<> { co_await waiting.next(); });
        loop.call_soon([&] { loop.stop(); });
        loop.run_forever();
    }
    EXPECT_TRUE(cleaned);  // its frame went with that of the task that was in it
    cleaned = false;
    suspended = AsyncGenerator<int>();
    EXPECT_TRUE(cleaned);
}

}  // namespace
