// What users' code does from inside the library: callbacks and destructors that come back to the loop.
#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// Calls a function when it dies, as the last owner of a connection might.
class AtDeath {
public:
    explicit AtDeath(std::function<void()> act) : act_(std::move(act)) {}
    ~AtDeath() { act_(); }
    AtDeath(const AtDeath&) = delete;
    AtDeath& operator=(const AtDeath&) = delete;

private:
    std::function<void()> act_;
};

class Pair {
public:
    Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
    ~Pair() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    int fd() const { return ends_[0]; }

private:
    int ends_[2];
};

TEST(Reentry, WhatAReaderHeldMayRemoveTheWriterAsItDies) {
    EventLoop loop;
    Pair pair;
    bool removed = false;
    auto connection = std::make_shared<AtDeath>([&] { removed = loop.remove_writer(pair.fd()); });
    loop.add_reader(pair.fd(), [connection] {});
    loop.add_writer(pair.fd(), [] {});
    connection.reset();
    EXPECT_TRUE(loop.remove_reader(pair.fd()));
    EXPECT_TRUE(removed);
    EXPECT_FALSE(loop.remove_writer(pair.fd()));
}

TEST(Reentry, WhatAReplacedReaderHeldMayRemoveTheNewOne) {
    EventLoop loop;
    Pair pair;
    auto connection = std::make_shared<AtDeath>([&] { loop.remove_reader(pair.fd()); });
    loop.add_reader(pair.fd(), [connection] {});
    connection.reset();
    loop.add_reader(pair.fd(), [] {});
    EXPECT_FALSE(loop.remove_reader(pair.fd()));
}

TEST(Reentry, WhatASignalHandlerHeldMayUseTheTableAsItDies) {
    EventLoop loop;
    auto first = std::make_shared<AtDeath>([&] { loop.add_signal_handler(SIGUSR2, [] {}); });
    loop.add_signal_handler(SIGUSR1, [first] {});
    first.reset();
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR2));

    auto second = std::make_shared<AtDeath>([&] { loop.remove_signal_handler(SIGUSR2); });
    loop.add_signal_handler(SIGUSR1, [second] {});
    second.reset();
    loop.add_signal_handler(SIGUSR2, [] {});
    loop.close();
}

TEST(Reentry, AnExceptionHandlerMayReplaceItself) {
    EventLoop loop;
    std::string text(100, 'x');
    std::string seen;
    loop.set_exception_handler([&seen, text](EventLoop& own, const ExceptionContext&) {
        own.set_exception_handler(nullptr);
        seen = text;
    });
    loop.call_soon([] { throw ValueError("x"); });
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(seen, text);
}

TEST(Reentry, ATaskFactoryMayReplaceItself) {
    EventLoop loop;
    std::string text(100, 'x');
    std::string seen;
    loop.set_task_factory([&seen, text](EventLoop& own, NewTask task, TaskOptions options) {
        own.set_task_factory(nullptr);
        seen = text;
        return task.start(options);
    });
    auto nothing = []() -> Coro<> { co_return; };
    loop.run_until_complete(nothing());
    EXPECT_EQ(seen, text);
}

TEST(Reentry, AHandleMayBePartOfWhatItDrops) {
    auto loop = std::make_unique<EventLoop>();
    auto handle = std::make_shared<Handle>();
    Handle* raw = handle.get();
    auto closes = std::make_shared<AtDeath>([&] { loop->close(); });
    *handle = loop->call_soon([handle, closes] {});
    closes.reset();
    handle.reset();
    raw->cancel();
    EXPECT_TRUE(loop->is_closed());
}

TEST(Reentry, ARunnerCannotBeClosedInItsOwnLoop) {
    Runner runner;
    auto closing = [&]() -> Coro<std::string> {
        try {
            runner.close();
        } catch (const RuntimeError& error) {
            co_return error.what();
        }
        co_return "closed";
    };
    EXPECT_EQ(runner.run(closing()), "Cannot close a running event loop");
    EXPECT_EQ(runner.run(asyncio::sleep(0, 5)), 5);
}

