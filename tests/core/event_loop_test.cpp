#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include "support/no_more_descriptors.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class Error, class F>
std::string sentence_of(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

// CPython: test_base_events.py, BaseEventLoopTests.test_run_once
// CPython: test_base_events.py, BaseEventLoopTests.test_call_soon
// CPython: test_events.py, EventLoopTestsMixin.test_call_soon
TEST(EventLoop, StopRequestedByACallbackEndsTheLoopAfterThatPass) {
    EventLoop loop;
    std::string order;
    loop.call_soon([&] {
        order += 'a';
        loop.stop();
        loop.call_soon([&] { order += 'c'; });
    });
    loop.call_soon([&](char name, int times) { order.append(static_cast<std::size_t>(times), name); }, 'b', 2);
    loop.run_forever();
    EXPECT_EQ(order, "abb");
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(order, "abbc");
}

// CPython: test_base_events.py, BaseEventLoopTests.test_run_forever_pre_stopped
TEST(EventLoop, StoppedBeforehandItMakesOnePass) {
    EventLoop loop;
    int passes = 0;
    loop.call_soon([&] {
        ++passes;
        loop.call_soon([&] { ++passes; });
    });
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(passes, 1);
    EXPECT_FALSE(loop.is_running());
}

// CPython: test_base_events.py, BaseEventLoopTests.test_close
// CPython: test_events.py, EventLoopTestsMixin.test_close
TEST(EventLoop, ClosedItRefusesEverything) {
    EventLoop loop;
    EXPECT_FALSE(loop.is_closed());
    loop.close();
    loop.close();
    EXPECT_TRUE(loop.is_closed());
    const std::string closed = "Event loop is closed";
    auto nothing = [] {};
    auto coroutine = []() -> Coro<> { co_return; };
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.run_forever(); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.run_until_complete(coroutine()); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.call_soon(nothing); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.call_soon_threadsafe(nothing); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.call_later(10ms, nothing); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.call_at(loop.time() + 0.01, nothing); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.run_in_executor(nullptr, nothing); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.create_task(coroutine()); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.add_reader(0, nothing); }), closed);
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.add_signal_handler(SIGTERM, nothing); }), closed);
    Future<> future = loop.create_future<>();
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.run_until_complete(future); }), closed);
}

