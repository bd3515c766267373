#include "detail/thread_sleep.h"

#include <gtest/gtest.h>

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

namespace asyncio::detail {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(ThreadSleep, IsOverAtOnceIfItWasEndedBefore) {
    ThreadSleep sleep;
    sleep.end();
    EXPECT_TRUE(sleep.wait());
    ThreadSleep limited;
    limited.end();
    EXPECT_TRUE(limited.wait(0ns));
}

TEST(ThreadSleep, LastsAsLongAsItsLimit) {
    for (std::chrono::nanoseconds limit : {-5ns, 0ns, 1ns, 30'000'000ns}) {
        ThreadSleep sleep;
        Clock::time_point begin = Clock::now();
        EXPECT_FALSE(sleep.wait(limit));
        EXPECT_GE(Clock::now() - begin, limit);
        sleep.end();
    }
}

TEST(ThreadSleep, ALimitOfYearsIsNoEnd) {
    ThreadSleep sleep;
    std::thread thread([&] { sleep.end(); });
    EXPECT_TRUE(sleep.wait(std::chrono::hours(24 * 365 * 31)));
    thread.join();
}

TEST(ThreadSleep, TheSleeperSeesWhatCameBeforeItsEndAndMayDestroyIt) {
    std::atomic<ThreadSleep*> current = nullptr;
    int message = 0;
    constexpr int rounds = 2000;
    std::thread thread([&] {
        for (int round = 1; round <= rounds; ++round) {
            ThreadSleep* sleep = nullptr;
            while ((sleep = current.exchange(nullptr)) == nullptr) std::this_thread::yield();
            message = round;
            sleep->end();
        }
    });
    for (int round = 1; round <= rounds; ++round) {
        ThreadSleep sleep;
        current = &sleep;
        ASSERT_TRUE(round % 2 == 0 ? sleep.wait() : sleep.wait(1min));
        ASSERT_EQ(message, round);
    }
    thread.join();
}

ThreadSleep* ended_by_signal = nullptr;
std::atomic<int> signals_seen = 0;

TEST(ThreadSleep, SignalHandlersRunMeanwhileAndDoNotEndIt) {
    // ThreadSanitizer loses a signal that comes while it makes the thread's note of signals, at the first such call.
    ASSERT_EQ(pthread_kill(pthread_self(), 0), 0);
    ThreadSleep sleep;
    ended_by_signal = &sleep;
    signals_seen = 0;
    struct sigaction action {};
    action.sa_flags = SA_RESTART;
    action.sa_handler = [](int) {
        if (++signals_seen == 3) ended_by_signal->end();
    };
    struct sigaction before {};
    ::sigaction(SIGUSR1, &action, &before);
    std::thread thread([main = pthread_self()] {
        for (int sent = 1; sent <= 3; ++sent) {
            std::this_thread::sleep_for(2ms);
            pthread_kill(main, SIGUSR1);
            while (signals_seen < sent) std::this_thread::yield();
        }
    });
    EXPECT_TRUE(sleep.wait());
    EXPECT_EQ(signals_seen, 3);
    thread.join();
    ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace asyncio::detail
