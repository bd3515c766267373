#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/runner.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/sleep_watch.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<> nothing() { co_return; }
Coro<int> five() { co_return 5; }
Coro<> failing() {
    throw ValueError("boom");
    co_return;
}

template <class Error, class F>
std::string sentence_of(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

// CPython: test_runners.py, RunTests.test_asyncio_run_return
// CPython: test_runners.py, RunTests.test_asyncio_run_raises
TEST(Run, ReturnsOrThrowsWhatTheCoroutineDoes) {
    EXPECT_EQ(run(five()), 5);
    EXPECT_EQ(sentence_of<ValueError>([] { run(failing()); }), "boom");
    auto move_only = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
    EXPECT_EQ(*run(move_only()), 7);
    int there = 1;
    auto reference = [&]() -> Coro<int&> { co_return there; };
    EXPECT_EQ(&run(reference()), &there);
}

// CPython: test_runners.py, RunTests.test_asyncio_run_debug
TEST(Run, SetsTheDebugFlagByOptionOrEnvironment) {
    auto debug = []() -> Coro<bool> { co_return get_running_loop().get_debug(); };
    EXPECT_FALSE(run(debug()));
    EXPECT_TRUE(run(debug(), {.debug = true}));
    ::setenv("ASYNCIO_DEBUG", "1", 1);
    EXPECT_TRUE(run(debug()));
    EXPECT_FALSE(run(debug(), {.debug = false}));
    ::setenv("ASYNCIO_DEBUG", "0", 1);
    EXPECT_FALSE(run(debug()));
    EXPECT_TRUE(run(debug(), {.debug = true}));
    ::unsetenv("ASYNCIO_DEBUG");
}

// CPython: test_runners.py, RunTests.test_asyncio_run_from_running_loop
// CPython: test_runners.py, RunnerTests.test_recursive_run
TEST(Run, RefusesToRunInsideARunningLoop) {
    Runner runner;
    auto main = [&]() -> Coro<> {
        EXPECT_EQ(sentence_of<RuntimeError>([] { run(nothing()); }),
                  "asyncio.run() cannot be called from a running event loop");
        EXPECT_EQ(sentence_of<RuntimeError>([&] { runner.run(nothing()); }),
                  "Runner.run() cannot be called from a running event loop");
        co_return;
    };
    runner.run(main());
}

// CPython: test_runners.py, RunTests.test_asyncio_run_cancels_hanging_tasks
TEST(Run, CancelsWhatIsLeftAndWaitsForItsEnd) {
    std::string order;
    auto left_over = [&]() -> Coro<> {
        try {
            co_await asyncio::sleep(1h);
        } catch (const CancelledError&) {
            order += "cancelled ";
        }
        co_await asyncio::sleep(1h);  // a clean-up that takes its time is waited for
        order += "cleaned";
    };
    auto main = [&]() -> Coro<int> {
        create_task(left_over());
        co_await asyncio::sleep(0);
        co_return 5;
    };
    EXPECT_EQ(run(main(), {.clock = VirtualClock{}}), 5);
    EXPECT_EQ(order, "cancelled cleaned");
}

// CPython: test_runners.py, RunTests.test_asyncio_run_reports_hanging_tasks_errors
TEST(Run, ReportsWhatALeftOverTaskThrowsAndKeepsTheResult) {
    auto left_over = []() -> Coro<> {
        try {
            co_await asyncio::sleep(1h);
        } catch (const CancelledError&) {
            throw ValueError("instead");
        }
    };
    std::vector<std::string> seen;
    auto main = [&]() -> Coro<int> {
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
            seen.push_back(context.message + ": " + repr(context.exception) + " of " + context.task.get_name());
        });
        create_task(left_over(), {.name = "left"});
        co_await asyncio::sleep(0);
        co_return 5;
    };
    EXPECT_EQ(run(main()), 5);
    EXPECT_EQ(seen, std::vector<std::string>{
                        "unhandled exception during asyncio.run() shutdown: ValueError('instead') of left"});
}

int loops_made = 0;
EventLoop counting_factory() {
    ++loops_made;
    return EventLoop({.clock = VirtualClock{TimePoint() + 1000s}});
}

