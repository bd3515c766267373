#include <asyncio/tasks/async_exit_stack.h>

#include "support/run_test.h"

#include <asyncio/core/context_of.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/sync/lock.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

std::string events;
void note(const std::string& event) { events += (events.empty() ? "" : ", ") + event; }
Coro<> note_later(std::string event) {
    co_await sleep(1s);
    note(event);
}

class TestStack : public testing::Test {
protected:
    TestStack() { events.clear(); }
};

std::string chain(std::exception_ptr error) {
    std::string text;
    for (; error; error = context_of(error)) text += (text.empty() ? "" : " <- ") + repr(error);
    return text;
}

/// What comes out of a block with a stack, with its contexts.
template <class Body>
std::string left_by(Body body) {
    try {
        run_test([&] { return with(AsyncExitStack(), body); });
    } catch (...) {
        return chain(std::current_exception());
    }
    return "nothing";
}

Coro<> raise(std::exception_ptr error) {
    std::rethrow_exception(error);
    co_return;
}
std::exception_ptr value_error(const char* text) { return std::make_exception_ptr(ValueError(text)); }

class Manager {
public:
    explicit Manager(std::string name, bool drops = false) : name_(std::move(name)), drops_(drops) {}
    Coro<> aenter() {
        co_await sleep(1s);
        note("enter " + name_);
    }
    Coro<bool> aexit(std::exception_ptr error) {
        co_await sleep(1s);
        note("exit " + name_ + " " + repr(error));
        co_return drops_;
    }
    std::string name_;

private:
    bool drops_;
};

// CPython: test_contextlib.py, TestBaseExitStack.test_no_resources
TEST_F(TestStack, MayStayEmpty) {
    EXPECT_EQ(left_by([](AsyncExitStack&) {}), "nothing");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_callback
// CPython: test_contextlib_async.py, TestAsyncExitStack.test_async_callback
TEST_F(TestStack, CallsBackInTheReverseOrderWithTheArguments) {
    std::string long_text = "a text that is long enough to be allocated";
    EXPECT_EQ(left_by([&](AsyncExitStack& stack) {
                  stack.callback([] { note("no arguments"); });
                  stack.callback([](int a, const std::string& b) { note(std::to_string(a) + b); }, 1, "b");
                  stack.push_async_callback(note_later, long_text);
                  stack.push_async_callback([] { return note_later("awaited"); });
                  stack.callback([](std::unique_ptr<int> p) { note(std::to_string(*p)); }, std::make_unique<int>(7));
                  stack.callback([](std::string& s) { s += "!"; }, std::ref(long_text));
                  note("body");
              }),
              "nothing");
    EXPECT_EQ(events, "body, 7, awaited, a text that is long enough to be allocated, 1b, no arguments");
    EXPECT_EQ(long_text, "a text that is long enough to be allocated!");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_push
// CPython: test_contextlib_async.py, TestAsyncExitStack.test_async_push
TEST_F(TestStack, ExitsSeeTheErrorThatHasComeSoFar) {
    auto sees = [](const std::exception_ptr& error) { note(repr(error)); };
    auto sees_later = [](std::exception_ptr error) -> Coro<> {
        co_await sleep(1s);
        note(repr(error));
    };
    Manager named("named");
    EXPECT_EQ(left_by([&](AsyncExitStack& stack) {
                  stack.push(sees);
                  stack.push_async_exit(named);
                  stack.push_async_exit([](const std::exception_ptr&) -> Coro<bool> { co_return true; });
                  stack.push_async_exit(Manager("kept"));
                  stack.push_async_exit(sees_later);
                  throw ValueError("x");
              }),
              "nothing");
    EXPECT_EQ(events, "ValueError('x'), exit kept ValueError('x'), exit named None, None");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_enter_context
// CPython: test_contextlib_async.py, TestAsyncExitStack.test_enter_async_context
TEST_F(TestStack, EntersManagersAndLeavesThem) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) -> Coro<> {
                  stack.push_async_callback(note_later, "first");
                  Manager& manager = co_await stack.enter_async_context(Manager("kept"));
                  note("body of " + manager.name_);
              }),
              "nothing");
    EXPECT_EQ(events, "enter kept, body of kept, exit kept None, first");
}

class Gives {
public:
    Gives() {}
    Coro<std::string> aenter() { co_return "value"; }
    void aexit(const std::exception_ptr&) { note("left"); }
};
class Refuses {
public:
    Refuses() {}
    void aenter() { throw ValueError("no entrance"); }
    void aexit(const std::exception_ptr&) { note("never"); }
};

