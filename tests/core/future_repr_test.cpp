#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

/// Without the place that `coro=<...>` names.
std::string without_place(std::string text) {
    std::size_t begin = text.find(" at ");
    std::size_t end = text.find('>', begin);
    if (begin != std::string::npos) text.replace(begin + 4, end - begin - 4, "PLACE");
    return text;
}

TEST(Repr, OfFuturesIsPythons) {
    EventLoop loop;
    auto future = loop.create_future<int>();
    EXPECT_EQ(repr(future), "<Future pending>");
    CallbackId id = future.add_done_callback([](Future<int>) {});
    EXPECT_EQ(repr(future), "<Future pending cb=[1 callback]>");
    future.add_done_callback([](Future<int>) {});
    EXPECT_EQ(repr(future), "<Future pending cb=[2 callbacks]>");
    future.remove_done_callback(id);
    future.set_result(42);
    EXPECT_EQ(repr(future), "<Future finished result=42>");
    auto failed = loop.create_future<int>();
    failed.set_exception(ValueError("x"));
    EXPECT_EQ(repr(failed), "<Future finished exception=ValueError('x')>");
    EXPECT_NE(failed.exception(), nullptr);
    auto cancelled = loop.create_future<std::string>();
    cancelled.cancel("m");
    EXPECT_EQ(repr(cancelled), "<Future cancelled>");
    auto text = loop.create_future<std::string>();
    text.set_result("t");
    EXPECT_EQ(repr(text), "<Future finished result='t'>");
    auto nothing = loop.create_future<>();
    nothing.set_result();
    EXPECT_EQ(repr(nothing), "<Future finished result=None>");
    auto object = loop.create_future<std::unique_ptr<int>>();
    object.set_result(nullptr);
    EXPECT_EQ(repr(object).find("<Future finished result=<std::unique_ptr<int"), 0U) << repr(object);
    EXPECT_EQ(repr(AnyFuture()), "<Future empty handle>");
    auto future_of_future = loop.create_future<Future<int>>();
    future_of_future.set_result(future);
    EXPECT_EQ(repr(future_of_future), "<Future finished result=<Future finished result=42>>");
}

Coro<int> coro(Future<int> future) {
    int value = co_await future;
    co_return value + 1;
}

TEST(Repr, OfTasksIsPythons) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        auto task = create_task(coro(future), {.name = "mine"});
        EXPECT_EQ(without_place(repr(task)), "<Task pending name='mine' coro=<coro() running at PLACE>>");
        co_await sleep(0);
        EXPECT_EQ(without_place(repr(task)),
                  "<Task pending name='mine' coro=<coro() running at PLACE> "
                  "wait_for=<Future pending cb=[1 callback]>>");
        auto outer = create_task([&]() -> Coro<> { co_await task; }, {.name = "outer"});
        co_await sleep(0);
        EXPECT_NE(repr(outer).find("wait_for=<Task pending name='mine' coro=<coro() running at "), std::string::npos);
        EXPECT_NE(repr(task).find(" cb=[1 callback]>"), std::string::npos) << repr(task);
        future.set_result(1);
        co_await outer;
        EXPECT_EQ(without_place(repr(task)),
                  "<Task finished name='mine' coro=<coro() done, defined at PLACE> result=2>");

        auto sleeping = create_task([]() -> Coro<> { co_await sleep(10); }, {.name = "it's"});
        co_await sleep(0);
        sleeping.cancel();
        EXPECT_EQ(repr(sleeping).find("<Task cancelling name=\"it's\" coro=<"), 0U) << repr(sleeping);
        co_await sleep(0);
        EXPECT_EQ(repr(sleeping).find("<Task cancelled name=\"it's\" coro=<"), 0U) << repr(sleeping);
        EXPECT_EQ(repr(AnyTask()), "None");
        EXPECT_EQ(repr(AnyFuture(task)), repr(task));
    });
}

TEST(Repr, OfTasksThatWaitForEachOtherEnds) {
    Reports reports;
    std::string text = outcome([&] {
        run_test([&]() -> Coro<> {
            reports.listen(get_running_loop());
            Task<> a;
            Task<> b;
            auto wait = [](Task<>& other) -> Coro<> { co_await other; };
            a = create_task(wait(b));
            b = create_task(wait(a));
            co_await sleep(0);
            co_await sleep(0);
            EXPECT_NE(repr(a).find("wait_for=..."), std::string::npos) << repr(a);
        });
    });
    EXPECT_EQ(text.substr(0, 12), "RuntimeError");
}

TEST(Repr, OfACoroutineNamesIt) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        auto task = create_task(coro(future));
        EXPECT_EQ(task.get_coro().function(), "coro");
        EXPECT_EQ(task.get_coro().repr().find("<coroutine object coro at 0x"), 0U);
        EXPECT_GT(task.get_coro().definition().line(), 0U);
        co_await sleep(0);
        EXPECT_TRUE(task.get_coro().is_suspended());
        future.set_result(1);
        co_await task;
        EXPECT_FALSE(task.get_coro());
        EXPECT_EQ(task.get_coro().function(), "coro");
    });
}

TEST(Repr, OfALoopTellsItsState) {
    EventLoop loop;
    loop.set_debug(false);
    EXPECT_EQ(repr(loop), "<EventLoop running=False closed=False debug=False>");
    loop.close();
    EXPECT_EQ(repr(loop), "<EventLoop running=False closed=True debug=False>");
}

}  // namespace
