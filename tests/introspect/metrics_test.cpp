#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::run_test;

namespace {

TEST(LoopMetrics, CountTasksStepsAndWhatWaits) {
    run_test([]() -> Coro<> {
        LoopMetrics before = loop_metrics();
        EXPECT_EQ(before.tasks_live, 1U);
        Event event;
        Task<> waits = create_task([&]() -> Coro<> { co_await event.wait(); });
        Task<> sleeps = create_task([]() -> Coro<> { co_await sleep(1h); });
        EXPECT_EQ(loop_metrics().ready, before.ready + 2);
        co_await sleep(0s);
        LoopMetrics now = loop_metrics();
        EXPECT_EQ(now.tasks_begun, before.tasks_begun + 2);
        EXPECT_EQ(now.tasks_ended, before.tasks_ended);
        EXPECT_EQ(now.tasks_live, 3U);
        EXPECT_EQ(now.timers, before.timers + 1);
        EXPECT_GT(now.steps, before.steps);
        EXPECT_EQ(now.passes, before.passes + 1);
        event.set();
        co_await waits;
        sleeps.cancel();
        try {
            co_await sleeps;
            ADD_FAILURE() << "it was not cancelled";
        } catch (const CancelledError&) {
        }
        EXPECT_EQ(loop_metrics().tasks_ended, before.tasks_ended + 2);
        EXPECT_EQ(loop_metrics().timers, before.timers);
    });
}

TEST(LoopMetrics, CountConnectionsAndCallsOnThreadExecutors) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
        EXPECT_EQ(loop_metrics().connections, 1U);
        Task<> call = create_task(to_thread([] { std::this_thread::sleep_for(50ms); }));
        co_await sleep(0s);
        EXPECT_EQ(loop_metrics().calls_on_threads, 1U);
        co_await call;
        EXPECT_EQ(loop_metrics().calls_on_threads, 0U);
        server.close();
        co_await server.wait_closed();
        EXPECT_EQ(loop_metrics().connections, 0U);
    });
    EXPECT_THROW(loop_metrics(), RuntimeError);
}

TEST(DurationHistogram, HasBucketsWhoseBoundsDouble) {
    DurationHistogram times;
    EXPECT_EQ(times.quantile(0.5), Seconds(0));
    for (Seconds time : {Seconds(0), Seconds(1e-6), Seconds(1.5e-6), Seconds(0.001), Seconds(1e6)}) times.add(time);
    EXPECT_EQ(times.count(), 5U);
    EXPECT_EQ(times.count(0), 2U);
    EXPECT_EQ(times.count(1), 1U);
    EXPECT_EQ(times.count(10), 1U);
    EXPECT_EQ(times.count(DurationHistogram::size - 1), 1U);
    EXPECT_EQ(DurationHistogram::bound(10), Seconds(0.001024));
    EXPECT_EQ(times.longest(), Seconds(1e6));
    EXPECT_EQ(times.quantile(0.5), Seconds(2e-6));
    EXPECT_EQ(times.quantile(0), Seconds(1e-6));
    EXPECT_EQ(times.quantile(1), Seconds(1e6));
    EXPECT_EQ(times.sum(), Seconds(0) + Seconds(1e-6) + Seconds(1.5e-6) + Seconds(0.001) + Seconds(1e6));
}

Coro<> blocks() {
    co_await sleep(0s);
    std::this_thread::sleep_for(20ms);
}

TEST(LoopMonitor, MeasuresEachStepAndWhatWaitedBehindIt) {
    run_test([]() -> Coro<> {
        LoopMonitor monitor;
        Task<> slow = create_task(blocks(), {.name = "slow"});
        for (int i = 0; i < 5; ++i) co_await sleep(0s);
        co_await slow;
        const StepMetrics& seen = monitor.metrics();
        EXPECT_GE(seen.steps.longest(), 20ms);
        EXPECT_NE(seen.longest_step.find("slow "), std::string::npos) << seen.longest_step;
        EXPECT_NE(seen.longest_step.find("blocks"), std::string::npos) << seen.longest_step;
        EXPECT_GE(seen.steps.count(), 6U);
        EXPECT_GE(seen.delays.longest(), 20ms) << "what was ready beside it had to wait";
        EXPECT_GE(seen.delays.count(), 3U);
        monitor.reset();
        EXPECT_EQ(seen.steps.count(), 0U);
    });
}

