// What test_graph.py of CPython tests, and more. Plain functions are not in a C++ stack, and library coroutines are
// called after what is awaited.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <regex>
#include <string>

#include "introspect/call_graph_support.h"
#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;
using support::walk;

namespace {

Coro<> look(std::string& seen, std::string& printed) {
    co_await sleep(0s);
    seen = walk();
    printed = format_call_graph();
}
Coro<> c4(std::string& seen, std::string& printed) { co_await look(seen, printed); }
Coro<> c1(Task<> task) { co_await task; }
Coro<> c3(std::string& seen, std::string& printed) { co_await c4(seen, printed); }

// CPython: test_graph.py, CallStackTestBase.test_stack_tgroup
TEST(CallGraph, OfATaskGroup) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        co_await with(TaskGroup(), [&](TaskGroup& group) {
            Task<> task = group.create_task(c3(seen, printed), {.name = "c2_root"});
            group.create_task(c1(task), {.name = "sub_main_1"});
            group.create_task(c1(task), {.name = "sub_main_2"});
        });
        EXPECT_EQ(seen,
                  "T<c2_root>[a look, a c4, a c3](T<anon>[a with, a test](), "
                  "T<sub_main_1>[a c1](T<anon>[a with, a test]()), T<sub_main_2>[a c1](T<anon>[a with, a test]()))");
        EXPECT_NE(printed.find(" async (anonymous"), 0U);
        EXPECT_NE(printed.find("TestBody::<lambda>()"), std::string::npos) << printed;
    });
}

Coro<> gen_nested_call(std::string& seen, std::string& printed) { co_await look(seen, printed); }
AsyncGenerator<int> gen(std::string& seen, std::string& printed) {
    for (int number = 0; number < 2; ++number) {
        co_yield number;
        if (number == 1) co_await gen_nested_call(seen, printed);
    }
}
Coro<> iterate(std::string& seen, std::string& printed) {
    AsyncGenerator<int> numbers = gen(seen, printed);
    for (int count = 0; count < 3; ++count) co_await numbers.next();
}

// CPython: test_graph.py, CallStackTestBase.test_stack_async_gen
TEST(CallGraph, OfAnAsyncGenerator) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        co_await iterate(seen, printed);
        EXPECT_EQ(seen, "T<anon>[a look, a gen_nested_call, ag gen, a iterate, a test]()");
        EXPECT_NE(printed.find("in async generator gen()\n"), std::string::npos) << printed;
        EXPECT_NE(printed.find("in async gen_nested_call()\n"), std::string::npos) << printed;
    });
}

Coro<> work_until(Future<> forever, Future<> cleanup) {
    bool cancelled = false;
    try {
        co_await forever;
    } catch (const CancelledError&) {
        cancelled = true;
    }
    if (cancelled) {
        co_await cleanup;
    }
}
Coro<> probe(Task<> task) { co_await wait_for(task, 0s); }

// CPython: test_graph.py, CallStackTestBase.test_stack_wait_for_non_positive_timeout
TEST(CallGraph, OfAWaitForWithoutTime) {
    run_test([]() -> Coro<> {
        Future<> cleanup = get_running_loop().create_future();
        Task<> task = create_task(work_until(get_running_loop().create_future(), cleanup));
        co_await sleep(0s);
        Task<> probes = create_task(probe(task), {.name = "probe"});
        for (int i = 0; i < 5; ++i) co_await sleep(0s);
        EXPECT_EQ(walk(task), "T<anon>[a work_until](T<probe>[a wait_for, a probe]())");
        cleanup.set_result();
        co_await gather(return_exceptions, probes, task);
    });
}

Coro<> gathers(std::string& seen, std::string& printed) { co_await gather(c4(seen, printed), sleep(0s)); }

// CPython: test_graph.py, CallStackTestBase.test_stack_gather
TEST(CallGraph, OfAGather) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        co_await gathers(seen, printed);
        EXPECT_EQ(seen, "T<anon>[a look, a c4](T<anon>[a gathers, a test]())");
    });
}

Coro<> survive(Future<> forever) { co_await forever; }
Coro<> fail() {
    throw ValueError("");
    co_return;
}

// CPython: test_graph.py, CallStackTestBase.test_stack_gather_survivor
TEST(CallGraph, OfAChildThatOutlivesItsGather) {
    run_test([]() -> Coro<> {
        Task<> task = create_task(survive(get_running_loop().create_future()), {.name = "survivor"});
        bool failed = false;
        try {
            co_await gather(task, fail());
        } catch (const ValueError&) {
            failed = true;
        }
        EXPECT_TRUE(failed);
        EXPECT_EQ(walk(task), "T<survivor>[a survive]()");
        task.cancel();
        co_await wait(task);
    });
}

Coro<> shields(std::string& seen, std::string& printed) { co_await shield(c4(seen, printed)); }

// CPython: test_graph.py, CallStackTestBase.test_stack_shield
TEST(CallGraph, OfAShield) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        co_await shields(seen, printed);
        EXPECT_EQ(seen, "T<anon>[a look, a c4](T<anon>[a shields, a test]())");
    });
}

