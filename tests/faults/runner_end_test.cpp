#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/runner.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>

#include "faults/faults.h"

namespace {

using namespace asyncio;

// It has no memory for the coroutines that wait for generators and threads.
TEST(RunnerWithoutMemory, WaitsForItsWorkersAllTheSame) {
    std::atomic<bool> has_ended = false;
    Runner runner;
    runner.run([](std::atomic<bool>& ended) -> Coro<> {
        get_running_loop().run_in_executor(nullptr, [&ended] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            ended = true;
        });
        co_return;
    }(has_ended));
    faults::set(faults::Kind::allocation, 1, true);
    try {
        runner.close();
    } catch (const std::bad_alloc&) {
    }
    faults::clear();
    EXPECT_TRUE(has_ended);
}

}  // namespace