TEST(Reentry, ANewTaskOfAClosedLoopIsRefused) {
    std::vector<NewTask> kept;
    EventLoop loop;
    loop.set_task_factory([&](EventLoop&, NewTask task, TaskOptions) {
        kept.push_back(std::move(task));
        return AnyTask();
    });
    auto nothing = []() -> Coro<> { co_return; };
    EXPECT_THROW(loop.create_task(nothing()), TypeError);
    loop.close();
    EXPECT_THROW(kept.front().start({}), RuntimeError);
}

TEST(Reentry, MakingTheValueOfAResultMayCancelItsFuture) {
    EventLoop loop;
    static Future<std::string> future;
    future = loop.create_future<std::string>();
    struct Cancels {
        operator std::string() const {
            future.cancel();
            return "too late";
        }
    };
    EXPECT_THROW(future.set_result(Cancels()), InvalidStateError);
    EXPECT_TRUE(future.cancelled());
    future = {};
}

// A circle of tasks cannot be cancelled. CPython: RecursionError out of the callback, and the loop goes on.
TEST(Reentry, ATimeoutThatCannotCancelItsTaskIsReportedAndTheLoopGoesOn) {
    static Task<> first;
    static Task<> second;
    EventLoop loop({.clock = VirtualClock{}});
    std::vector<std::string> reports;
    loop.set_exception_handler(
        [&](EventLoop&, const ExceptionContext& context) { reports.push_back(context.message); });
    auto wait_for_second = []() -> Coro<> { co_await with(timeout(1s), []() -> Coro<> { co_await second; }); };
    auto wait_for_first = []() -> Coro<> { co_await first; };
    first = loop.create_task(wait_for_second());
    second = loop.create_task(wait_for_first());
    bool went_on = false;
    loop.call_later(5s, [&] {
        went_on = true;
        loop.stop();
    });
    loop.run_forever();
    EXPECT_TRUE(went_on);
    EXPECT_EQ(reports, std::vector<std::string>{"Exception in a callback of the library"});
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});  // both die pending
    first = {};
    second = {};
}

TEST(Reentry, ACircleThroughGatherIsAnErrorAndNoOverflow) {
    static Task<> first;
    static Task<> second;
    auto gather_second = []() -> Coro<> { co_await gather(second); };
    auto gather_first = []() -> Coro<> { co_await gather(first); };
    EventLoop loop({.clock = VirtualClock{}});
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});  // both die pending
    first = loop.create_task(gather_second());
    second = loop.create_task(gather_first());
    loop.run_until_complete(asyncio::ensure_future(loop.create_task(asyncio::sleep(1s))));
    EXPECT_THROW(first.cancel(), RuntimeError);
    first = {};
    second = {};
}

TEST(Reentry, ALongChainOfFuturesDiesWithoutRecursion) {
    int ends = 0;
    auto main = [&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Future<AnyFuture> chain = loop.create_future<AnyFuture>();
        auto first_dies = std::make_shared<AtDeath>([&] { ++ends; });
        chain.add_done_callback([kept = std::move(first_dies)](const AnyFuture&) {});
        for (int i = 0; i < 200'000; ++i) {
            Future<AnyFuture> next = loop.create_future<AnyFuture>();
            next.set_result(AnyFuture(chain));
            chain = next;
        }
        EXPECT_EQ(ends, 0);
        co_return;
    };
    run(main());
    EXPECT_EQ(ends, 1);
}

Coro<> start_another(int depth) {
    if (depth > 0) {
        Task<> next = create_task(start_another(depth - 1), {.eager_start = true});
        co_await next;
    }
}

TEST(Reentry, TooManyEagerTasksInsideEachOtherAreRefused) {
    EXPECT_NO_THROW(run(start_another(900)));
    EXPECT_THROW(run(start_another(5000)), RuntimeError);
}

}  // namespace
