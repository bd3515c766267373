#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/runner.h>
#include <asyncio/tasks/task_group.h>

#include <gtest/gtest.h>

#include <utility>

namespace {

using namespace asyncio;

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

}  // namespace
