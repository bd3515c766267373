#include <asyncio/core/task.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/runner.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <utility>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

struct Ended {
    int status;
    std::string said;
};
template <class Main>
Ended ended(Main main) {
    testing::internal::CaptureStderr();
    int status = run_main(main(), {.clock = VirtualClock{}});
    return {status, testing::internal::GetCapturedStderr()};
}

TEST(RunMain, GivesNoughtOrWhatTheCoroutineGives) {
    Ended nought = ended([]() -> Coro<> { co_await sleep(1s); });
    EXPECT_EQ(nought.status, 0);
    EXPECT_EQ(nought.said, "");
    EXPECT_EQ(ended([]() -> Coro<int> { co_return 7; }).status, 7);
}

Coro<> fails() {
    co_await sleep(1s);
    throw ValueError("boom");
}

TEST(RunMain, PrintsTheTracebackOfWhatLeavesItAndGivesOne) {
    Ended end = ended([]() -> Coro<> { co_await fails(); });
    EXPECT_EQ(end.status, 1);
    EXPECT_EQ(end.said.find("Traceback (most recent call last):\n"), 0u) << end.said;
    EXPECT_NE(end.said.find(", in fails"), std::string::npos) << end.said;
    EXPECT_TRUE(end.said.ends_with("\nValueError: boom\n")) << end.said;
    EXPECT_EQ(ended([]() -> Coro<> {
                  throw 5;
                  co_return;
              }).status,
              1);
}

TEST(RunMain, GivesTheCodeOfASystemExitInSilence) {
    Ended end = ended([]() -> Coro<> {
        co_await sleep(1s);
        throw SystemExit(3);
    });
    EXPECT_EQ(end.status, 3);
    EXPECT_EQ(end.said, "");
    EXPECT_EQ(ended([]() -> Coro<> {
                  throw SystemExit();
                  co_return;
              }).status,
              0);
}

TEST(RunMain, GivesHundredAndThirtyAfterCtrlC) {
    Ended end = ended([]() -> Coro<> {
        std::raise(SIGINT);
        co_await sleep(1h);
    });
    EXPECT_EQ(end.status, 130);
    EXPECT_TRUE(end.said.ends_with("KeyboardInterrupt\n")) << end.said;
}

TEST(Run, ThatIsRefusedLeavesTheCoroutineWithItsOwner) {
    bool refused = false;
    int value = run([&]() -> Coro<int> {
        auto answer = []() -> Coro<int> { co_return 42; };
        Coro<int> mine = answer();
        try {
            run(std::move(mine));
        } catch (const RuntimeError&) {
            refused = true;
        }
        Runner runner;
        try {
            runner.run(std::move(mine));
        } catch (const RuntimeError&) {
            EXPECT_TRUE(refused);
        }
        int result = co_await mine;
        co_return result;
    }());
    EXPECT_EQ(value, 42);
    Runner closed;
    closed.get_loop();
    closed.close();
    auto answer = []() -> Coro<int> { co_return 43; };
    Coro<int> mine = answer();
    EXPECT_THROW(closed.run(std::move(mine)), RuntimeError);
    EXPECT_EQ(run(std::move(mine)), 43);
}

TEST(CreateTask, ThatIsRefusedLeavesTheCoroutineWithItsOwner) {
    auto answer = []() -> Coro<int> { co_return 44; };
    Coro<int> mine = answer();
    EventLoop closed;
    closed.close();
    EXPECT_THROW(create_task(std::move(mine)), RuntimeError);  // no loop runs
    EXPECT_THROW(create_task(std::move(mine), {.name = "named"}), RuntimeError);
    EXPECT_THROW(closed.create_task(std::move(mine)), RuntimeError);
    EXPECT_THROW(closed.create_task(std::move(mine), {.name = "named"}), RuntimeError);
    EXPECT_THROW(closed.run_until_complete(std::move(mine)), RuntimeError);
    EXPECT_THROW(ensure_future(std::move(mine)), RuntimeError);
    EXPECT_THROW(ensure_future(std::move(mine), {.loop = &closed}), RuntimeError);
    EXPECT_EQ(run(std::move(mine)), 44);

    mine = answer();
    TaskGroup not_entered;  // closes it, as in Python
    EXPECT_THROW(not_entered.create_task(std::move(mine)), RuntimeError);
    EXPECT_FALSE(mine);
}

TEST(RunUntilComplete, TakesAnyAwaitable) {
    EventLoop loop;
    EXPECT_EQ(loop.run_until_complete(sleep(0, 45)), 45);
    auto task = loop.create_task([]() -> Coro<int> { co_return 46; });
    auto [done, pending] = loop.run_until_complete(wait(task));
    EXPECT_EQ(done.at(0).result(), 46);
}

TEST(Sleep, OfAPlainNumberIsOursAlsoWherePosixHasAnother) {
    run(
        []() -> Coro<> {
            TimePoint start = get_running_loop().time();
            co_await sleep(2);
            co_await sleep(0.5);
            co_await sleep(1L);
            EXPECT_EQ((get_running_loop().time() - start).count(), 3.5);
        }(),
        {.clock = VirtualClock{}});
}

TEST(RunnerLoop, OfAClosedRunnerIsClosedAndStillThere) {
    Runner runner;
    EventLoop& loop = runner.get_loop();
    runner.close();
    EXPECT_TRUE(loop.is_closed());
    EXPECT_THROW(loop.call_soon([] {}), RuntimeError);
    EXPECT_THROW(loop.run_forever(), RuntimeError);
    runner.close();
    EXPECT_THROW(runner.get_loop(), RuntimeError);
}

}  // namespace
