#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::outcome;

namespace {

/// What was told, and by whom.
class Told {
public:
    WatchdogOptions options(Seconds threshold) {
        return {.threshold = threshold, .report = [this](const Stall& stall) {
                    std::lock_guard lock(mutex_);
                    stalls_.push_back(stall);
                    thread_ = std::this_thread::get_id();
                }};
    }
    std::vector<Stall> stalls() {
        std::lock_guard lock(mutex_);
        return stalls_;
    }
    std::thread::id thread() {
        std::lock_guard lock(mutex_);
        return thread_;
    }

private:
    std::mutex mutex_;
    std::vector<Stall> stalls_;
    std::thread::id thread_;
};

void stand_still(Told& told, std::size_t until) {
    for (int i = 0; i < 5000 && told.stalls().size() < until; ++i) std::this_thread::sleep_for(1ms);
}

Coro<> rude(Told& told, std::size_t until) {
    co_await sleep(0s);
    stand_still(told, until);
}

TEST(StallWatchdog, TellsOfAStepOnAnotherThreadWhileItLasts) {
    Told told;
    run([](Told& seen) -> Coro<> {
        StallWatchdog watchdog(seen.options(0.03));
        Task<> task = create_task(rude(seen, 2), {.name = "rude one"});
        co_await task;
        EXPECT_GE(seen.stalls().size(), 2U) << "it would have waited for five seconds";
    }(told));
    std::vector<Stall> stalls = told.stalls();
    ASSERT_GE(stalls.size(), 2U);
    EXPECT_EQ(stalls[0].task, "rude one");
    EXPECT_NE(stalls[0].coroutine.find("rude() at "), std::string::npos) << stalls[0].coroutine;
    EXPECT_NE(stalls[0].coroutine.find("watchdog_test.cpp:"), std::string::npos) << stalls[0].coroutine;
    EXPECT_GE(stalls[0].so_far, 30ms);
    EXPECT_GE(stalls[1].so_far, 2 * stalls[0].so_far);
    EXPECT_GE(stalls[0].native_stack.size(), 3U) << str(stalls[0]);
    EXPECT_NE(told.thread(), std::this_thread::get_id());
    EXPECT_EQ(str(stalls[0]).find("Task 'rude one' in "), 0U) << str(stalls[0]);
}

TEST(StallWatchdog, TellsOfACallbackFromAnotherThreadToo) {
    Told told;
    run([](Told& seen) -> Coro<> {
        WatchdogOptions options = seen.options(0.03);
        options.native_stack = false;
        StallWatchdog watchdog(options);
        get_running_loop().call_soon([&] { stand_still(seen, 1); });
        co_await sleep(0s);
        co_await sleep(0s);
    }(told));
    ASSERT_GE(told.stalls().size(), 1U);
    EXPECT_EQ(told.stalls()[0].coroutine, "");
    EXPECT_TRUE(told.stalls()[0].native_stack.empty());
    EXPECT_EQ(str(Stall{.so_far = Seconds(0.25), .task = {}, .coroutine = {}, .native_stack = {"a", "b"}}),
              "A callback has held its loop for 0.250 seconds\n  a\n  b");
}

TEST(StallWatchdog, SaysNothingOfAThreadThatSleepsOrIsQuick) {
    Told told;
    run([](Told& seen) -> Coro<> {
        StallWatchdog watchdog(seen.options(2));
        co_await sleep(20ms);
        for (int i = 0; i < 1000; ++i) co_await sleep(0s);
    }(told));
    EXPECT_TRUE(told.stalls().empty());
}

TEST(StallWatchdog, RefusesWhatMakesNoSense) {
    EXPECT_THROW(StallWatchdog(), RuntimeError);
    support::run_test([]() -> Coro<> {
        EXPECT_EQ(outcome([] { StallWatchdog({.threshold = Seconds(0)}); }),
                  "ValueError('threshold must be a positive number, got 0.0')");
        Seconds none(std::numeric_limits<double>::quiet_NaN());
        EXPECT_THROW(StallWatchdog({.threshold = none}), ValueError);
        EXPECT_THROW(StallWatchdog({.signal = 4711}), OSError);
        auto before = std::signal(SIGUSR2, [](int) {});
        EXPECT_EQ(outcome([] { StallWatchdog({.signal = SIGUSR2}); }),
                  "RuntimeError('signal 12 has a handler already: choose another signal')");
        std::signal(SIGUSR2, before);
        { StallWatchdog taken({.signal = SIGUSR2}); }
        EXPECT_EQ(std::signal(SIGUSR2, before), before) << "it was not given back";
        co_return;
    });
}

/// There is another thread, and it and all others wait for something.
bool other_threads_sleep() {
    std::size_t others = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        if (thread.path().filename() == std::to_string(::gettid())) continue;
        std::string line;
        std::getline(std::ifstream(thread.path() / "stat"), line);
        std::size_t name_ends = line.rfind(')');
        if (name_ends == std::string::npos || line.compare(name_ends, 4, ") S ") != 0) return false;
        ++others;
    }
    return others > 0;
}

Coro<> until_other_threads_sleep() {
    for (int i = 0; i < 10'000; ++i) {
        if (other_threads_sleep()) co_return;
        co_await sleep(1ms);
    }
    ADD_FAILURE() << "they do not come to rest";
}

TEST(StallWatchdog, IsSilentInAForkedChild) {
    Told told;
    run([](Told& seen) -> Coro<> {
        StallWatchdog watchdog(seen.options(5));
        co_await until_other_threads_sleep();  // one that allocates at the fork() may stop a child under ASan
        pid_t child = ::fork();
        if (child == 0) {
            ::alarm(20);
            std::exit(0);  // with the watchdog's destructor not run: it stands in the parent's frame
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
        co_return;
    }(told));
}

TEST(StallWatchdog, EndsInAForkedChildThatGoesOnWithTheLoop) {
    int status = -1;
    run([](int& its_status) -> Coro<> {
        pid_t child = 0;
        {
            StallWatchdog watchdog;
            co_await until_other_threads_sleep();
            child = ::fork();
            co_await sleep(0s);
        }
        if (child == 0) ::_exit(7);
        ::waitpid(child, &its_status, 0);
    }(status));
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
