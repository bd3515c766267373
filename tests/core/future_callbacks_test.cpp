#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

void run_briefly(EventLoop& loop) {
    loop.stop();
    loop.run_forever();
}

class Callbacks : public testing::Test {
protected:
    auto note(int number) {
        return
            [this, number](Future<int> done) { ran.push_back(number * 100 + (done.exception() ? 0 : done.result())); };
    }

    EventLoop loop;
    Future<int> future = loop.create_future<int>();
    std::vector<int> ran;
};

// CPython: test_futures.py, BaseFutureDoneCallbackTests.test_callbacks_invoked_on_set_result
TEST_F(Callbacks, RunInOrderFromTheLoopAfterSetResult) {
    future.add_done_callback(note(1));
    future.add_done_callback(note(2));
    EXPECT_TRUE(ran.empty());
    future.set_result(42);
    EXPECT_TRUE(ran.empty());
    run_briefly(loop);
    EXPECT_EQ(ran, (std::vector<int>{142, 242}));
    EXPECT_EQ(future.result(), 42);
}

// CPython: test_futures.py, BaseFutureDoneCallbackTests.test_callbacks_invoked_on_set_exception
TEST_F(Callbacks, RunAfterSetException) {
    future.add_done_callback(note(3));
    future.set_exception(ValueError("x"));
    EXPECT_TRUE(ran.empty());
    run_briefly(loop);
    EXPECT_EQ(ran, std::vector<int>{300});
}

TEST_F(Callbacks, RunAfterCancelWithTheFuture) {
    AnyFuture got;
    future.add_done_callback([&](AnyFuture done) { got = done; });
    future.cancel();
    EXPECT_FALSE(got);
    run_briefly(loop);
    EXPECT_EQ(got, future);
}

// CPython: test_futures.py, BaseFutureDoneCallbackTests.test_remove_done_callback
TEST_F(Callbacks, RemovedDoNotRun) {
    CallbackId first = future.add_done_callback(note(1));
    CallbackId second = future.add_done_callback(note(2));
    EXPECT_NE(first, second);
    EXPECT_EQ(future.remove_done_callback(first), 1U);
    EXPECT_EQ(future.remove_done_callback(first), 0U);
    future.set_result(1);
    EXPECT_EQ(future.remove_done_callback(second), 0U);  // too late, as in Python
    run_briefly(loop);
    EXPECT_EQ(ran, std::vector<int>{201});
}

// CPython: test_futures.py, BaseFutureDoneCallbackTests.test_callbacks_remove_first_callback
// CPython: test_futures.py, BaseFutureDoneCallbackTests.test_callbacks_remove_first_and_second_callback
// CPython: test_futures.py, BaseFutureDoneCallbackTests.test_callbacks_remove_third_callback
TEST_F(Callbacks, RemovedLeaveTheOthersInOrder) {
    for (unsigned removed = 0; removed < 8; ++removed) {
        future = loop.create_future<int>();
        ran.clear();
        CallbackId ids[3];
        for (int i = 0; i < 3; ++i) ids[i] = future.add_done_callback(note(i));
        std::vector<int> left;
        for (int i = 0; i < 3; ++i) {
            bool remove = (removed >> i & 1U) != 0;
            if (remove) {
                EXPECT_EQ(future.remove_done_callback(ids[i]), 1U);
                EXPECT_EQ(future.remove_done_callback(ids[i]), 0U);
            } else {
                left.push_back(i * 100 + 7);
            }
        }
        future.set_result(7);
        run_briefly(loop);
        EXPECT_EQ(ran, left);
    }
}

// CPython: test_futures.py, BaseFutureDoneCallbackTests.test_schedule_callbacks_list_mutation_1
TEST_F(Callbacks, MayRemoveAndAddWhileTheyRun) {
    CallbackId second{};
    future.add_done_callback([&](Future<int> done) {
        ran.push_back(1);
        EXPECT_EQ(done.remove_done_callback(second), 0U);
        done.add_done_callback(note(9));
    });
    second = future.add_done_callback(note(2));
    future.set_result(0);
    run_briefly(loop);
    EXPECT_EQ(ran, (std::vector<int>{1, 200}));
    run_briefly(loop);
    EXPECT_EQ(ran, (std::vector<int>{1, 200, 900}));
}

TEST_F(Callbacks, OfADoneFutureAreScheduled) {
    future.set_result(5);
    future.add_done_callback(note(1));
    EXPECT_TRUE(ran.empty());
    run_briefly(loop);
    EXPECT_EQ(ran, std::vector<int>{105});
}