// CPython: test_runners.py, RunTests.test_asyncio_run_loop_factory
// CPython: test_runners.py, RunTests.test_loop_factory_default_event_loop
// CPython: test_runners.py, RunnerTests.test_custom_factory
TEST(Run, MakesItsLoopWithTheFactoryOnce) {
    loops_made = 0;
    auto time = []() -> Coro<TimePoint> { co_return get_running_loop().time(); };
    EXPECT_EQ(run(time(), {.loop_factory = counting_factory}), TimePoint() + 1000s);
    EXPECT_EQ(loops_made, 1);
    Runner runner({.loop_factory = counting_factory});
    EXPECT_EQ(runner.get_loop().time(), TimePoint() + 1000s);
    EXPECT_EQ(runner.run(time()), TimePoint() + 1000s);
    EXPECT_EQ(loops_made, 2);
    EXPECT_EQ(run(five(), {.loop_factory = new_event_loop}), 5);
}

// CPython: test_runners.py, RunnerTests.test_debug
// CPython: test_runners.py, RunnerTests.test_non_debug
TEST(Runner, SwitchesDebugOnOrOff) {
    Runner on({.debug = true});
    EXPECT_TRUE(on.get_loop().get_debug());
    Runner off({.debug = false});
    EXPECT_FALSE(off.get_loop().get_debug());
}

// CPython: test_runners.py, RunnerTests.test_run
// CPython: test_runners.py, RunnerTests.test_explicit_close
// CPython: test_runners.py, RunnerTests.test_double_close
// CPython: test_runners.py, RunnerTests.test_second_with_block_raises
TEST(Runner, RunsSeveralTimesUntilItIsClosed) {
    Runner runner;
    EXPECT_EQ(runner.run(five()), 5);
    EXPECT_EQ(sentence_of<ValueError>([&] { runner.run(failing()); }), "boom");
    EXPECT_EQ(runner.run(five()), 5);
    runner.close();
    runner.close();
    EXPECT_EQ(sentence_of<RuntimeError>([&] { runner.get_loop(); }), "Runner is closed");
    EXPECT_EQ(sentence_of<RuntimeError>([&] { runner.run(nothing()); }), "Runner is closed");
}

TEST(Runner, ClosedBeforeItWasUsedItCanStillBeUsed) {
    Runner runner;
    runner.close();  // as in Python: there was nothing to close
    EXPECT_EQ(runner.run(five()), 5);
}

// CPython: test_runners.py, RunnerTests.test_run_future
// CPython: test_runners.py, RunnerTests.test_run_awaitable
TEST(Runner, RunsAnyAwaitable) {
    Runner runner({.clock = VirtualClock{}});
    Future<int> future = runner.get_loop().create_future<int>();
    future.set_result(7);
    EXPECT_EQ(runner.run(future), 7);
    EXPECT_EQ(runner.run(asyncio::sleep(1s, std::string("slept"))), "slept");
    runner.run(asyncio::sleep(1s));
}

TEST(RunUntilComplete, TakesAnyAwaitable) {
    EventLoop loop;
    EXPECT_EQ(loop.run_until_complete(asyncio::sleep(0, 45)), 45);
    auto task = loop.create_task([]() -> Coro<int> { co_return 46; });
    auto [done, pending] = loop.run_until_complete(wait(task));
    EXPECT_EQ(done.at(0).result(), 46);
}

TEST(RunnerLoop, OfAClosedRunnerIsClosedAndStillThere) {
    Runner runner;
    EventLoop& loop = runner.get_loop();
    runner.close();
    EXPECT_TRUE(loop.is_closed());
    EXPECT_THROW(loop.call_soon([] {}), RuntimeError);
    EXPECT_THROW(loop.run_forever(), RuntimeError);
    runner.close();
    EXPECT_THROW(runner.get_loop(), RuntimeError);
}

// CPython: test_runners.py, RunnerTests.test_run_keeps_context
TEST(Runner, KeepsOneContextForAllItsRuns) {
    static ContextVar<int> var("var");
    auto next = []() -> Coro<int> {
        int value = var.get(0) + 1;
        var.set(value);
        co_return value;
    };
    Runner runner;
    EXPECT_EQ(runner.run(next()), 1);
    EXPECT_EQ(runner.run(next()), 2);
    Context own;
    EXPECT_EQ(runner.run(next(), {.context = own}), 1);
    EXPECT_EQ(runner.run(next()), 3);
    EXPECT_EQ(own.get(var), 1);
    EXPECT_EQ(var.get(0), 0);
}

TEST(Runner, TheSecondInterruptThrowsEvenWhenTheFirstIsIgnored) {
    Runner runner;
    std::string order;
    auto stubborn = [&]() -> Coro<> {
        for (int interrupt = 0; interrupt < 2; ++interrupt) {
            std::raise(SIGINT);
            try {
                for (;;) co_await asyncio::sleep(0);
            } catch (const CancelledError&) {
                order += "no ";
            }
        }
    };
    EXPECT_THROW(runner.run(stubborn()), KeyboardInterrupt);
    EXPECT_EQ(order, "no ");
    runner.close();  // cancels it once more, which ends it
    EXPECT_EQ(order, "no no ");
}

