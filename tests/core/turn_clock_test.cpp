// Slow turns in debug mode on a machine that is suspended meanwhile.
#include "detail/processor_counter.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

std::atomic<std::int64_t> suspended_for = 0;  // nanoseconds, in which the counter stood still
std::atomic<std::int64_t> not_seen = 0;       // in which it went on, and the monotonic clock did not

}  // namespace

/// In the place of the C library's, for the whole program.
extern "C" int clock_gettime(clockid_t clock, timespec* time) {
    using Function = int(clockid_t, timespec*);
    static auto* const real = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, "clock_gettime"));
    int result = real(clock, time);
    std::int64_t more = clock == CLOCK_BOOTTIME    ? suspended_for.load()
                        : clock == CLOCK_MONOTONIC ? -not_seen.load()
                                                   : 0;
    if (result != 0 || more == 0) return result;
    constexpr std::int64_t second = 1'000'000'000;
    std::int64_t now = std::int64_t{time->tv_sec} * second + time->tv_nsec + more;
    time->tv_sec = static_cast<time_t>(now / second);
    time->tv_nsec = static_cast<decltype(time->tv_nsec)>(now % second);
    return 0;
}

namespace {

std::vector<double> told;  // of slow turns, how many seconds they took

void note(LogLevel, std::string_view message) {
    std::string text(message);
    auto place = text.find("> took ");
    if (place != text.npos) told.push_back(std::stod(text.substr(place + 7)));
}

class TurnClockTest : public testing::Test {
protected:
    TurnClockTest() {
        told.clear();
        set_log_handler(&note);
        loop.set_debug(true);
        loop.slow_callback_duration = 60ms;
    }
    ~TurnClockTest() override {
        set_log_handler(nullptr);
        suspended_for = 0;
        not_seen = 0;
    }
    void SetUp() override {
        if (!detail::has_processor_counter()) GTEST_SKIP() << "the processor has no counter";
    }
    template <class Turn>
    void run_a_turn(Turn turn) {
        loop.call_soon(turn);
        loop.call_soon([this] { loop.stop(); });
        loop.run_forever();
    }
    /// The machine may hold up a turn, but not for so long.
    static bool is_told_of_seventy_milliseconds() { return told.size() == 1 && told[0] >= 0.069 && told[0] < 5; }

    EventLoop loop;
};

void sleep_for_seventy_milliseconds() { std::this_thread::sleep_for(70ms); }

TEST_F(TurnClockTest, BlamesNoTurnInWhichTheMachineWasSuspendedAndItsCounterStoodStill) {
    run_a_turn([] {});
    run_a_turn([] {
        sleep_for_seventy_milliseconds();
        suspended_for = std::int64_t{3600} * 1'000'000'000;
    });
    EXPECT_EQ(told, std::vector<double>());
    run_a_turn(sleep_for_seventy_milliseconds);
    EXPECT_TRUE(is_told_of_seventy_milliseconds()) << told.size();
}

TEST_F(TurnClockTest, KnowsTheCountersPaceThoughItWentOnWhileTheMachineWasSuspended) {
    run_a_turn([] {});
    run_a_turn([] {
        auto before = std::chrono::steady_clock::now();
        std::this_thread::sleep_for(300ms);
        not_seen = std::chrono::nanoseconds(std::chrono::steady_clock::now() - before).count();
    });
    EXPECT_EQ(told, std::vector<double>());
    run_a_turn(sleep_for_seventy_milliseconds);
    EXPECT_TRUE(is_told_of_seventy_milliseconds()) << told.size();
}

}  // namespace
