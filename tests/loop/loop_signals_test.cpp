#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <pthread.h>

#include <csignal>
#include <string>
#include <thread>

#include "support/manual_clock.h"
#include "support/run_test.h"
#include "support/sleep_watch.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::outcome;
using support::run_test;

namespace {

// CPython: test_events.py, EventLoopTestsMixin.test_add_signal_handler
TEST(Signals, HandlersAreAddedReplacedAndRemovedAndBadSignalsRefused) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        for (int bad : {0, -1, 65, 1000}) {
            std::string sentence = "ValueError('invalid signal number " + std::to_string(bad) + "')";
            EXPECT_EQ(outcome([&] { loop.add_signal_handler(bad, [] {}); }), sentence);
            EXPECT_EQ(outcome([&] { return loop.remove_signal_handler(bad); }), sentence);
        }
        EXPECT_EQ(outcome([&] { loop.add_signal_handler(SIGKILL, [] {}); }), "RuntimeError('sig 9 cannot be caught')");
        EXPECT_FALSE(loop.remove_signal_handler(SIGKILL));
        EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));

        std::string order;
        loop.add_signal_handler(SIGUSR1, [&] { order += 'a'; });
        loop.add_signal_handler(SIGUSR1, [&] { order += 'b'; });
        std::raise(SIGUSR1);
        co_await sleep(1s);
        EXPECT_EQ(order, "b");
        EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
        EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
        struct sigaction action = {};
        sigaction(SIGUSR1, nullptr, &action);
        EXPECT_EQ(action.sa_handler, SIG_DFL);
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_signal_handling_args
TEST(Signals, TheHandlerGetsItsArgumentsAndMayRemoveItself) {
    int seen = 0;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        loop.add_signal_handler(
            SIGUSR1,
            [&](int value, int signum) {
            seen += value;
            loop.remove_signal_handler(signum);
            },
            7, SIGUSR1);
        std::raise(SIGUSR1);
        co_await sleep(1s);
    });
    EXPECT_EQ(seen, 7);
}

// CPython: test_events.py, EventLoopTestsMixin.test_signal_handling_while_selecting
TEST(SignalsThread, ASignalWakesALoopThatSleeps) {
    // ThreadSanitizer loses a signal that comes while it makes the thread's note of signals, at the first such call.
    ASSERT_EQ(pthread_kill(pthread_self(), 0), 0);
    for (int round = 0; round < 20; ++round) {  // the signal is to come at every moment of falling asleep
        bool is_virtual = round % 2 != 0;
        support::SleepWatch watch;
        LoopOptions options{.io_backend = &watch};
        if (is_virtual) options.clock = VirtualClock{};
        EventLoop loop(options);
        bool called = false;
        loop.add_signal_handler(SIGUSR1, [&] {
            called = true;
            loop.stop();
        });
        pthread_t main_thread = pthread_self();
        std::thread thread([&] {
            watch.wait_until_the_loop_sleeps();
            pthread_kill(main_thread, SIGUSR1);
        });
        loop.run_forever();
        thread.join();
        EXPECT_TRUE(called);
    }
}

TEST(Signals, EachArrivalIsTold) {
    int calls = 0;
    int others = 0;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        loop.add_signal_handler(SIGUSR1, [&] { ++calls; });
        loop.add_signal_handler(SIGUSR2, [&] { ++others; });
        std::raise(SIGUSR1);
        std::raise(SIGUSR2);
        std::raise(SIGUSR1);
        co_await sleep(1s);
    });
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(others, 1);
}

TEST(Signals, ExceptionsOfAHandlerAreReportedAndItStays) {
    support::Reports reports;
    int calls = 0;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        reports.listen(loop);
        loop.add_signal_handler(SIGUSR1, [&] {
            ++calls;
            throw ValueError("bad");
        });
        std::raise(SIGUSR1);
        co_await sleep(1s);
        std::raise(SIGUSR1);
        co_await sleep(1s);
    });
    EXPECT_EQ(calls, 2);
    ASSERT_EQ(reports.exceptions.size(), 2u);
    EXPECT_EQ(reports.exceptions[1], "ValueError('bad')");
}

TEST(Signals, ComeOnceEachInWhateverOrderCallbacksRun) {
    class Scripted : public ReadyOrder {
    public:
        std::size_t choose(std::size_t count) override { return count == 1 ? 0 : 1; }
    };
    Scripted second_first;
    support::ManualClock clock;  // with a clock of its own the loop looks for signals in each pass
    EventLoop loop({.clock = clock, .ready_order = &second_first});
    auto run_one_pass = [&loop] {
        loop.stop();
        loop.run_forever();
    };
    int calls = 0;
    loop.add_signal_handler(SIGUSR1, [&] { ++calls; });
    std::raise(SIGUSR1);
    std::raise(SIGUSR1);
    run_one_pass();  // both are read: the handler's turn, and one more
    EXPECT_EQ(calls, 0);
    std::raise(SIGUSR1);
    run_one_pass();  // the one more, then the third signal is read, then the handler's turn
    EXPECT_EQ(calls, 2);
    run_one_pass();
    EXPECT_EQ(calls, 3);
}

// CPython: unix_events.py, _handle_signal
TEST(Signals, AHandlerWhoseHandleWasCancelledIsNotCalledAgain) {
    int calls = 0;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        loop.set_exception_handler([&](EventLoop&, const ExceptionContext& context) { context.handle.cancel(); });
        std::string text(100, 'a');
        loop.add_signal_handler(SIGUSR1, [&calls, text] {
            ++calls;
            throw ValueError(text);
        });
        std::raise(SIGUSR1);
        co_await sleep(1s);
        std::raise(SIGUSR1);
        co_await sleep(1s);
        EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
    });
    EXPECT_EQ(calls, 1);
}

TEST(SignalsThread, OnlyTheMainThreadMayAddOne) {
    std::string told;
    std::thread([&] {
        told = outcome([] {
            EventLoop loop;
            loop.add_signal_handler(SIGUSR1, [] {});
        });
    }).join();
    EXPECT_EQ(told, "RuntimeError('set_wakeup_fd only works in main thread of the main interpreter')");
}

TEST(Signals, ClosingTheLoopGivesTheSignalBack) {
    EventLoop loop;
    loop.add_signal_handler(SIGUSR1, [] {});
    loop.close();
    struct sigaction action = {};
    sigaction(SIGUSR1, nullptr, &action);
    EXPECT_EQ(action.sa_handler, SIG_DFL);
    EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
    EXPECT_EQ(outcome([&] { loop.add_signal_handler(SIGUSR1, [] {}); }), "RuntimeError('Event loop is closed')");
}

}  // namespace