// CPython: test_runners.py, RunnerTests.test_interrupt_call_soon
TEST(Runner, AnInterruptCancelsAMainTaskThatOnlyYields) {
    bool cancelled = false;
    auto main = [&]() -> Coro<> {
        try {
            std::raise(SIGINT);
            for (;;) co_await asyncio::sleep(0);
        } catch (const CancelledError&) {
            cancelled = true;
            throw;
        }
    };
    EXPECT_THROW(run(main()), KeyboardInterrupt);
    EXPECT_TRUE(cancelled);
}

// CPython: test_runners.py, RunnerTests.test_interrupt_wait
TEST(Runner, AnInterruptFromOutsideWakesALoopThatSleepsThread) {
    static support::SleepWatch watch;
    Runner runner({.loop_factory = [] { return EventLoop({.io_backend = &watch}); }});
    Future<> awaited = runner.get_loop().create_future<>();
    auto main = [&]() -> Coro<> { co_await awaited; };
    std::thread later([] {
        watch.wait_until_the_loop_sleeps();
        ::kill(::getpid(), SIGINT);
    });
    EXPECT_THROW(runner.run(main()), KeyboardInterrupt);
    later.join();
    EXPECT_TRUE(awaited.cancelled());
}

// CPython: test_runners.py, RunnerTests.test_interrupt_cancelled_task
TEST(Runner, AnInterruptOfATaskThatIsBeingCancelledIsACancelledError) {
    auto interrupted = [&]() -> Coro<> {
        get_running_loop().call_soon([task = current_task()] { task.cancel(); });
        std::raise(SIGINT);
        Future<> never = get_running_loop().create_future<>();
        co_await never;
    };
    EXPECT_THROW(run(interrupted()), CancelledError);
}

TEST(Runner, AMainTaskThatSwallowsTheInterruptReturnsItsValue) {
    auto main = []() -> Coro<int> {
        std::raise(SIGINT);
        try {
            for (;;) co_await asyncio::sleep(0);
        } catch (const CancelledError&) {
        }
        co_return 5;
    };
    EXPECT_EQ(run(main()), 5);
}

TEST(Runner, LeavesAForeignSigintHandlerAloneAndRestoresTheDefault) {
    static int interrupts = 0;
    std::signal(SIGINT, [](int) { ++interrupts; });
    auto main = []() -> Coro<int> {
        std::raise(SIGINT);
        co_await asyncio::sleep(0);
        co_return 5;
    };
    EXPECT_EQ(run(main()), 5);
    EXPECT_EQ(interrupts, 1);
    std::signal(SIGINT, SIG_DFL);
    run(nothing());
    EXPECT_EQ(std::signal(SIGINT, SIG_DFL), SIG_DFL);
}

TEST(Run, CountsTheTwoTasksThatShutTheLoopDownWhetherTheyAreNeededOrNot) {
    auto number = []() -> Coro<int> {
        std::string name = current_task().get_name();
        co_return std::stoi(name.substr(5));
    };
    auto number_with_a_callback_left = [&]() -> Coro<int> {
        get_running_loop().call_soon([] {});
        co_return co_await number();
    };
    int first = run(number());
    EXPECT_EQ(run(number_with_a_callback_left()), first + 3);
    EXPECT_EQ(run(number()), first + 6);
}

TEST(Run, CallbacksThatAreLeftStillRunWhileTheLoopIsShutDown) {
    std::string order;
    auto chain = [&](auto& self, int n) -> void {
        order += std::to_string(n);
        if (n < 3) get_running_loop().call_soon([&, n] { self(self, n + 1); });
    };
    auto body = [&]() -> Coro<> {
        get_running_loop().call_soon([&] { chain(chain, 0); });
        co_return;
    };
    run(body());
    EXPECT_EQ(order, "0123");  // what CPython does
}

TEST(Run, MakesNoSystemObjectForACoroutineThatNeverWaits) {
    int next = ::dup(0);
    ::close(next);
    auto lowest_free = []() -> Coro<int> {
        int fd = ::dup(0);
        ::close(fd);
        co_return fd;
    };
    EXPECT_EQ(run(lowest_free()), next);
}

// CPython: test_runners.py, RunnerTests.test_signal_install_not_supported_ok
TEST(Runner, InAnotherThreadItIgnoresSignalsAndRunsThread) {
    int result = 0;
    std::thread thread([&] { result = run(five()); });
    thread.join();
    EXPECT_EQ(result, 5);
}

}  // namespace
