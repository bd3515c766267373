// The list of all loops, by which who reads the process finds them.
#include "loop/all_loops.h"

#include "core/task_loop.h"

#include <asyncio/core/event_loop.h>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace asyncio;

namespace {

/// The loops that are there now, as their EventLoops, without those that were there before the test.
std::vector<EventLoop*> loops_now() {
    std::vector<EventLoop*> loops;
    detail::NoFork no_fork;
    for (detail::LoopCore* loop = detail::all_loops.first(no_fork); loop != nullptr;
         loop = detail::AllLoops::next(*loop, no_fork)) {
        EventLoop* facade = detail::task_loop(*loop).facade_or_null();
        if (facade != nullptr) loops.push_back(facade);
    }
    return loops;
}

/// How many there are, whichever threads have them.
std::size_t count_loops() {
    std::size_t count = 0;
    detail::NoFork no_fork;
    for (detail::LoopCore* loop = detail::all_loops.first(no_fork); loop != nullptr;
         loop = detail::AllLoops::next(*loop, no_fork)) {
        ++count;
    }
    return count;
}

TEST(AllLoops, AreThereAsLongAsTheyLiveTheNewestFirst) {
    EXPECT_EQ(loops_now(), std::vector<EventLoop*>{});
    EventLoop oldest;
    {
        EventLoop middle;
        EventLoop newest;
        EXPECT_EQ(loops_now(), (std::vector{&newest, &middle, &oldest}));
        middle.close();
        EXPECT_EQ(loops_now(), (std::vector{&newest, &middle, &oldest}));
    }
    EXPECT_EQ(loops_now(), std::vector{&oldest});
    EventLoop another;
    EXPECT_EQ(loops_now(), (std::vector{&another, &oldest}));
}

TEST(AllLoops, WhoseMiddleOneEndsFirstStayInALine) {
    auto first = std::make_unique<EventLoop>();
    auto second = std::make_unique<EventLoop>();
    auto third = std::make_unique<EventLoop>();
    second.reset();
    EXPECT_EQ(loops_now(), (std::vector{third.get(), first.get()}));
    first.reset();
    EXPECT_EQ(loops_now(), std::vector{third.get()});
    third.reset();
    EXPECT_EQ(loops_now(), std::vector<EventLoop*>{});
}

TEST(AllLoops, BeginAndEndInManyThreadsWhileSomebodyWalksAlong) {
    std::atomic<int> running = 4;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 200; ++round) {
                EventLoop one;
                EventLoop two;
                one.close();
            }
            --running;
        });
    }
    while (running > 0) EXPECT_LE(count_loops(), 8U);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(loops_now(), std::vector<EventLoop*>{});
}

}  // namespace
