#include <asyncio/core/foreign.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/run_test.h"
#include "support/sleep_watch.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::run_test;

namespace {

struct Ready {
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const { FAIL(); }
    int await_resume() const { return 1; }
};
struct Inline {
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) const { handle.resume(); }
    int await_resume() const { return 2; }
};
struct Refuses {
    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<>) const { return false; }
    int await_resume() const { return 3; }
};
struct Transfers {
    bool await_ready() const { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> handle) const { return handle; }
    int await_resume() const { return 4; }
};
struct Member {
    Refuses operator co_await() const { return {}; }
};
struct Free {};
Transfers operator co_await(const Free&) { return {}; }

TEST(Foreign, EveryShapeThatDoesNotWaitGoesOnAtOnce) {
    run_test([]() -> Coro<> {
        support::Trace trace;
        int one = co_await Ready();
        int two = co_await Inline();
        int three = co_await Refuses();
        int four = co_await Transfers();
        int five = co_await Member();
        int six = co_await Free();
        Inline named;
        int seven = co_await named;
        const Member constant;
        int eight = co_await constant;
        trace(one, two, three, four, five, six, seven, eight);
        EXPECT_EQ(trace.str(), "0:1 2 3 4 3 4 2 3");
    });
}

/// Gives its handle away; whoever has it resumes it once.
struct Parked {
    explicit Parked(std::coroutine_handle<>& place, std::atomic<int>* counter = nullptr)
        : handle(&place), live(counter) {
        if (live != nullptr) ++*live;
    }
    Parked(Parked&& other) noexcept : handle(other.handle), live(other.live) {
        if (live != nullptr) ++*live;
    }
    Parked(const Parked&) = delete;
    ~Parked() {
        if (live != nullptr) --*live;
    }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> caller) { *handle = caller; }
    std::unique_ptr<int> await_resume() { return std::make_unique<int>(5); }
    std::coroutine_handle<>* handle;
    std::atomic<int>* live;
};

TEST(Foreign, ResumedOnTheLoopItGoesOnInTheNextPassWithItsMoveOnlyResult) {
    run_test([]() -> Coro<> {
        std::coroutine_handle<> handle;
        support::Trace trace;
        get_running_loop().call_soon([&] {
            trace("resume");
            handle.resume();
        });
        std::unique_ptr<int> value = co_await Parked(handle);
        trace(*value);
        EXPECT_EQ(trace.str(), "1:resume, 2:5");
    });
}

struct ByReference {
    int& value;
    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<>) const { return false; }
    int& await_resume() const { return value; }
};
struct ByRvalueReference {
    std::unique_ptr<int>& value;
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    std::unique_ptr<int>&& await_resume() const { return std::move(value); }
};
struct ByConstValue {
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    const std::string await_resume() const { return "constant"; }
};

TEST(Foreign, ResultsMayBeReferencesOrConstant) {
    run_test([]() -> Coro<> {
        int number = 1;
        ByReference reference{number};
        int& result = co_await reference;
        EXPECT_EQ(&result, &number);
        auto owned = std::make_unique<int>(2);
        ByRvalueReference rvalue{owned};
        std::unique_ptr<int> moved = co_await rvalue;
        EXPECT_EQ(*moved, 2);
        std::string text = co_await ByConstValue();
        EXPECT_EQ(text, "constant");
    });
}

struct Throws {
    enum Where { ready, suspend, resume } where;
    explicit Throws(Where there) : where(there) {}
    bool await_ready() const {
        if (where == ready) throw ValueError("ready");
        return false;
    }
    bool await_suspend(std::coroutine_handle<>) const {
        if (where == suspend) throw ValueError("suspend");
        return false;
    }
    void await_resume() const {
        if (where == resume) throw ValueError("resume");
    }
};

TEST(Foreign, ExceptionsOfEveryMemberAreThrownAtTheAwait) {
    std::string told;
    run_test([&]() -> Coro<> {
        for (Throws::Where where : {Throws::ready, Throws::suspend, Throws::resume}) {
            try {
                co_await Throws(where);
                ADD_FAILURE();
            } catch (const ValueError& error) {
                told += error.what() + std::string(" ");
            }
        }
    });
    EXPECT_EQ(told, "ready suspend resume ");
}

/// Resumes its handle on a thread of its own, when the gate is open.
struct OnThread {
    explicit OnThread(std::vector<std::thread>& all, Gate* first = nullptr) : threads(&all), gate(first) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
        threads->emplace_back([gate = gate, handle] {
            if (gate != nullptr) gate->wait();
            handle.resume();
        });
    }
    std::thread::id await_resume() const { return std::this_thread::get_id(); }
    std::vector<std::thread>* threads;
    Gate* gate;
};

class Threads {
public:
    ~Threads() {
        for (std::thread& thread : all) thread.join();
    }
    std::vector<std::thread> all;
};

TEST(ForeignThread, ResumedOnAnotherThreadTheTaskGoesOnInItsOwn) {
    Threads threads;
    run_test([&]() -> Coro<> {
        for (int i = 0; i < 100; ++i) {
            std::thread::id there = co_await OnThread(threads.all);
            EXPECT_NE(there, std::this_thread::get_id());
        }
    });
}

