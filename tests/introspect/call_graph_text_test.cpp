// How a call graph is printed, and where it ends.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <regex>
#include <string>
#include <vector>

#include "introspect/call_graph_support.h"
#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;
using support::walk;

namespace {

Coro<> c1(Task<> task) { co_await task; }

/// What a task prints, which knows its own lines.
Coro<> prints(std::string& printed, std::vector<StackEntry>& stack) {
    co_await sleep(0s);
    stack = current_task().get_stack();
    char* data = nullptr;
    std::size_t size = 0;
    std::FILE* file = open_memstream(&data, &size);
    print_call_graph({}, file);
    std::fclose(file);
    printed.assign(data, size);
    std::free(data);
}

TEST(CallGraph, IsPrintedAsPythonDoes) {
    run_test([]() -> Coro<> {
        std::string printed;
        std::vector<StackEntry> stack;
        current_task().set_name("main");
        Task<> task = create_task(prints(printed, stack), {.name = "it's"});
        std::vector<StackEntry> own;
        get_running_loop().call_soon([&, main = current_task()] { own = main.get_stack(); });
        co_await task;
        char ids[2][32];
        std::snprintf(ids[0], sizeof ids[0], "%p", static_cast<void*>(task.state_or_null()));
        std::snprintf(ids[1], sizeof ids[1], "%p", static_cast<void*>(current_task().state_or_null()));
        auto line = [](const StackEntry& entry) {
            return "File '" + entry.file + "', line " + std::to_string(entry.line) + ", in async " + entry.function +
                   "()\n";
        };
        EXPECT_EQ(printed, "* Task(name=\"it's\", id=" + std::string(ids[0]) + ")\n  + Call stack:\n  |   " +
                               line(stack.at(0)) + "  + Awaited by:\n    * Task(name='main', id=" + ids[1] +
                               ")\n      + Call stack:\n      |   " + line(own.at(0)));
    });
}

Coro<> limited(std::vector<std::string>& seen) {
    for (int limit : {2, -2, 0, 9, -9}) seen.push_back(walk({.limit = limit}));
    seen.push_back(walk({.depth = 2}));
    seen.push_back(walk({.depth = 9}));
    co_return;
}
Coro<> above(std::vector<std::string>& seen) { co_await limited(seen); }
Coro<> top(std::vector<std::string>& seen) { co_await above(seen); }

TEST(CallGraph, KeepsTheOuterOrTheInnerEndOfAStack) {
    run_test([]() -> Coro<> {
        std::vector<std::string> seen;
        Task<> task = create_task(top(seen), {.name = "t"});
        co_await sleep(0s);
        std::string all = "T<t>[a limited, a above, a top]()";
        EXPECT_EQ(seen, (std::vector<std::string>{"T<t>[a above, a top]()", "T<t>[a limited, a above]()", "T<t>[]()",
                                                  all, all, "T<t>[a above, a top]()", "T<t>[]()"}));
    });
}

TEST(CallGraph, SaysWhatEachTaskWaitsForIfItIsAsked) {
    run_test([]() -> Coro<> {
        Lock lock;
        current_task().set_name("holder");
        co_await lock.acquire();
        Task<bool> task = create_task(lock.acquire(), {.name = "waits"});
        Task<> outer = create_task([&]() -> Coro<> { co_await task; }, {.name = "outer"});
        co_await sleep(0s);
        std::string text = format_call_graph(task, {.waits_for = true});
        EXPECT_NE(text.find("\n  + Waits for: <Lock at 0x"), std::string::npos) << text;
        EXPECT_NE(text.find(" locked by 'holder'>\n  + Awaited by:\n    * Task(name='outer', "), std::string::npos)
            << text;
        EXPECT_EQ(format_call_graph(task).find("Waits for"), std::string::npos);
        lock.release();
        co_await outer;
    });
}

TEST(CallGraph, IsNothingOutsideOfATaskAndRefusedOutsideOfALoop) {
    EXPECT_EQ(support::outcome([] { return capture_call_graph(); }),
              "RuntimeError('capture_call_graph() is called outside of a running event loop and no *future* to "
              "introspect was provided')");
    EventLoop loop;
    bool is_nothing = false;
    std::string text = "?";
    loop.call_soon([&] {
        is_nothing = !capture_call_graph().has_value();
        text = format_call_graph();
        loop.stop();
    });
    loop.run_forever();
    EXPECT_TRUE(is_nothing);
    EXPECT_EQ(text, "");
    Future<> future = loop.create_future();
    EXPECT_EQ(walk(future), "F[]()");
    EXPECT_EQ(support::outcome([] { return capture_call_graph(AnyFuture()); }).find("RuntimeError("), 0U);
}

TEST(CallGraph, OfACircleEnds) {
    std::string seen;
    support::Reports reports;
    std::string text = support::outcome([&] {
        run_test([&]() -> Coro<> {
            reports.listen(get_running_loop());
            Task<> a;
            Task<> b;
            auto await_that = [](Task<>& other) -> Coro<> { co_await other; };
            a = create_task(await_that(b), {.name = "a"});
            b = create_task(await_that(a), {.name = "b"});
            co_await sleep(0s);
            co_await sleep(0s);
            seen = std::regex_replace(walk(a), std::regex("\\[a [^\\]]*\\]"), "");
        });
    });
    EXPECT_EQ(seen, "T<a>(T<b>(T<a>()))");
    EXPECT_EQ(text.find("RuntimeError('cannot cancel tasks that wait for each other in a circle"), 0U) << text;
}

TEST(CallGraph, OfThousandsOfTasksIsCutOff) {
    run_test([]() -> Coro<> {
        std::vector<Task<>> chain;
        chain.push_back(create_task(sleep(1s)));
        for (int i = 0; i < 3000; ++i) chain.push_back(create_task(c1(chain.back())));
        std::vector<Task<>> wide;
        for (int i = 0; i < 20'000; ++i) wide.push_back(create_task(c1(chain.back())));
        co_await sleep(0s);
        co_await sleep(0s);
        std::size_t levels = 0;
        FutureCallGraph graph = *capture_call_graph(chain.front());
        for (const FutureCallGraph* at = &graph; !at->awaited_by.empty(); at = &at->awaited_by.front()) ++levels;
        EXPECT_EQ(levels, 100U);
        EXPECT_EQ(capture_call_graph(chain.back())->awaited_by.size(), 9'999U);
        co_await chain.back();
    });
}

}  // namespace