Coro<> in_time(std::string& seen, std::string& printed) {
    auto body = [&]() -> Coro<> {
        co_await sleep(0s);
        co_await look(seen, printed);
    };
    co_await with(timeout(1s), body);
}
Coro<> shields_in_time(std::string& seen, std::string& printed) { co_await shield(in_time(seen, printed)); }

// CPython: test_graph.py, CallStackTestBase.test_stack_timeout
TEST(CallGraph, OfATimeout) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        co_await shields_in_time(seen, printed);
        EXPECT_EQ(seen,
                  "T<anon>[a look, a in_time::<lambda>, a with, a in_time](T<anon>[a shields_in_time, a test]())");
    });
}

Coro<> waits(Task<> first, Task<> second) { co_await wait(first, second); }

// CPython: test_graph.py, CallStackTestBase.test_stack_wait
TEST(CallGraph, OfAWait) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        Task<> first = create_task(in_time(seen, printed));
        Task<> second = create_task(sleep(0s));
        co_await waits(first, second);
        EXPECT_EQ(seen, "T<anon>[a look, a in_time::<lambda>, a with, a in_time](T<anon>[a waits, a test]())");
    });
}

Coro<> completes(Task<> task, AsCompletedOptions options) {
    auto completed = as_completed(task, options);
    co_await completed.next();
}

// CPython: test_graph.py, CallStackTestBase.test_stack_as_completed
TEST(CallGraph, OfAsCompleted) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        Task<> task = create_task(look(seen, printed), {.name = "inner"});
        co_await completes(task, {});
        EXPECT_EQ(seen, "T<inner>[a look](T<anon>[a completes, a test]())");
        EXPECT_EQ(walk(task), "T<inner>[]()");
    });
}

Coro<> look_and_sleep(std::string& seen) {
    co_await sleep(0s);
    seen = walk();
    co_await sleep(1h);
}

// CPython: test_graph.py, CallStackTestBase.test_stack_as_completed_timeout
TEST(CallGraph, OfAsCompletedThatRunsOutOfTime) {
    run_test([]() -> Coro<> {
        std::string seen;
        Task<> task = create_task(look_and_sleep(seen), {.name = "inner"});
        bool late = false;
        try {
            co_await completes(task, {.timeout = 10ms});
        } catch (const TimeoutError&) {
            late = true;
        }
        EXPECT_TRUE(late);
        EXPECT_EQ(seen, "T<inner>[a look_and_sleep](T<anon>[a completes, a test]())");
        EXPECT_EQ(walk(task), "T<inner>[a look_and_sleep]()");
        task.cancel();
        co_await wait(task);
    });
}

Coro<> c2_of_task(std::string& seen, std::string& printed) {
    Task<> task = create_task(c4(seen, printed), {.name = "there there"});
    co_await task;
}

// CPython: test_graph.py, CallStackTestBase.test_stack_task
TEST(CallGraph, OfATask) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        co_await c2_of_task(seen, printed);
        EXPECT_EQ(seen, "T<there there>[a look, a c4](T<anon>[a c2_of_task, a test]())");
    });
}

Coro<> a2(Future<> future) { co_await future; }
Coro<> a1(Future<> future) { co_await a2(future); }

// CPython: test_graph.py, CallStackTestBase.test_stack_future
TEST(CallGraph, OfAFuture) {
    run_test([]() -> Coro<> {
        std::string seen;
        std::string printed;
        co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
            Future<> future = get_running_loop().create_future();
            group.create_task(a1(future), {.name = "task A"});
            group.create_task(a2(future), {.name = "task B"});
            for (int i = 0; i < 5; ++i) co_await sleep(0s);
            seen = walk(future);
            printed = format_call_graph(future);
            future.set_result();
        });
        std::string main = "T<anon>[a test::<lambda>, a with, a test]()";
        EXPECT_EQ(seen, "F[](T<task A>[a a2, a a1](" + main + "), T<task B>[a a2](" + main + "))");
        EXPECT_EQ(printed.find("* Future(id=0x"), 0U) << printed;
    });
}

// CPython: test_graph.py, CallStackTestBase.test_call_graph_finished_task
TEST(CallGraph, OfATaskThatIsOverHasNoStack) {
    run_test([]() -> Coro<> {
        Event event;
        Task<> done = create_task(sleep(0s), {.name = "done"});
        Task<> failed = create_task(fail(), {.name = "failed"});
        Task<bool> cancelled = create_task(event.wait(), {.name = "cancelled"});
        cancelled.cancel();
        co_await gather(return_exceptions, done, failed, cancelled);
        for (const AnyTask& task : {AnyTask(done), AnyTask(failed), AnyTask(cancelled)}) {
            EXPECT_TRUE(capture_call_graph(task)->call_stack.empty());
            EXPECT_EQ(format_call_graph(task).find("* Task(name='" + task.get_name() + "', id=0x"), 0U);
        }
    });
}

}  // namespace
