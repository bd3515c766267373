// Coroutines need no stack for each other: neither many in a row nor many inside each other.
#include "support/run_test.h"

#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

Coro<> nothing() { co_return; }

TEST(Coroutine, AwaitsTenMillionReadyCoroutinesInConstantStack) {
    int awaited = 0;
    run_test([&]() -> Coro<> {
        for (; awaited < 10'000'000; ++awaited) co_await nothing();
    });
    EXPECT_EQ(awaited, 10'000'000);
}

Coro<int> dive(int depth, int& frames) {
    ++frames;
    if (depth == 0) {
        co_await sleep(0);
        co_return 1;
    }
    int below = co_await dive(depth - 1, frames);
    co_return below + 1;
}

Coro<> dive_and_fail(int depth, int& unwound) {
    auto count = [&unwound](int*) { ++unwound; };
    int dummy = 0;
    std::unique_ptr<int, decltype(count)> guard(&dummy, count);
    if (depth == 0) {
        co_await sleep(0);
        throw ValueError("from below");
    }
    co_await dive_and_fail(depth - 1, unwound);
}

Coro<> dive_and_stay(int depth, int& unwound, Future<> future) {
    auto count = [&unwound](int*) { ++unwound; };
    int dummy = 0;
    std::unique_ptr<int, decltype(count)> guard(&dummy, count);
    if (depth == 0) {
        co_await future;
    } else {
        co_await dive_and_stay(depth - 1, unwound, future);
    }
}

constexpr int deep = 100'000;

TEST(Coroutine, ReturnsThroughAHundredThousandFramesInConstantStack) {
    int frames = 0;
    int result = run_test([&]() -> Coro<int> { co_return co_await dive(deep, frames); });
    EXPECT_EQ(result, deep + 1);
    EXPECT_EQ(frames, deep + 1);
}

TEST(Coroutine, UnwindsAHundredThousandFramesInConstantStack) {
    int unwound = 0;
    run_test([&]() -> Coro<> {
        auto task = create_task(dive_and_fail(deep, unwound));
        std::string end;
        try {
            co_await task;
        } catch (const ValueError&) {
            end = caught();
        }
        EXPECT_EQ(end, "ValueError('from below')");
        EXPECT_EQ(unwound, deep + 1);
        EXPECT_EQ(task.get_stack().size(), static_cast<std::size_t>(deep) + 1);
    });
}

TEST(Coroutine, IsCancelledThroughAHundredThousandFrames) {
    int unwound = 0;
    run_test([&]() -> Coro<> {
        auto task = create_task(dive_and_stay(deep, unwound, get_running_loop().create_future()));
        co_await sleep(0);
        EXPECT_EQ(task.get_stack().size(), static_cast<std::size_t>(deep) + 1);
        EXPECT_TRUE(task.cancel());
        std::string end;
        try {
            co_await task;
        } catch (const CancelledError&) {
            end = caught();
        }
        EXPECT_EQ(end, "CancelledError()");
    });
    EXPECT_EQ(unwound, deep + 1);
}

TEST(Coroutine, SuspendedAHundredThousandDeepDiesWithTheLoop) {
    int unwound = 0;
    Reports reports;
    {
        EventLoop loop;
        reports.listen(loop);
        auto task = loop.create_task(dive_and_stay(deep, unwound, loop.create_future()));
        loop.call_soon([&] { loop.call_soon([&] { loop.stop(); }); });
        loop.run_forever();
        EXPECT_EQ(unwound, 0);
    }
    EXPECT_EQ(unwound, deep + 1);
    EXPECT_EQ(reports.messages, std::vector<std::string>{"Task was destroyed but it is pending!"});
    EXPECT_EQ(reports.stacks.at(0).size(), static_cast<std::size_t>(deep) + 1);
}

}  // namespace
