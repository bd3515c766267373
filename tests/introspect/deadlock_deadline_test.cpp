// Who will be cancelled in time is in no deadlock.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<> twice(Lock& lock) {
    co_await lock.acquire();
    co_await lock.acquire();
}

using Names = std::vector<std::string>;

Names stuck_tasks() {
    Names names;
    for (const Deadlock& deadlock : find_deadlocks()) {
        for (const AnyTask& task : deadlock.tasks) names.push_back(task.get_name());
    }
    return names;
}

/// What is found after so many passes.
Names stuck_of(std::function<std::vector<Task<>>()> make, int passes = 4) {
    Names found;
    RunOptions options = {.clock = VirtualClock{}};
    run(
        [&]() -> Coro<> {
            std::vector<Task<>> tasks = make();
            for (int i = 0; i < passes; ++i) co_await sleep(0);
            found = stuck_tasks();
            for (const Task<>& task : tasks) task.cancel();
            co_await wait(tasks);
        }(),
        options);
    return found;
}

Coro<> twice_in(Timeout limit, Lock& lock) {
    co_await with(std::move(limit), [&](Timeout&) { return twice(lock); });
}
Coro<> twice_without_limit(Lock& lock) {
    co_await with(timeout(1s), [&](Timeout& limit) {
        limit.reschedule(std::nullopt);
        return twice(lock);
    });
}

TEST(DeadlockDeadline, OfATimeoutBlockAndOfWaitFor) {
    Lock a, b, c;
    Names found = stuck_of([&] {
        std::vector<Task<>> tasks = {create_task(twice_in(timeout(1s), a))};
        tasks.push_back(create_task(wait_for(twice(b), 1s)));
        tasks.push_back(create_task(twice(c), {.name = "for ever"}));
        return tasks;
    });
    EXPECT_EQ(found, Names{"for ever"});
}

TEST(DeadlockDeadline, IsTakenAwayByReschedule) {
    Lock lock;
    Names found =
        stuck_of([&] { return std::vector<Task<>>{create_task(twice_without_limit(lock), {.name = "for ever"})}; });
    EXPECT_EQ(found, Names{"for ever"});
}

Coro<> gather_with(Task<> task, Lock& lock) { co_await gather(task, twice(lock)); }

TEST(DeadlockDeadline, OfWhoeverAwaitsTheTask) {
    Lock a, b;
    Names found = stuck_of([&] {
        Task<> inner = create_task(twice(a), {.name = "inner"});
        return std::vector<Task<>>{inner, create_task(wait_for(gather_with(inner, b), 1s), {.name = "outer"})};
    });
    EXPECT_EQ(found, Names());
}

Coro<> wait_a_moment(Task<>& other) {
    WaitOptions at_once = {.timeout = 0};
    co_await wait(other, at_once);
}
Coro<> complete_at_once(Task<>& other) {
    std::vector<Task<>> others = {other};
    try {
        for (auto next : as_completed(others, {.timeout = 0})) co_await next;
    } catch (const TimeoutError&) {
    }
}

// A deadline that has come, and whose turn has not: the timer is among what is ready.
TEST(DeadlockDeadline, ThatHasJustCome) {
    for (int passes = 1; passes <= 4; ++passes) {
        Lock lock;
        Task<> first, second;
        auto make = [&] {
            first = create_task(wait_a_moment(second));
            second = create_task(complete_at_once(first));
            return std::vector<Task<>>{first, second, create_task(twice_in(timeout(0), lock))};
        };
        EXPECT_EQ(stuck_of(make, passes), Names()) << passes;
        first = second = {};
    }
}

}  // namespace
