#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "core/trace_file.h"
#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::run_test;

namespace {

class TraceFile : public testing::Test {
protected:
    ~TraceFile() override { std::remove(path.c_str()); }

    std::string text() const {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// How often it is there.
    int count(std::string_view what) const {
        std::string all = text();
        int found = 0;
        for (std::size_t at = 0; (at = all.find(what, at)) != std::string::npos; at += what.size()) ++found;
        return found;
    }

    std::string path =
        testing::TempDir() + "trace_" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".json";
};

Coro<> works(int steps) {
    for (int i = 0; i < steps; ++i) co_await sleep(0s);
}

TEST_F(TraceFile, HasEachStepWithItsTaskAndCoroutine) {
    run_test([&]() -> Coro<> {
        TraceRecorder trace(path);
        Task<> named = create_task(works(3), {.name = "a \"name\""});
        get_running_loop().call_soon([] {});
        co_await named;
        EXPECT_GE(trace.size(), 5U);
        EXPECT_EQ(trace.dropped(), 0U);
    });
    std::string json = text();
    EXPECT_EQ(json.substr(0, 2), "[\n");
    EXPECT_EQ(json.substr(json.size() - 3), "\n]\n");
    EXPECT_EQ(count("\"task\":\"a \\\"name\\\"\""), 4) << json;
    EXPECT_EQ(count("works\",\"ph\":\"X\",\"ts\":"), 4) << json;
    EXPECT_GE(count("{\"name\":\"callback\",\"ph\":\"X\""), 1) << json;
    EXPECT_NE(json.find("trace_test.cpp:"), std::string::npos) << json;
}

TEST_F(TraceFile, KeepsTheNewestStepsAndSaysHowManyItDropped) {
    run_test([&]() -> Coro<> {
        TraceRecorder trace(path, {.capacity = 10});
        co_await create_task(works(50), {.name = "old"});
        co_await create_task(works(5), {.name = "new"});
        EXPECT_EQ(trace.size(), 10U);
        EXPECT_GE(trace.dropped(), 48U);
    });
    EXPECT_EQ(count("\"task\":\"new\""), 6);
    EXPECT_LE(count("\"task\":\"old\""), 4);
    EXPECT_EQ(count("earlier steps were dropped"), 1);
    EXPECT_EQ(count("\"ph\":\"X\""), 10);
}

TEST_F(TraceFile, IsOneOfSeveralAndOutlivesItsLoop) {
    std::optional<TraceRecorder> trace;
    {
        Runner runner;
        trace.emplace(runner.get_loop(), path);
        LoopMonitor monitor(runner.get_loop());
        runner.run(works(4));
        EXPECT_EQ(monitor.metrics().steps.count(), trace->size());
    }
    std::size_t size = trace->size();
    EXPECT_GE(size, 5U);
    trace.reset();
    EXPECT_EQ(count("\"ph\":\"X\""), static_cast<int>(size));
}

TEST_F(TraceFile, ThatCannotBeWrittenIsSaidByItsName) {
    run_test([&]() -> Coro<> {
        EXPECT_THROW(TraceRecorder(path, {.capacity = 0}), ValueError);
        TraceRecorder trace("/nowhere/trace.json");
        try {
            trace.write();
            ADD_FAILURE();
        } catch (const FileNotFoundError& error) {
            EXPECT_STREQ(error.what(), "[Errno 2] No such file or directory: '/nowhere/trace.json'");
        }
        co_return;
    });
    EXPECT_THROW(TraceRecorder{path}, RuntimeError);
}

TEST(TraceJson, EscapesWhatIsNoText) {
    EXPECT_EQ(detail::json_string("a\"b\\\n\x7f"), "\"a\\\"b\\\\\\u000a\\u007f\"");
    EXPECT_EQ(detail::json_string("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"),
              "\"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
    EXPECT_EQ(detail::json_string("\xE4 \xC3"), "\"\\u00e4 \\u00c3\"");
    EXPECT_EQ(detail::json_string("\xC0\x80\xED\xA0\x80"), "\"\\u00c0\\u0080\\u00ed\\u00a0\\u0080\"");
}

TEST_F(TraceFile, ThatTheEnvironmentNamesHasAllLoopsOfTheProcess) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process of its own, which has not looked there yet
    ::setenv("ASYNCIO_TRACE", path.c_str(), 1);
    auto program = [] {
        run(works(3));
        run(works(5));
        std::exit(0);
    };
    EXPECT_EXIT(program(), testing::ExitedWithCode(0), "");
    ::unsetenv("ASYNCIO_TRACE");
    EXPECT_EQ(count("works\",\"ph\":\"X\""), 4 + 6) << text();
    EXPECT_EQ(count("\"name\":\"thread_name\""), 2) << text();
    EXPECT_EQ(count("\n]\n"), 1) << text();
}

TEST_F(TraceFile, OfAnotherLoopIsAddedToIt) {
    detail::TracedStep step;
    step.task = "t";
    detail::TracePage page{1, 0, {{"f", "x.cpp:1"}}, {&step}};
    detail::write_trace(path, trace_events(page));
    page.loop = 2;
    detail::add_to_trace(path, trace_events(page));
    std::string json = text();
    EXPECT_EQ(count("\"ph\":\"X\""), 2) << json;
    EXPECT_EQ(count("]"), 1) << json;
    EXPECT_EQ(count("}\n]\n"), 1) << json;
    EXPECT_EQ(count("},\n"), 3) << json;
}

}  // namespace
