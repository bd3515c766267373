#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>
#include <asyncio/subprocess.h>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <type_traits>

#include "support/run_test.h"

namespace {

using namespace asyncio;

// What stands in braces beside a co_await: g++ 12 destroys a temporary aggregate twice, and here that does nothing. In
// the headers these would cost whoever includes them a twenty-fifth of the time to compile.
static_assert(std::is_trivially_destructible_v<ContextRef>);
static_assert(std::is_trivially_destructible_v<CallbackOptions>);
static_assert(std::is_trivially_destructible_v<TaskOptions>);
static_assert(std::is_trivially_destructible_v<LoopOptions>);
static_assert(std::is_trivially_destructible_v<CreateConnectionOptions>);
static_assert(std::is_trivially_destructible_v<CreateUnixConnectionOptions>);
static_assert(std::is_trivially_destructible_v<ConnectAcceptedSocketOptions>);
static_assert(std::is_trivially_destructible_v<EndpointAddress>);
static_assert(std::is_trivially_destructible_v<DatagramEndpointOptions>);
static_assert(std::is_trivially_destructible_v<CreateServerOptions>);
static_assert(std::is_trivially_destructible_v<CreateUnixServerOptions>);
static_assert(std::is_trivially_destructible_v<AddressOptions>);
static_assert(std::is_trivially_destructible_v<HostPort>);
static_assert(std::is_trivially_destructible_v<OpenConnectionOptions>);
static_assert(std::is_trivially_destructible_v<OpenUnixConnectionOptions>);
static_assert(std::is_trivially_destructible_v<StandardStreamOptions>);
static_assert(std::is_trivially_destructible_v<SendfileOptions>);
static_assert(std::is_trivially_destructible_v<StartServerOptions>);
static_assert(std::is_trivially_destructible_v<StartUnixServerOptions>);
static_assert(std::is_trivially_destructible_v<StreamReaderOptions>);
static_assert(std::is_trivially_destructible_v<StartTlsOptions>);
static_assert(std::is_trivially_destructible_v<WriteBufferOptions>);
static_assert(std::is_trivially_destructible_v<AsCompletedOptions>);
static_assert(std::is_trivially_destructible_v<EnsureFutureOptions>);
static_assert(std::is_trivially_destructible_v<RunOptions>);
static_assert(std::is_trivially_destructible_v<RunnerRunOptions>);
static_assert(std::is_trivially_destructible_v<WaitOptions>);
static_assert(std::is_trivially_destructible_v<SubprocessOptions>);
static_assert(std::is_trivially_destructible_v<RunProcessOptions>);
static_assert(std::is_trivially_destructible_v<CallGraphOptions>);
static_assert(std::is_trivially_destructible_v<TraceOptions>);
static_assert(std::is_trivially_destructible_v<WatchdogOptions>);

TEST(OptionStructs, ViewWhatTheCallReadsAtOnce) {
    support::run_test([]() -> Coro<> {
        auto task = create_task(sleep(0), {.name = "number " + std::to_string(1)});
        EXPECT_EQ(task.get_name(), "number 1");
        co_await task;
    });
}

int times(StallWatchdog&&, int count) { return count; }

TEST(OptionStructs, KeepACallableThatNeedsNoDestructorAndReferToOthers) {
    support::run_test([]() -> Coro<> {
        std::string told;
        WatchdogOptions options = {.report = [&](const Stall& its) { told += its.task; }};
        Stall stall;
        stall.task = "a";
        options.report.copy()(stall);
        auto report = [&told, prefix = std::string("x")](const Stall& its) { told += prefix + its.task; };
        options.report = report;
        std::function<void(const Stall&)> copy = options.report.copy();
        stall.task = "b";
        copy(stall);
        EXPECT_EQ(told, "axb");
        EXPECT_FALSE(WatchdogOptions().report.copy());
        // lint: allow-co-await that is what is tested
        co_await sleep(times(StallWatchdog({.threshold = Seconds(1), .report = report}), 0));
        co_await sleep(times(StallWatchdog(), 0));
    });
}

}  // namespace