TEST_F(TestStack, GivesWhatEnteringGivesAndKeepsIt) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) -> Coro<> {
                  std::string& value = co_await stack.enter_async_context(Gives());
                  co_await stack.enter_async_context(Manager("other"));
                  note(value);
              }),
              "nothing");
    EXPECT_EQ(events, "enter other, value, exit other None, left");
}

TEST_F(TestStack, DoesNotLeaveWhatCouldNotBeEntered) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) -> Coro<> {
                  co_await stack.enter_async_context(Manager("first"));
                  co_await stack.enter_async_context(Refuses());
              }),
              "ValueError('no entrance')");
    EXPECT_EQ(events, "enter first, exit first ValueError('no entrance')");
}

TEST_F(TestStack, TakesTheManagersOfTheLibrary) {
    Lock lock;
    EXPECT_EQ(left_by([&](AsyncExitStack& stack) -> Coro<> {
                  co_await stack.enter_async_context(timeout(10s));
                  co_await stack.enter_async_context(lock);
                  TaskGroup& group = co_await stack.enter_async_context(TaskGroup());
                  group.create_task(note_later("child"));
                  stack.callback([&] { note(lock.locked() ? "locked" : "free"); });
              }),
              "nothing");
    EXPECT_EQ(events, "locked, child");
    EXPECT_FALSE(lock.locked());
    EXPECT_EQ(left_by([&](AsyncExitStack& stack) -> Coro<> {
                  co_await stack.enter_async_context(timeout(2s));
                  co_await stack.enter_async_context(Manager("inside"));
                  co_await sleep(1h);
              }),
              "TimeoutError() <- CancelledError()");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_close
TEST_F(TestStack, CanBeLeftBeforeTheEnd) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) -> Coro<> {
                  stack.callback(note, "1");
                  co_await stack.aclose();
                  note("2");
              }),
              "nothing");
    EXPECT_EQ(events, "1, 2");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_pop_all
TEST_F(TestStack, HandsAllOverToANewStack) {
    run_test([]() -> Coro<> {
        AsyncExitStack outer;
        co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) {
            stack.callback(note, "3");
            outer = stack.pop_all();
            note("1");
        });
        note("2");
        co_await outer.aclose();
        co_await outer.aclose();
    });
    EXPECT_EQ(events, "1, 2, 3");
}

TEST_F(TestStack, ThatIsDestroyedDoesNothing) {
    auto token = std::make_shared<int>(1);
    {
        AsyncExitStack stack;
        stack.callback([token] { note("never"); });
        EXPECT_EQ(token.use_count(), 2);
    }
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_EQ(events, "");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_exit_raise
// CPython: test_contextlib.py, TestBaseExitStack.test_exit_suppress
// CPython: test_contextlib.py, TestBaseExitStack.test_body_exception_suppress
TEST_F(TestStack, AnExitDropsTheErrorByTrueAlone) {
    for (bool drops : {false, true}) {
        EXPECT_EQ(left_by([=](AsyncExitStack& stack) {
                      stack.push([=](const std::exception_ptr&) { return drops; });
                      throw ValueError("x");
                  }),
                  drops ? "nothing" : "ValueError('x')");
    }
    EXPECT_EQ(left_by([](AsyncExitStack& stack) {
                  stack.callback([] { return true; });  // what a callback returns means nothing
                  throw ValueError("x");
              }),
              "ValueError('x')");
}

class Raises {
public:
    Raises(std::exception_ptr error, std::exception_ptr inner = nullptr) : error_(error), inner_(inner) {}
    void aenter() {}
    void aexit(const std::exception_ptr&) {
        if (inner_) set_context(error_, inner_);
        std::rethrow_exception(error_);
    }

private:
    std::exception_ptr error_, inner_;
};

// CPython: test_contextlib.py, TestBaseExitStack.test_exit_exception_chaining
// CPython: test_contextlib.py, TestBaseExitStack.test_exit_exception_chaining_reference
// CPython: test_contextlib_async.py, TestAsyncExitStack.test_async_exit_exception_chaining
TEST_F(TestStack, ErrorsOfExitsHaveTheFormerAsTheirContext) {
    std::string dropped;
    EXPECT_EQ(left_by([&](AsyncExitStack& stack) {
                  stack.push_async_callback(raise, value_error("index"));
                  stack.push_async_callback(raise, value_error("key"));
                  stack.push_async_callback(raise, value_error("attribute"));
                  stack.push([&](const std::exception_ptr& error) {
                      dropped = chain(error);
                      return true;
                  });
                  stack.push_async_callback(raise, value_error("value"));
                  throw LookupError("body");
              }),
              "ValueError('index') <- ValueError('key') <- ValueError('attribute')");
    EXPECT_EQ(dropped, "ValueError('value') <- LookupError('body')");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_exit_exception_non_suppressing
TEST_F(TestStack, AnErrorOfALaterExitIsNotDroppedByAnEarlierOne) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) {
                  stack.callback([] {});
                  stack.push_async_callback(raise, value_error("index"));
              }),
              "ValueError('index')");
    EXPECT_EQ(left_by([](AsyncExitStack& stack) {
                  stack.push_async_callback(raise, value_error("key"));
                  stack.push([](const std::exception_ptr&) { return true; });
                  stack.push_async_callback(raise, value_error("index"));
              }),
              "ValueError('key')");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_exit_exception_with_correct_context