// CPython: test_base_events.py, BaseEventLoopTests.test_create_task_error_closes_coro
TEST(EventLoop, ATaskRefusedByAClosedLoopClosesItsCoroutine) {
    struct Witness {
        explicit Witness(bool& gone) : gone_(&gone) {}
        Witness(Witness&& other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
        ~Witness() {
            if (gone_ != nullptr) *gone_ = true;
        }
        bool* gone_;
    };
    EventLoop loop;
    loop.close();
    bool gone = false;
    auto coroutine = [](Witness) -> Coro<> { co_return; };
    EXPECT_THROW(loop.create_task(coroutine(Witness(gone))), RuntimeError);
    EXPECT_TRUE(gone);
}

// CPython: test_events.py, EventLoopTestsMixin.test_close_running_event_loop
TEST(EventLoop, CannotBeClosedWhileItRuns) {
    EventLoop loop;
    std::string sentence;
    loop.call_soon([&] {
        sentence = sentence_of<RuntimeError>([&] { loop.close(); });
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(sentence, "Cannot close a running event loop");
}

// CPython: test_events.py, EventLoopTestsMixin.test_run_until_complete_nesting
// CPython: test_base_events.py, RunningLoopTests.test_running_loop_within_a_loop
// CPython: test_events.py, GetEventLoopTestsMixin.test_get_running_loop_already_running
TEST(EventLoop, RefusesToRunInsideARunningLoop) {
    EventLoop outer;
    EventLoop inner;
    auto nothing = []() -> Coro<> { co_return; };
    auto main = [&]() -> Coro<> {
        EXPECT_TRUE(outer.is_running());
        EXPECT_EQ(sentence_of<RuntimeError>([&] { outer.run_until_complete(nothing()); }),
                  "This event loop is already running");
        EXPECT_EQ(sentence_of<RuntimeError>([&] { inner.run_until_complete(nothing()); }),
                  "Cannot run the event loop while another loop is running");
        EXPECT_EQ(sentence_of<RuntimeError>([&] { inner.run_forever(); }),
                  "Cannot run the event loop while another loop is running");
        EXPECT_EQ(&get_running_loop(), &outer);
        co_return;
    };
    outer.run_until_complete(main());
}

// CPython: test_events.py, GetEventLoopTestsMixin.test_get_event_loop_returns_running_loop2
TEST(EventLoop, IsTheRunningLoopOnlyWhileItRuns) {
    EXPECT_EQ(sentence_of<RuntimeError>([] { get_running_loop(); }), "no running event loop");
    EventLoop loop;
    EventLoop* seen = nullptr;
    loop.call_soon([&] {
        seen = &get_running_loop();
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(seen, &loop);
    EXPECT_THROW(get_running_loop(), RuntimeError);
}

// CPython: test_events.py, EventLoopTestsMixin.test_run_until_complete
TEST(EventLoop, RunsNoShorterThanACoroutineTakes) {
    EventLoop loop({.clock = VirtualClock{}});
    auto main = []() -> Coro<> { co_await asyncio::sleep(100ms); };
    TimePoint start = loop.time();
    loop.run_until_complete(main());
    EXPECT_EQ(loop.time(), start + 100ms);
}

TEST(EventLoop, RunsUntilAFutureIsDoneAndOnePassMore) {
    EventLoop loop({.clock = VirtualClock{}});
    std::string order;
    auto ticker = [&]() -> Coro<> {
        for (char pass = '0';; ++pass) {
            order += pass;
            co_await asyncio::sleep(0);
        }
    };
    auto main = [&]() -> Coro<int> {
        co_await asyncio::sleep(0);
        co_return 5;
    };
    Task<> ticking = loop.create_task(ticker());
    EXPECT_EQ(loop.run_until_complete(main()), 5);
    EXPECT_EQ(order, "012");  // as CPython 3.14 prints it
    ticking.cancel();
    auto end = [&]() -> Coro<> {
        try {
            co_await ticking;
        } catch (const CancelledError&) {
        }
    };
    loop.run_until_complete(end());
}

// The task is gone with the statement.
TEST(EventLoop, OfATaskThatItIsGivenItMovesTheResultOut) {
    EventLoop loop;
    auto make = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
    std::unique_ptr<int> made = loop.run_until_complete(loop.create_task(make()));
    EXPECT_EQ(*made, 5);
    Task<std::unique_ptr<int>> task = loop.create_task(make());
    const std::unique_ptr<int>& seen = loop.run_until_complete(task);
    EXPECT_EQ(&seen, &task.result());
    auto fail = []() -> Coro<int> {
        throw ValueError("x");
        co_return 1;
    };
    EXPECT_THROW(loop.run_until_complete(loop.create_task(fail())), ValueError);
}

// CPython: test_events.py, EventLoopTestsMixin.test_run_until_complete_stopped
TEST(EventLoop, StoppedBeforeItsFutureIsDoneItSaysSo) {
    EventLoop loop;
    Future<> never = loop.create_future<>();
    loop.call_soon([&] { loop.stop(); });
    EXPECT_EQ(sentence_of<RuntimeError>([&] { loop.run_until_complete(never); }),
              "Event loop stopped before Future completed.");
}

// CPython: test_base_events.py, BaseEventLoopTests.test_run_until_complete_loop
TEST(EventLoop, RefusesAFutureOfAnotherLoop) {
    EventLoop loop;
    EventLoop other;
    Future<> theirs = other.create_future<>();
    EXPECT_EQ(sentence_of<ValueError>([&] { loop.run_until_complete(theirs); }),
              "The future belongs to a different loop than the one specified as the loop argument");
}

// CPython: test_base_events.py, BaseEventLoopTests.test_run_until_complete_loop_orphan_future_close_loop
TEST(EventLoop, IsNotStoppedByTheFutureOfARunThatSystemExitEnded) {
    EventLoop loop({.clock = VirtualClock{}});
    auto waiting = [](Seconds delay) -> Coro<int> {
        co_await asyncio::sleep(delay);
        co_return 7;
    };
    loop.call_soon([] { throw SystemExit(3); });
    EXPECT_THROW(loop.run_until_complete(waiting(100ms)), SystemExit);
    EXPECT_EQ(loop.run_until_complete(waiting(200ms)), 7);
    Task<int> task = loop.create_task(waiting(100ms));
    loop.call_soon([] { throw SystemExit(3); });
    EXPECT_THROW(loop.run_until_complete(task), SystemExit);
    EXPECT_EQ(loop.run_until_complete(waiting(200ms)), 7);
    EXPECT_TRUE(task.done());
}

TEST(EventLoop, CanRunAgainAfterSystemExitLeftIt) {
    EventLoop loop({.clock = VirtualClock{}});
    auto leaving = []() -> Coro<> {
        co_await asyncio::sleep(100ms);
        throw SystemExit(3);
    };
    auto waiting = []() -> Coro<> { co_await asyncio::sleep(100ms); };
    Task<> orphan = loop.create_task(waiting());
    EXPECT_THROW(loop.run_until_complete(leaving()), SystemExit);
    loop.run_until_complete(waiting());
    EXPECT_TRUE(orphan.done());
}

// CPython: test_base_events.py, BaseEventLoopTests.test_run_until_complete_baseexception
// CPython: test_base_events.py, BaseEventLoopTests.test_run_forever_keyboard_interrupt
TEST(EventLoop, LeavesNoStopRequestAndNoReportBehindAfterKeyboardInterrupt) {
    EventLoop loop;
    int reports = 0;
    loop.set_exception_handler([&](EventLoop&, const ExceptionContext&) { ++reports; });
    auto interrupted = []() -> Coro<> {
        throw KeyboardInterrupt();
        co_return;
    };
    EXPECT_THROW(loop.run_until_complete(interrupted()), KeyboardInterrupt);
    int passes = 0;
    loop.call_soon([&] {
        ++passes;
        loop.call_soon([&] {
            ++passes;
            loop.stop();
        });
    });
    loop.run_forever();
    EXPECT_EQ(passes, 2);
    EXPECT_EQ(reports, 0);
}

TEST(EventLoop, KeepsWhatIsLeftOfAPassThatKeyboardInterruptEnded) {
    EventLoop loop;
    std::string order;
    loop.call_soon([&] {
        order += 'a';
        loop.call_soon([&] { order += 'x'; });
    });
    loop.call_soon([] { throw KeyboardInterrupt(); });
    loop.call_soon([&] { order += 'b'; });
    loop.call_soon([&] { order += 'c'; });
    EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
    EXPECT_EQ(order, "a");
    loop.call_soon([&] {
        order += 'd';
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(order, "abcxd");  // as CPython 3.14 has it
}

// CPython: test_base_events.py, BaseEventLoopTests.test_set_debug
TEST(EventLoop, HasADebugFlag) {
    EventLoop loop;
    loop.set_debug(true);
    EXPECT_TRUE(loop.get_debug());
    EXPECT_EQ(repr(loop), "<EventLoop running=False closed=False debug=True>");
    loop.set_debug(false);
    EXPECT_FALSE(loop.get_debug());
}

// CPython: test_base_events.py, BaseEventLoopTests.test_set_task_factory
// CPython: test_base_events.py, BaseEventLoopTests.test_create_named_task_with_default_factory
// CPython: test_base_events.py, BaseEventLoopTests.test_create_named_task_with_custom_factory
TEST(EventLoop, GivesNewTasksToItsTaskFactory) {
    EventLoop loop;
    auto coroutine = []() -> Coro<> { co_return; };
    EXPECT_FALSE(loop.has_task_factory());
    Task<> plain = loop.create_task(coroutine(), {.name = "plain"});
    EXPECT_EQ(plain.get_name(), "plain");
    std::string names;
    loop.set_task_factory([&](EventLoop& made_on, NewTask task, TaskOptions options) {
        EXPECT_EQ(&made_on, &loop);
        names += options.name;
        return task.start(options);
    });
    EXPECT_TRUE(loop.has_task_factory());
    Task<> made = loop.create_task(coroutine(), {.name = "made"});
    EXPECT_EQ(made.get_name(), "made");
    loop.set_task_factory(nullptr);
    EXPECT_FALSE(loop.has_task_factory());
    Task<> again = loop.create_task(coroutine(), {.name = "again"});
    EXPECT_EQ(names, "made");
    loop.run_until_complete(again);
}

TEST(EventLoop, DestroyedWhileClosedOrNeverRunItLeavesNothing) {
    EventLoop never_run;
    never_run.call_soon([] {});
    never_run.call_later(1h, [] {});
    never_run.create_future<std::string>();
    Future<std::string> outlives;
    {
        EventLoop loop;
        outlives = loop.create_future<std::string>();
        outlives.add_done_callback([](Future<std::string>) {});
    }
    outlives.set_result("late");
    EXPECT_EQ(outlives.result(), "late");
    EXPECT_THROW(outlives.get_loop(), RuntimeError);
}

TEST(Handle, EmptyIsNotCancelledAndHasNoContext) {
    Handle empty;
    empty.cancel();
    EXPECT_FALSE(empty.cancelled());
    EXPECT_THROW(empty.get_context(), RuntimeError);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(EventLoop, OutOfDescriptorsItThrowsWhenItWouldSleepAndGoesOnLater) {
    EventLoop loop({.io_backend = IoBackendKind::epoll});
    std::string order;
    loop.call_soon([&] { order += 'a'; });
    loop.call_later(1ms, [&] {
        order += 'b';
        loop.stop();
    });
    {
        support::NoMoreDescriptors none;
        try {
            loop.run_forever();
            order += '?';
        } catch (const OSError& error) {
            EXPECT_EQ(error.errno_value(), EMFILE);
        }
    }
    EXPECT_EQ(order, "a");
    EXPECT_FALSE(loop.is_running());
    loop.run_forever();
    EXPECT_EQ(order, "ab");
}
#endif

}  // namespace