TEST(ForeignThread, SeveralWaitAtTheSameTimeAndVirtualTimeStandsStill) {
    Threads threads;
    support::run_watched([&](support::SleepWatch& watch) -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimePoint start = loop.time();
        Gate gate;
        auto wait = [&]() -> Coro<> { co_await OnThread(threads.all, &gate); };
        auto an_hour = []() -> Coro<> { co_await sleep(3600s); };
        Task<> sleeper = create_task(an_hour());
        std::vector<Task<>> tasks;
        for (int i = 0; i < 10; ++i) tasks.push_back(create_task(wait()));
        co_await sleep(0s);
        std::thread opener([&] {
            watch.wait_until_the_loop_sleeps();
            gate.open();
        });
        for (const Task<>& task : tasks) co_await task;
        opener.join();
        EXPECT_EQ(loop.time(), start);
        EXPECT_FALSE(sleeper.done());
        co_await sleeper;
        EXPECT_EQ(loop.time() - start, Seconds(3600));
    });
}

TEST(Foreign, ACancelledTaskStopsWaitingAtOnceAndTheAwaiterLivesUntilItResumes) {
    std::atomic<int> live = 0;
    run_test([&]() -> Coro<> {
        std::coroutine_handle<> handle;
        support::Trace trace;
        auto wait = [&]() -> Coro<> {
            try {
                co_await Parked(handle, &live);
            } catch (const CancelledError& error) {
                trace(error.what());
                throw;
            }
        };
        Task<> task = create_task(wait());
        co_await sleep(0s);
        EXPECT_EQ(static_cast<detail::TaskBase*>(task.state_or_null())->waiting_on()->edge().kind, WaitKind::foreign);
        task.cancel("enough");
        trace("cancel");
        try {
            co_await task;
        } catch (const CancelledError&) {
        }
        EXPECT_EQ(trace.str(), "1:cancel, 2:enough");
        EXPECT_GE(live, 1);
        handle.resume();
        co_await sleep(0s);
        EXPECT_EQ(live, 0);
    });
}

TEST(ForeignThread, CancellingAndResumingMayMeet) {
    Threads threads;
    run_test([&]() -> Coro<> {
        for (int i = 0; i < 100; ++i) {
            auto wait = [&]() -> Coro<> { co_await OnThread(threads.all); };
            Task<> task = create_task(wait());
            co_await sleep(0s);
            if (i % 2 == 0) std::this_thread::yield();
            bool asked = task.cancel();  // false: it had resumed before
            try {
                co_await task;
            } catch (const CancelledError&) {
            }
            EXPECT_EQ(task.cancelled(), asked);
        }
        co_await sleep(3600s);  // nothing is waited for any more: the clock may jump
    });
}

TEST(ForeignThread, MayResumeWhenTheLoopIsClosedOrGone) {
    std::atomic<int> live = 0;
    std::coroutine_handle<> handles[3];
    {
        EventLoop loop;
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        std::vector<Task<>> tasks;
        auto wait = [&](int i) -> Coro<> { co_await Parked(handles[i], &live); };
        for (int i = 0; i < 3; ++i) tasks.push_back(loop.create_task(wait(i)));
        loop.stop();
        loop.run_forever();
        std::thread([&] { handles[0].resume(); }).join();  // posted, and dropped with the loop
        loop.close();
        std::thread([&] { handles[1].resume(); }).join();
        EXPECT_GE(live, 1);
    }
    std::thread([&] { handles[2].resume(); }).join();
    EXPECT_EQ(live, 0);
}

TEST(ForeignThread, AnExceptionOnAnotherThreadIsThrownInTheTask) {
    struct Fails : OnThread {
        using OnThread::OnThread;
        void await_resume() const { throw ValueError("over there"); }
    };
    Threads threads;
    run_test([&]() -> Coro<> {
        try {
            co_await Fails(threads.all);
            ADD_FAILURE();
        } catch (const ValueError& error) {
            EXPECT_STREQ(error.what(), "over there");
        }
    });
}

/// A coroutine type of another library, with symmetric transfer.
class Other {
public:
    struct promise_type {
        Other get_return_object() { return Other(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        struct Final {
            bool await_ready() noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> own) noexcept {
                return own.promise().parent;
            }
            void await_resume() noexcept {}
        };
        Final final_suspend() noexcept { return {}; }
        void return_value(int result) { value = result; }
        void unhandled_exception() { std::terminate(); }
        std::coroutine_handle<> parent;
        int value = 0;
    };
    explicit Other(std::coroutine_handle<promise_type> own) : own_(own) {}
    Other(Other&& other) noexcept : own_(std::exchange(other.own_, nullptr)) {}
    ~Other() {
        if (own_) own_.destroy();
    }
    bool await_ready() const { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) {
        own_.promise().parent = parent;
        return own_;
    }
    int await_resume() const { return own_.promise().value; }

private:
    std::coroutine_handle<promise_type> own_;
};

Other twice(Threads& first, Threads& second) {
    co_await OnThread(first.all);
    co_await OnThread(second.all);
    co_return 7;
}

TEST(ForeignThread, AnotherLibrarysCoroutineMayHopFromThreadToThread) {
    Threads second;  // filled by a thread of the first
    Threads first;
    int value = run_test([&]() -> Coro<int> { co_return co_await twice(first, second); });
    EXPECT_EQ(value, 7);
}

}  // namespace