// CPython: test_contextlib.py, TestBaseExitStack.test_exit_exception_with_existing_context
TEST_F(TestStack, ContextsThatErrorsHaveAreContinued) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) -> Coro<> {
                  auto first = value_error("1");
                  auto second = value_error("2");
                  co_await stack.enter_async_context(Raises(value_error("3"), second));
                  co_await stack.enter_async_context(Raises(second, first));
                  std::rethrow_exception(first);
              }),
              "ValueError('3') <- ValueError('2') <- ValueError('1')");
    EXPECT_EQ(left_by([](AsyncExitStack& stack) -> Coro<> {
                  co_await stack.enter_async_context(Raises(value_error("5"), value_error("4")));
                  co_await stack.enter_async_context(Raises(value_error("3"), value_error("2")));
                  throw ValueError("1");
              }),
              "ValueError('5') <- ValueError('4') <- ValueError('3') <- ValueError('2') <- ValueError('1')");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_exit_exception_chaining_suppress
// CPython: test_contextlib.py, TestBaseExitStack.test_dont_reraise_RuntimeError
TEST_F(TestStack, AnErrorOfAnExitMayBeDroppedOrReplacedByTheNext) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) {
                  stack.push([](const std::exception_ptr&) { return true; });
                  stack.push_async_exit([](std::exception_ptr) { return raise(value_error("1")); });
                  stack.push_async_exit([](std::exception_ptr) { return raise(value_error("2")); });
              }),
              "nothing");
    EXPECT_EQ(left_by([](AsyncExitStack& stack) {
                  stack.push([](const std::exception_ptr& error) {
                      auto other = value_error("new");
                      set_context(other, error);
                      std::rethrow_exception(other);
                  });
                  stack.push([](const std::exception_ptr& error) { std::rethrow_exception(error); });
                  throw RuntimeError("please no circle");
              }),
              "ValueError('new') <- RuntimeError('please no circle')");
}

// CPython: test_contextlib.py, TestBaseExitStack.test_excessive_nesting
TEST_F(TestStack, HundredThousandCallbacksNeedNoDeepStack) {
    int calls = 0;
    EXPECT_EQ(left_by([&](AsyncExitStack& stack) {
                  for (int i = 0; i < 100'000; ++i) stack.callback([&] { ++calls; });
              }),
              "nothing");
    EXPECT_EQ(calls, 100'000);
    AsyncExitStack dropped;
    for (int i = 0; i < 100'000; ++i) dropped.callback([] {});
}

TEST_F(TestStack, ACancellationDuringAnExitIsSeenByTheNext) {
    run_test([]() -> Coro<> {
        auto body = [](AsyncExitStack& stack) {
            stack.push_async_exit(Manager("next"));
            stack.push_async_callback(note_later, "cut short");
            throw ValueError("body");
        };
        auto block = [&]() -> Coro<> {
            try {
                co_await with(AsyncExitStack(), body);
            } catch (const CancelledError&) {
                note(chain(std::current_exception()));
                throw;
            }
        };
        Task<> task = create_task(block());
        co_await sleep(0.5s);
        task.cancel("stop");
        co_await wait(task);
        EXPECT_TRUE(task.cancelled());
    });
    EXPECT_EQ(events, "exit next CancelledError('stop'), CancelledError('stop') <- ValueError('body')");
}

TEST_F(TestStack, AnExitMayPushAnother) {
    EXPECT_EQ(left_by([](AsyncExitStack& stack) {
                  stack.callback([&] { stack.callback(note, "pushed"); });
                  stack.callback(note, "first");
              }),
              "nothing");
    EXPECT_EQ(events, "first, pushed");
}

}  // namespace
