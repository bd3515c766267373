#include <asyncio/tasks/concurrent_future.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run_coroutine_threadsafe.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/to_thread.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/run_test.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::outcome;

namespace {

class ConcurrentFutureWaitThread : public testing::Test {
protected:
    ~ConcurrentFutureWaitThread() override {
        loop.call_soon_threadsafe([this] { loop.stop(); });
        thread.join();
    }
    static Coro<int> answer(Seconds delay) {
        co_await sleep(delay);
        co_return 42;
    }

    EventLoop loop;
    std::thread thread{[this] { loop.run_forever(); }};
};

TEST_F(ConcurrentFutureWaitThread, AllWhoWaitGoOnWhateverTheirLimit) {
    Gate gate;
    auto body = [&]() -> Coro<int> {
        co_await to_thread([&] { gate.wait(); });
        co_return 42;
    };
    ConcurrentFuture<int> future = run_coroutine_threadsafe(body, loop);
    std::atomic<int> sum = 0;
    std::vector<std::thread> waiting;
    std::vector<std::thread> impatient;
    for (int i = 0; i < 3; ++i) {
        waiting.emplace_back([&] { sum += future.result(); });
        impatient.emplace_back([&] { EXPECT_EQ(outcome([&] { future.result(1ms); }), "TimeoutError()"); });
        waiting.emplace_back([&] { sum += future.result(1h); });
        waiting.emplace_back([&] { sum += future.result(2e9); });
    }
    for (std::thread& other : impatient) other.join();
    gate.open();
    for (std::thread& other : waiting) other.join();
    EXPECT_EQ(sum, 9 * 42);
}

TEST_F(ConcurrentFutureWaitThread, ItsEndAndATimeLimitMayMeet) {
    for (int i = 0; i < 300; ++i) {
        ConcurrentFuture<int> future = run_coroutine_threadsafe(answer(0s), loop);
        std::string told = outcome([&] { return future.result(std::chrono::microseconds(i)); });
        EXPECT_TRUE(told == "nothing" || told == "TimeoutError()") << told;
        EXPECT_EQ(future.result(), 42);
    }
}

TEST_F(ConcurrentFutureWaitThread, MayBeGoneAsSoonAsItsResultIsKnown) {
    long sum = 0;
    for (int i = 0; i < 300; ++i) sum += run_coroutine_threadsafe(answer(0s), loop).result();
    EXPECT_EQ(sum, 300 * 42);
}

}  // namespace