TEST_F(Callbacks, RemovedByTheDestructorOfAnotherAreNoTrouble) {
    CallbackId last{};
    auto on_end = [this, &last](int*) { EXPECT_EQ(future.remove_done_callback(last), 1U); };
    int dummy = 0;
    CallbackId first = future.add_done_callback(
        [guard = std::unique_ptr<int, std::function<void(int*)>>(&dummy, on_end)](Future<int>) {});
    last = future.add_done_callback(note(1));
    EXPECT_EQ(future.remove_done_callback(first), 1U);
    future.set_result(1);
    run_briefly(loop);
    EXPECT_TRUE(ran.empty());
}

TEST_F(Callbacks, KeepTheFutureUntilTheyRan) {
    future.add_done_callback(note(1));
    future.set_result(6);
    future = {};
    run_briefly(loop);
    EXPECT_EQ(ran, std::vector<int>{106});
}

TEST_F(Callbacks, AreDestroyedWithAFutureThatNeverEnds) {
    auto kept = std::make_shared<int>(1);
    future.add_done_callback([kept](Future<int>) {});
    EXPECT_EQ(kept.use_count(), 2);
    future = {};
    EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(Callbacks, AreDestroyedWithALoopThatNeverRunsThem) {
    auto kept = std::make_shared<int>(1);
    {
        EventLoop other;
        auto scheduled = other.create_future<int>();
        scheduled.add_done_callback([kept](Future<int>) {});
        scheduled.set_result(1);
        auto late = other.create_future<int>();
        late.add_done_callback([kept](Future<int>) {});
        other.close();
        late.set_result(1);
        EXPECT_TRUE(late.done());
        EXPECT_EQ(kept.use_count(), 1) << "the handles are still there";
    }
    EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(Callbacks, ThatThrowAreReportedAndTheNextRuns) {
    Reports reports;
    reports.listen(loop);
    future.add_done_callback([](Future<int>) { throw ValueError("bad"); });
    future.add_done_callback(note(2));
    future.set_result(1);
    run_briefly(loop);
    EXPECT_EQ(ran, std::vector<int>{201});
    ASSERT_EQ(reports.exceptions, std::vector<std::string>{"ValueError('bad')"});
}

struct FailingCallback {
    void operator()(Future<int>) const { throw ValueError("bad"); }
};

// In Python a done callback is a Handle whose argument is the future.
TEST_F(Callbacks, ThatThrowAreReportedAsAHandleThatIsCalledWithTheFuture) {
    Reports reports;
    reports.listen(loop);
    future.add_done_callback(FailingCallback());
    future.set_result(1);
    run_briefly(loop);
    std::string call = "(anonymous namespace)::FailingCallback(<Future finished result=1>)";
    ASSERT_EQ(reports.str(), "Exception in callback " + call + ": ValueError('bad')");
    const ExceptionContext& context = reports.contexts.at(0);
    EXPECT_EQ(repr(context.handle), "<Handle " + call + ">");
    EXPECT_FALSE(context.future || context.task);
    EXPECT_FALSE(context.handle.cancelled());
}

TEST_F(Callbacks, ThatThrowKeyboardInterruptLeaveTheLoopAndTheNextRunsLater) {
    future.add_done_callback([](Future<int>) { throw KeyboardInterrupt(); });
    future.add_done_callback(note(2));
    future.set_result(1);
    EXPECT_EQ(outcome([&] { run_briefly(loop); }), "KeyboardInterrupt()");
    EXPECT_TRUE(ran.empty());
    run_briefly(loop);
    EXPECT_EQ(ran, std::vector<int>{201});
}

TEST_F(Callbacks, RunInTheContextOfTheirRegistration) {
    ContextVar<int> var("var", 0);
    Context given;
    given.run([&] { var.set(7); });
    auto look = [&](Future<int>) { ran.push_back(var.get()); };
    var.set(1);
    future.add_done_callback(look);
    var.set(2);
    future.add_done_callback(look);
    future.add_done_callback(look, {.context = given});
    future.add_done_callback([&](Future<int>) { var.set(8); }, {.context = given});
    var.set(3);
    future.set_result(0);
    run_briefly(loop);
    EXPECT_EQ(ran, (std::vector<int>{1, 2, 7}));
    EXPECT_EQ(given.run([&] { return var.get(); }), 8);
    EXPECT_EQ(var.get(), 3);
}

// Exceptions that nobody retrieves

class Unretrieved : public testing::Test {
protected:
    Unretrieved() { reports.listen(loop); }
    Future<int> failed() {
        auto future = loop.create_future<int>();
        future.set_exception(ValueError("x"));
        return future;
    }
    EventLoop loop;
    Reports reports;
};

// CPython: test_futures.py, BaseFutureTests.test_tb_logger_abandoned
// CPython: test_futures.py, BaseFutureTests.test_tb_logger_result_unretrieved
// CPython: test_futures.py, BaseFutureTests.test_tb_logger_result_retrieved
TEST_F(Unretrieved, ResultsAndPendingFuturesAreNotReported) {
    loop.create_future<int>();
    loop.create_future<int>().set_result(42);
    {
        auto read = loop.create_future<int>();
        read.set_result(42);
        EXPECT_EQ(read.result(), 42);
    }
    EXPECT_EQ(reports.str(), "");
}

// CPython: test_futures.py, BaseFutureTests.test_tb_logger_exception_unretrieved
// CPython: test_futures.py, BaseFutureTests.test_future_exception_never_retrieved
TEST_F(Unretrieved, ExceptionIsReportedWhenTheLastHandleGoes) {
    auto future = failed();
    auto copy = future;
    future = {};
    EXPECT_EQ(reports.str(), "");
    copy = {};
    EXPECT_EQ(reports.str(), "Future exception was never retrieved: ValueError('x')");
    ASSERT_EQ(reports.contexts.size(), 1U);
    // The handler kept the future: it is whole, and not reported again.
    EXPECT_EQ(outcome([&] { std::rethrow_exception(reports.contexts.at(0).future.exception()); }), "ValueError('x')");
    EXPECT_EQ(reports.contexts.at(0).future.as<int>().get_loop().is_closed(), false);
    reports.contexts.clear();
    EXPECT_EQ(reports.messages.size(), 1U);
}

// CPython: test_futures.py, BaseFutureTests.test_tb_logger_exception_retrieved
// CPython: test_futures.py, BaseFutureTests.test_tb_logger_exception_result_retrieved
// CPython: test_futures.py, BaseFutureTests.test_tb_logger_not_called_after_cancel
TEST_F(Unretrieved, ExceptionThatWasLookedAtIsNotReported) {
    EXPECT_NE(failed().exception(), nullptr);
    EXPECT_EQ(outcome([&] { failed().result(); }), "ValueError('x')");
    EXPECT_FALSE(failed().cancel());
    EXPECT_EQ(outcome([&] { loop.run_until_complete(failed()); }), "ValueError('x')");
    EXPECT_EQ(outcome([&] { loop.run_until_complete([](Future<int> f) -> Coro<> { co_await f; }(failed())); }),
              "ValueError('x')");
    EXPECT_EQ(reports.str(), "");
}

TEST_F(Unretrieved, ExceptionIsReportedThoughACallbackWasCalledOrItsReprMade) {
    {
        auto future = failed();
        future.add_done_callback([](Future<int>) {});
        EXPECT_NE(repr(future), "");
    }
    run_briefly(loop);
    EXPECT_EQ(reports.messages.size(), 1U);
}

TEST_F(Unretrieved, ExceptionIsReportedByAFutureThatOutlivesItsLoop) {
    static std::string logged;
    logged.clear();
    Future<int> future;
    {
        EventLoop other;
        future = other.create_future<int>();
        future.set_exception(ValueError("late"));
    }
    LogHandler before = set_log_handler([](LogLevel, std::string_view message) { logged = message; });
    future = {};
    set_log_handler(before);
    EXPECT_EQ(logged.find("Future exception was never retrieved"), 0U) << logged;
    EXPECT_NE(logged.find("ValueError: late"), std::string::npos) << logged;
}

TEST_F(Unretrieved, ExceptionReportedToAHandlerThatThrowsDoesNotEndTheProgram) {
    static int errors_logged;
    errors_logged = 0;
    LogHandler before = set_log_handler([](LogLevel, std::string_view) { ++errors_logged; });
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) { throw ValueError("in the handler"); });
    failed();
    EXPECT_EQ(errors_logged, 1);
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) { throw KeyboardInterrupt(); });
    failed();
    EXPECT_EQ(errors_logged, 2);
    {
        EventLoop other;
        other.set_exception_handler([](EventLoop&, const ExceptionContext&) { throw SystemExit(1); });
        other.create_task([]() -> Coro<> { co_return; });
    }
    EXPECT_EQ(errors_logged, 3);
    set_log_handler(before);
}

// `tasks.add(task)`, `task.add_done_callback(tasks.discard)`
TEST(Future, LeavesASetOfRunningTasksByACallback) {
    std::unordered_set<AnyTask> hashed;
    std::set<Task<int>> ordered;
    run_test([&]() -> Coro<> {
        for (int number : {1, 2}) {
            Task<int> task = create_task(sleep(Seconds(number), number));
            hashed.insert(task);
            hashed.insert(task);
            ordered.insert(task);
            task.add_done_callback([&](const Task<int>& done) {
                hashed.erase(done);
                ordered.erase(done);
            });
        }
        EXPECT_EQ(hashed.size(), 2u);
        EXPECT_EQ(ordered.size(), 2u);
        co_await sleep(Seconds(1.5));
        EXPECT_EQ(hashed.size(), 1u);
        EXPECT_EQ(ordered.size(), 1u);
        co_await sleep(Seconds(1));
    });
    EXPECT_TRUE(hashed.empty() && ordered.empty());
}

}  // namespace
