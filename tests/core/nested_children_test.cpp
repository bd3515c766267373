// A child that ends without waiting runs on its parent's stack, up to some depth. Nobody can tell, at any depth.
#include "support/run_test.h"

#include <asyncio/core/async_generator.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

constexpr int deepest = 40;  // well beyond what runs on one stack

/// Waits once at level `waits_at`, counted from the innermost; fails at level `fails_at`.
Coro<int> chain(int below, int waits_at, int fails_at) {
    int sum = 0;
    if (below > 0) sum = co_await chain(below - 1, waits_at, fails_at);
    if (below == waits_at) co_await sleep(0);
    if (below == fails_at) throw ValueError("level " + std::to_string(below));
    co_return sum + 1;
}

TEST(NestedChildren, GiveTheirValuesWhereverOneWaits) {
    for (int depth = 0; depth < deepest; ++depth) {
        for (int waits_at = -1; waits_at <= depth; ++waits_at) {
            run_test([&]() -> Coro<> {
                int before = co_await chain(depth, -1, -1);
                EXPECT_EQ(before, depth + 1);
                int sum = co_await chain(depth, waits_at, -1);
                EXPECT_EQ(sum, depth + 1) << depth << ", waits at " << waits_at;
                int after = co_await chain(depth, -1, -1);
                EXPECT_EQ(after, depth + 1);
            });
        }
    }
}

TEST(NestedChildren, ThrowWhereverOneFails) {
    for (int depth = 0; depth < deepest; depth += 3) {
        for (int fails_at = 0; fails_at <= depth; ++fails_at) {
            for (int waits_at : {-1, 0, depth / 2, depth}) {
                run_test([&]() -> Coro<> {
                    std::string error;
                    try {
                        co_await chain(depth, waits_at, fails_at);
                    } catch (const ValueError&) {
                        error = caught();
                    }
                    EXPECT_EQ(error, "ValueError('level " + std::to_string(fails_at) + "')");
                    int after = co_await chain(depth, -1, -1);
                    EXPECT_EQ(after, depth + 1);
                });
            }
        }
    }
}

Coro<> note_stack(int below, std::vector<std::size_t>& sizes) {
    if (below > 0) {
        co_await note_stack(below - 1, sizes);
    } else {
        sizes.push_back(current_task().get_stack().size());
    }
    sizes.push_back(current_task().get_stack().size());
}

TEST(NestedChildren, AreAllOnTheTasksStack) {
    run_test([]() -> Coro<> {
        std::size_t outside = current_task().get_stack().size();
        std::vector<std::size_t> sizes;
        co_await note_stack(deepest, sizes);
        EXPECT_EQ(sizes.front(), outside + deepest + 1);
        for (std::size_t level = 0; level <= deepest; ++level) {
            EXPECT_EQ(sizes[level + 1], outside + deepest + 1 - level);
        }
        EXPECT_EQ(current_task().get_stack().size(), outside);
    });
}

AsyncGenerator<int> count_down(int from, int waits_at) {
    for (int i = from; i > 0; --i) {
        if (i == waits_at) co_await sleep(0);
        int sum = co_await chain(i, -1, -1);
        co_yield sum;
    }
}

TEST(NestedChildren, MayBeStepsOfAGenerator) {
    for (int waits_at : {0, 1, deepest / 2, deepest}) {
        run_test([&]() -> Coro<> {
            auto numbers = count_down(deepest, waits_at);
            int expected = deepest + 1;
            while (auto number = co_await numbers.next()) {
                EXPECT_EQ(*number, expected);
                --expected;
            }
            EXPECT_EQ(expected, 1);
        });
    }
}

Coro<int> eager_tree(int below) {
    if (below == 0) co_return co_await chain(deepest, -1, -1);
    auto task = create_task(eager_tree(below - 1), {.eager_start = true});
    EXPECT_EQ(task.done(), below == 1);
    int sum = co_await task;
    int mine = co_await chain(deepest, 0, -1);
    co_return sum + mine;
}

TEST(NestedChildren, MayBelongToTasksThatStartInsideEachOther) {
    run_test([]() -> Coro<> {
        int all = co_await eager_tree(3);
        EXPECT_EQ(all, 4 * (deepest + 1));
        auto task = create_task(chain(deepest, 3, -1), {.eager_start = true});
        EXPECT_FALSE(task.done());
        int sum = co_await chain(deepest, -1, -1);
        int other = co_await task;
        EXPECT_EQ(sum, other);
    });
}

/// clang keeps the buffer on the machine's stack, in a frame that lives as long as the child runs inside it.
Coro<int> with_a_buffer(int below) {
    int sum = 0;
    {
        char buffer[512 * 1024];
        volatile char* bytes = buffer;
        for (std::size_t i = 0; i < sizeof buffer; i += 4096) bytes[i] = 1;
        for (std::size_t i = 0; i < sizeof buffer; i += 4096) sum += bytes[i];
    }
    if (below > 0) {
        int children = co_await with_a_buffer(below - 1);
        sum += children;
    }
    co_return sum;
}

TEST(NestedChildren, DoNotPileUpTheirBuffersOnTheStack) {
    run_test([]() -> Coro<> {
        int sum = co_await with_a_buffer(deepest);
        EXPECT_EQ(sum, (deepest + 1) * 128);
    });
}

}  // namespace
