// A loop that has nothing to do stays awake for a moment, if that has been enough for threads to hand it something.
#include "support/sleep_watch.h"
#include "support/thread_gate.h"
#include "support/wrapped_backend.h"

#include <asyncio/core/event_loop.h>

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

class CountSleeps final : public support::WrappedBackend {
public:
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) override {
        if (!timeout || timeout->count() > 0) ++sleeps;
        WrappedBackend::wait(timeout, events);
    }
    int sleeps = 0;
};

TEST(LoopPatienceThreads, MayBeWithoutEnd) {
    EventLoop loop({.patience = Seconds(std::numeric_limits<double>::infinity())});
    std::thread thread([&] { loop.call_soon_threadsafe([&] { loop.stop(); }); });
    loop.run_forever();
    thread.join();
}

TEST(LoopPatienceThreads, WhatIsPostedMeanwhileFindsTheLoopAwake) {
    CountSleeps backend;
    EventLoop loop({.io_backend = &backend, .patience = 1h});
    for (int round = 0; round < 50; ++round) {
        support::Gate asked;
        std::thread thread([&] {
            asked.wait();
            loop.call_soon_threadsafe([&] { loop.stop(); });
        });
        loop.call_soon([&] { asked.open(); });
        loop.run_forever();
        thread.join();
    }
    EXPECT_EQ(backend.sleeps, 0);
}

TEST(LoopPatienceThreads, ItSleepsAtOnceWhenATimerComesBeforeItsPatienceEnds) {
    CountSleeps backend;
    EventLoop loop({.io_backend = &backend, .patience = 1h});
    loop.call_later(1ms, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_GE(backend.sleeps, 1);
}

TEST(LoopPatienceThreads, WithoutPatienceItSleepsAtOnce) {
    support::SleepWatch watch;
    EventLoop loop({.io_backend = &watch, .patience = 0s});
    std::thread thread([&] {
        watch.wait_until_the_loop_sleeps();
        loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.run_forever();
    thread.join();
}

}  // namespace
