#include "support/run_test.h"

#include <asyncio/core/context_of.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::caught;
using support::run_test;

std::vector<std::string> events;

class With : public testing::Test {
protected:
    With() { events.clear(); }
};

std::string log() {
    std::string text;
    for (const std::string& event : events) text += (text.empty() ? "" : ", ") + event;
    return text;
}

/// A manager whose both ends are plain functions.
class Plain {
public:
    explicit Plain(std::string name = "cm") : name_(std::move(name)) {}
    void aenter() { events.push_back("enter " + name_); }
    void aexit(std::exception_ptr error) { events.push_back("exit " + name_ + " " + repr(error)); }
    const std::string& name() const { return name_; }

private:
    std::string name_;
};

/// One whose both ends wait, and whose body gets a value of its own.
class Slow {
public:
    Slow() {}
    Coro<std::string> aenter() {
        co_await sleep(0);
        events.push_back("enter");
        co_return "resource";
    }
    Coro<bool> aexit(std::exception_ptr error) {
        co_await sleep(0);
        events.push_back("exit " + repr(error));
        co_return swallows;
    }
    bool swallows = false;
};

TEST_F(With, RunsAPlainBodyBetweenEnterAndExitAndGivesItsValue) {
    int value = run_test([]() -> Coro<int> {
        co_return co_await with(Plain("a"), [](Plain& manager) {
            events.push_back("body " + manager.name());
            return 42;
        });
    });
    EXPECT_EQ(value, 42);
    EXPECT_EQ(log(), "enter a, body a, exit a None");
}

TEST_F(With, AwaitsACoroutineBodyAndGivesItsValue) {
    auto value = run_test([]() -> Coro<std::unique_ptr<int>> {
        co_return co_await with(Plain(), []() -> Coro<std::unique_ptr<int>> {
            co_await sleep(1s);
            events.push_back("body");
            co_return std::make_unique<int>(7);
        });
    });
    EXPECT_EQ(*value, 7);
    EXPECT_EQ(log(), "enter cm, body, exit cm None");
}

TEST_F(With, AwaitsWhatAnAwaitableEnterAndExitGive) {
    run_test(
        []() -> Coro<> { co_await with(Slow(), [](std::string& resource) { events.push_back("body " + resource); }); });
    EXPECT_EQ(log(), "enter, body resource, exit None");
}

TEST_F(With, AwaitsAnAwaitableThatAPlainBodyReturnsButHandsOnAFuture) {
    run_test([]() -> Coro<> {
        auto begin = get_running_loop().time();
        co_await with(Plain(), [] { return sleep(2s); });
        EXPECT_EQ((get_running_loop().time() - begin).count(), 2.0);
        int value = co_await with(Plain(), [] { return sleep(1s, 5); });
        EXPECT_EQ(value, 5);
        auto future = get_running_loop().create_future<int>();
        auto same = co_await with(Plain(), [&] { return future; });
        EXPECT_EQ(same, future);
        EXPECT_FALSE(future.done());
    });
}

TEST_F(With, CanBeNestedInAPlainBody) {
    run_test([]() -> Coro<> {
        co_await with(Plain("outer"), [] { return with(Plain("inner"), [] { return sleep(1s); }); });
    });
    EXPECT_EQ(log(), "enter outer, enter inner, exit inner None, exit outer None");
}

TEST_F(With, ShowsTheExceptionToExitAndThrowsItOn) {
    std::string plain;
    std::string waiting;
    run_test([&]() -> Coro<> {
        try {
            co_await with(Plain(), [] { throw ValueError("plain"); });
        } catch (const ValueError&) {
            plain = caught();
        }
        try {
            co_await with(Slow(), []() -> Coro<> {
                co_await sleep(1s);
                throw ValueError("waiting");
            });
        } catch (const ValueError&) {
            waiting = caught();
        }
    });
    EXPECT_EQ(plain, "ValueError('plain')");
    EXPECT_EQ(waiting, "ValueError('waiting')");
    EXPECT_EQ(log(), "enter cm, exit cm ValueError('plain'), enter, exit ValueError('waiting')");
}

TEST_F(With, ThrowsTheSameExceptionObjectOn) {
    bool same = false;
    run_test([&]() -> Coro<> {
        auto thrown = std::make_exception_ptr(ValueError("x"));
        try {
            co_await with(Plain(), [&]() -> Coro<> {
                std::rethrow_exception(thrown);
                co_return;
            });
        } catch (...) {
            same = std::current_exception() == thrown;
        }
    });
    EXPECT_TRUE(same);
}

TEST_F(With, DropsTheExceptionWhenExitReturnsTrue) {
    run_test([]() -> Coro<> {
        Slow manager;
        manager.swallows = true;
        co_await with(manager, []() -> Coro<> {
            throw ValueError("dropped");
            co_return;
        });
        events.push_back("after");
    });
    EXPECT_EQ(log(), "enter, exit ValueError('dropped'), after");
}

TEST_F(With, ThrowsWhenTheDroppedExceptionLeavesNoValue) {
    std::string thrown = support::outcome([] {
        return run_test([]() -> Coro<int> {
            Slow manager;
            manager.swallows = true;
            co_return co_await with(manager, [](std::string&) -> int { throw ValueError("dropped"); });
        });
    });
    EXPECT_EQ(thrown,
              "RuntimeError('with() has no value to return: aexit() swallowed the exception that ended the body')");
}

class Failing {
public:
    Failing(bool enter, bool exit) : enter_(enter), exit_(exit) {}
    Failing& aenter() {
        if (enter_) throw ValueError("enter");
        return *this;
    }
    void aexit(std::exception_ptr) {
        events.push_back("exit");
        if (exit_) throw ValueError("exit");
    }

private:
    bool enter_;
    bool exit_;
};