TEST(LoopMonitor, CountsTheDelayOfATimerFromWhenItWasDue) {
    asyncio::run([]() -> Coro<> {
        LoopMonitor monitor;
        EventLoop& loop = get_running_loop();
        auto called = loop.create_future<void>();
        loop.call_later(1ms, [called]() mutable { called.set_result(); });
        std::this_thread::sleep_for(50ms);
        co_await called;
        EXPECT_GE(monitor.metrics().delays.longest(), 48ms);
        EXPECT_LT(monitor.metrics().delays.longest(), 60s);
    }());
}

TEST(LoopMonitor, DoesNotCountFromAMomentThatWasPastAlready) {
    asyncio::run([]() -> Coro<> {
        LoopMonitor monitor;
        EventLoop& loop = get_running_loop();
        auto called = loop.create_future<void>();
        loop.call_at(loop.time() - 1h, [called]() mutable { called.set_result(); });
        co_await called;
        EXPECT_LT(monitor.metrics().delays.longest(), 60s);
    }());
}

TEST(LoopMonitor, IsOneOfSeveralAndMayGoInAnyOrder) {
    run_test([]() -> Coro<> {
        auto first = std::make_unique<LoopMonitor>();
        auto second = std::make_unique<LoopMonitor>();
        co_await sleep(0s);
        std::uint64_t steps = first->metrics().steps.count();
        EXPECT_EQ(second->metrics().steps.count(), steps);
        first.reset();
        co_await sleep(0s);
        EXPECT_GT(second->metrics().steps.count(), steps);
        second.reset();
        co_await sleep(0s);
        LoopMonitor third;
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_GT(third.metrics().steps.count(), 0U);
    });
}

TEST(LoopMonitor, KeepsWhatItHasSeenWhenTheLoopIsClosed) {
    std::optional<LoopMonitor> monitor;
    {
        Runner runner;
        monitor.emplace(runner.get_loop());
        runner.run(sleep(0s));
    }
    EXPECT_GE(monitor->metrics().steps.count(), 2U);
    monitor.reset();
    EventLoop closed;
    closed.close();
    EXPECT_THROW(LoopMonitor{closed}, RuntimeError);
    EXPECT_THROW(LoopMonitor{}, RuntimeError);
}

TEST(PrometheusText, HasALineForEachFigure) {
    LoopMetrics metrics = {.tasks_begun = 7, .tasks_ended = 5, .tasks_live = 2, .steps = 30, .passes = 12};
    std::string text = prometheus_text(metrics, "a \"b\"\\c\n");
    EXPECT_NE(text.find("# TYPE asyncio_tasks_begun_total counter\n"
                        "asyncio_tasks_begun_total{loop=\"a \\\"b\\\"\\\\c\\n\"} 7\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("# TYPE asyncio_tasks_live gauge\n"), std::string::npos) << text;
    StepMetrics steps;
    steps.steps.add(Seconds(0.0005));
    steps.steps.add(Seconds(0.1));
    text = prometheus_text(steps);
    EXPECT_NE(text.find("asyncio_step_seconds_bucket{loop=\"main\",le=\"0.000512\"} 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("asyncio_step_seconds_bucket{loop=\"main\",le=\"+Inf\"} 2\n"
                        "asyncio_step_seconds_sum{loop=\"main\"} 0.1005\n"
                        "asyncio_step_seconds_count{loop=\"main\"} 2\n"),
              std::string::npos)
        << text;
}

}  // namespace