TEST_F(With, DoesNotExitWhatCouldNotBeEnteredAndLetsExitReplaceTheException) {
    auto outcome_of = [](bool enter, bool exit) {
        return support::outcome([&] {
            run_test(
                [&]() -> Coro<> { co_await with(Failing(enter, exit), [](Failing&) { throw LookupError("body"); }); });
        });
    };
    EXPECT_EQ(outcome_of(true, false), "ValueError('enter')");
    EXPECT_EQ(log(), "");
    EXPECT_EQ(outcome_of(false, true), "ValueError('exit')");
    EXPECT_EQ(outcome_of(false, false), "LookupError('body')");
}

TEST_F(With, KeepsRvaluesAliveWhileItIsStored) {
    run_test([]() -> Coro<> {
        auto make = [] {
            return with(Plain("a manager with a name too long for a small string"), [] { return sleep(1s); });
        };
        auto stored = make();
        EXPECT_TRUE(iscoroutine(stored));
        EXPECT_EQ(log(), "");
        co_await std::move(stored);
        auto task = create_task(make());
        co_await task;
    });
    EXPECT_EQ(events.size(), 4U);
}

TEST_F(With, UsesLvaluesWhereTheyAre) {
    run_test([]() -> Coro<> {
        Slow manager;
        int calls = 0;
        auto body =
            [&, text = std::string("a capture with a destructor, in a lambda with a name")](std::string&) mutable {
            text += "!";
            calls += static_cast<int>(text.back() == '!');
        };
        co_await with(manager, body);
        co_await with(manager, body);
        EXPECT_EQ(calls, 2);
    });
}

TEST_F(With, KeepsTheManagerAndTheBodyUntilTheExitIsOver) {
    auto counted = std::make_shared<int>(0);
    class Holder {
    public:
        explicit Holder(std::shared_ptr<int> count) : count_(std::move(count)) {}
        void aenter() {}
        Coro<> aexit(std::exception_ptr) {
            co_await sleep(1s);
            ++*count_;
        }

    private:
        std::shared_ptr<int> count_;
    };
    run_test([&]() -> Coro<> {
        co_await with(Holder(counted), [&]() -> Coro<> { co_await sleep(1s); });
        EXPECT_EQ(*counted, 1);
        EXPECT_EQ(counted.use_count(), 1);
    });
}

TEST_F(With, PassesACancellationThroughTheExit) {
    run_test([]() -> Coro<> {
        auto task =
            create_task([]() -> Coro<> { co_await with(Slow(), [](std::string&) -> Coro<> { co_await sleep(10s); }); });
        co_await sleep(1s);
        task.cancel("stop");
        try {
            co_await task;
        } catch (const CancelledError&) {
            events.push_back("task " + caught());
        }
        EXPECT_TRUE(task.cancelled());
    });
    EXPECT_EQ(log(), "enter, exit CancelledError('stop'), task CancelledError('stop')");
}

struct FailsAtTheEnd {
    FailsAtTheEnd() {}
    void aenter() {}
    Coro<> aexit(std::exception_ptr) {
        co_await sleep(0);
        throw OSError("exit failed");
    }
};
/// What it ends with is the same error each time.
struct IsLost {
    explicit IsLost(std::exception_ptr error) : error_(std::move(error)) {}
    void aenter() {}
    void aexit(std::exception_ptr) { std::rethrow_exception(error_); }
    std::exception_ptr error_;
};
struct ThrowsOnwards {
    ThrowsOnwards() {}
    void aenter() {}
    void aexit(std::exception_ptr error) { std::rethrow_exception(error); }
};

TEST_F(With, AnErrorOfTheExitHasTheBodysAsItsContext) {
    run_test([]() -> Coro<> {
        std::exception_ptr of_exit, same;
        auto fails = [] { throw ValueError("the real reason"); };
        try {
            co_await with(FailsAtTheEnd(), fails);
        } catch (const OSError&) {
            of_exit = std::current_exception();
        }
        EXPECT_EQ(repr(context_of(of_exit)), "ValueError('the real reason')");
        try {
            co_await with(FailsAtTheEnd(), [] {});
        } catch (const OSError&) {
            of_exit = std::current_exception();
        }
        EXPECT_FALSE(context_of(of_exit));
        try {
            co_await with(ThrowsOnwards(), fails);
        } catch (const ValueError&) {
            same = std::current_exception();
        }
        EXPECT_FALSE(context_of(same));
    });
}

TEST_F(With, TheContextOfAnErrorIsThatOfTheLastTime) {
    run_test([]() -> Coro<> {
        std::exception_ptr lost = std::make_exception_ptr(OSError("lost"));
        for (const char* round : {"first", "second", "third"}) {
            auto fails = [&] { throw ValueError(round); };
            try {
                co_await with(IsLost(lost), fails);
            } catch (const OSError&) {
            }
            EXPECT_EQ(repr(context_of(lost)), "ValueError('" + std::string(round) + "')");
            EXPECT_FALSE(context_of(context_of(lost)));
        }
    });
}

TEST_F(With, MayBeDestroyedInTheMiddle) {
    support::Reports reports;
    {
        EventLoop loop({.clock = VirtualClock{}});
        reports.listen(loop);
        loop.create_task([]() -> Coro<> {
            co_await with(timeout(100s), [](Timeout&) -> Coro<> {
                co_await with(Slow(), [](std::string&) -> Coro<> { co_await sleep(10s); });
            });
        });
        auto a_while = []() -> Coro<> { co_await sleep(1s); };
        loop.run_until_complete(a_while());
    }
    EXPECT_EQ(reports.str(), "Task was destroyed but it is pending!: None");
    EXPECT_EQ(log(), "enter");
}

}  // namespace
