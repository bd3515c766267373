#include <asyncio/tasks/staggered_race.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/sync/event.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/run_test.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::outcome_of;
using support::run_test;
using support::trace_of;

using Runner = std::function<Coro<std::string>()>;
using Runners = std::vector<Runner>;

/// "Res: 0 by 0 [None, CancelledError()]": who won, and what became of all.
template <class T>
std::string text_of(const StaggeredRace<T>& race) {
    std::string text = race.winner_result ? support::text(*race.winner_result) : "None";
    text += " by " + (race.winner_index ? std::to_string(*race.winner_index) : "None") + " [";
    std::string separator;
    for (const std::exception_ptr& error : race.exceptions) text += std::exchange(separator, ", ") + repr(error);
    return text + "]";
}

Coro<std::string> succeed(int index) { co_return "Res: " + std::to_string(index); }
Coro<std::string> fail(int index) {
    throw ValueError(std::to_string(index));
    co_return "";
}
Coro<std::string> slow(int index) {
    co_await sleep(10s);
    co_return "Res: " + std::to_string(index);
}
template <class Function>
Runner runner(Function function, int index) {
    return [=] { return function(index); };
}

/// What is made and moved, and never assigned.
struct Constant {
    const int value;
    std::unique_ptr<int> owned;
};

TEST(StaggeredRace, OfResultsThatCannotBeAssigned) {
    run_test([]() -> Coro<> {
        auto make = []() -> Coro<Constant> {
            Constant constant{5, std::make_unique<int>(6)};
            co_return std::move(constant);
        };
        std::vector<decltype(make)> runners(2, make);
        auto race = co_await staggered_race(runners, 1s);
        EXPECT_EQ(race.winner_result->value, 5);
        EXPECT_EQ(*race.winner_result->owned, 6);
    });
}

// CPython: test_staggered.py, StaggeredTests.test_empty
TEST(StaggeredRace, OfNobodyHasNoWinner) {
    run_test([]() -> Coro<> {
        auto race = co_await staggered_race(Runners(), std::nullopt);
        EXPECT_EQ(text_of(race), "None by None []");
    });
}

// CPython: test_staggered.py, StaggeredTests.test_one_successful
TEST(StaggeredRace, IsWonByTheFirstAndTheSecondNeverStarts) {
    run_test([]() -> Coro<> {
        Runners runners{runner(succeed, 0), runner(succeed, 1)};
        auto race = co_await staggered_race(runners, std::nullopt);
        EXPECT_EQ(text_of(race), "Res: 0 by 0 [None]");
    });
}

// CPython: test_staggered.py, StaggeredTests.test_first_error_second_successful
TEST(StaggeredRace, AFailureStartsTheNext) {
    run_test([]() -> Coro<> {
        Runners runners{runner(fail, 0), runner(succeed, 1)};
        auto race = co_await staggered_race(runners, std::nullopt);
        EXPECT_EQ(text_of(race), "Res: 1 by 1 [ValueError('0'), None]");
    });
}

// CPython: test_staggered.py, StaggeredTests.test_first_timeout_second_successful
TEST(StaggeredRace, TheDelayStartsTheNextAndTheSlowOneIsCancelled) {
    run_test([]() -> Coro<> {
        TimePoint start = get_running_loop().time();
        Runners runners{runner(slow, 0), runner(succeed, 1)};
        auto race = co_await staggered_race(runners, 0.1);
        EXPECT_EQ(text_of(race), "Res: 1 by 1 [CancelledError(), None]");
        EXPECT_EQ(get_running_loop().time(), start + 0.1);
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

// CPython: test_staggered.py, StaggeredTests.test_none_successful
TEST(StaggeredRace, HasNoWinnerWhenAllFail) {
    run_test([]() -> Coro<> {
        Runners runners{runner(fail, 0), runner(fail, 1)};
        auto race = co_await staggered_race(runners, std::nullopt);
        EXPECT_EQ(text_of(race), "None by None [ValueError('0'), ValueError('1')]");
    });
}

// CPython: test_staggered.py, StaggeredTests.test_multiple_winners
TEST(StaggeredRace, OfTwoThatAreReadyTogetherTheFirstWins) {
    run_test([]() -> Coro<> {
        Event event;
        auto wait = [&](int index) -> Coro<int> {
            co_await event.wait();
            co_return index;
        };
        auto set = [&]() -> Coro<int> {
            event.set();
            co_await get_running_loop().create_future();
            co_return 2;
        };
        std::vector<std::function<Coro<int>()>> runners{[&] { return wait(0); }, [&] { return wait(1); }, set};
        auto race = co_await staggered_race(runners, 0.1);
        EXPECT_EQ(text_of(race), "0 by 0 [None, CancelledError(), CancelledError()]");
    });
}

// CPython: test_staggered.py, StaggeredTests.test_cancelled
TEST(StaggeredRace, PassesEveryCancelOnAndThrowsItWhenAllHaveEnded) {
    std::vector<std::string> log;
    std::string thrown;
    run_test([&]() -> Coro<> {
        Timeout outer = timeout(std::nullopt);
        Timeout inner = timeout(std::nullopt);
        auto run = [&]() -> Coro<> {
            for (Timeout* limit : {&inner, &outer}) {
                limit->reschedule(get_running_loop().time() - 1s);
                co_await sleep(0);
                try {
                    co_await sleep(0);
                } catch (const CancelledError&) {
                    log.push_back(limit == &inner ? "cancelled 1" : "cancelled 2");
                }
            }
        };
        auto race = [&]() -> Coro<> {
            std::vector<std::function<Coro<>()>> runners{run};
            try {
                co_await staggered_race(runners, std::nullopt);
            } catch (const CancelledError&) {
                log.push_back("cancelled 3");
                throw;
            }
        };
        auto in_inner = [&]() -> Coro<> { co_await with(inner, race); };
        thrown = co_await outcome_of(with(outer, in_inner));
    });
    EXPECT_EQ(log, (std::vector<std::string>{"cancelled 1", "cancelled 2", "cancelled 3"}));
    EXPECT_EQ(thrown, "TimeoutError()");
}

template <class Main>
void run_eagerly(Main main) {
    run_test([&]() -> Coro<> {
        get_running_loop().set_task_factory(eager_task_factory);
        co_await main();
    });
}

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_staggered_race_with_eager_tasks
TEST(StaggeredRace, WorksWithEagerTasks) {
    run_eagerly([]() -> Coro<> {
        TimePoint start = get_running_loop().time();
        auto blocked = []() -> Coro<std::string> {
            co_await get_running_loop().create_future();
            co_return "";
        };
        auto sleep_1 = []() -> Coro<std::string> { co_return co_await sleep(1, std::string("sleep1")); };
        auto fail_later = []() -> Coro<std::string> {
            co_await sleep(0);
            throw ValueError("no good");
        };
        Runners runners{blocked, sleep_1, fail_later};
        auto race = co_await staggered_race(runners, 0.25);
        EXPECT_EQ(text_of(race), "sleep1 by 1 [CancelledError(), None, ValueError('no good')]");
        EXPECT_EQ(get_running_loop().time(), start + 1.25);
    });
}

// CPython: test_eager_task_factory.py, EagerTaskFactoryLoopTests.test_staggered_race_with_eager_tasks_no_delay
TEST(StaggeredRace, WorksWithEagerTasksOneAfterTheOther) {
    run_eagerly([]() -> Coro<> {
        auto sleep_1 = []() -> Coro<std::string> { co_return co_await sleep(1, std::string("sleep1")); };
        auto sleep_0 = []() -> Coro<std::string> { co_return co_await sleep(0, std::string("sleep0")); };
        Runners runners{runner(fail, 0), sleep_1, sleep_0};
        auto race = co_await staggered_race(runners, std::nullopt);
        EXPECT_EQ(text_of(race), "sleep1 by 1 [ValueError('0'), None]");
    });
}

Coro<> race_and_trace(support::Trace& trace) {
    auto fails = [&](int index) -> Coro<int> {
        trace("fail", index);
        throw ValueError("x");
        co_return 0;
    };
    auto yields = [&](int index) -> Coro<int> {
        trace("begin", index);
        co_await sleep(0);
        trace("end", index);
        co_return index;
    };
    auto hangs = [&](int index) -> Coro<int> {
        trace("begin", index);
        try {
            co_await get_running_loop().create_future();
        } catch (const CancelledError&) {
            trace("cancelled", index);
            throw;
        }
        co_return 0;
    };
    using Ints = std::vector<std::function<Coro<int>()>>;
    Ints fail_first{[&] { return fails(0); }, [&] { return yields(1); }, [&] { return fails(2); }};
    Ints hang_first{[&] { return hangs(0); }, [&] { return yields(1); }};
    auto race = co_await staggered_race(fail_first, std::nullopt);
    trace("won", *race.winner_index, race.exceptions.size());
    race = co_await staggered_race(hang_first, 0);
    trace("won", *race.winner_index, race.exceptions.size());
    auto task = create_task(staggered_race(hang_first, std::nullopt));
    co_await support::passes(3);
    trace("cancel");
    task.cancel("m");
    std::string end = co_await outcome_of(task);
    trace(end);
}

// Recorded from CPython 3.14.10.
TEST(StaggeredRace, TakesPythonsPasses) {
    EXPECT_EQ(trace_of(race_and_trace),
              "1:fail 0, 2:begin 1, 3:end 1, 6:won 1 2, 7:begin 0, 11:begin 1, 12:end 1, 13:cancelled 0, 15:won 1 2, "
              "17:begin 0, 18:cancel, 20:cancelled 0, 23:CancelledError('m')");
    std::string eager = trace_of([](support::Trace& trace) -> Coro<> {
        get_running_loop().set_task_factory(eager_task_factory);
        co_await race_and_trace(trace);
    });
    EXPECT_EQ(eager,
              "1:fail 0, 2:begin 1, 3:end 1, 6:won 1 2, 7:begin 0, 11:begin 1, 12:end 1, 13:cancelled 0, 15:won 1 2, "
              "16:begin 0, 18:cancel, 20:cancelled 0, 23:CancelledError('m')");
}

TEST(StaggeredRace, TakesAnyRangeAndAnyResult) {
    run_test([]() -> Coro<> {
        auto nothing = []() -> Coro<> { co_return; };
        auto of_nothing = co_await staggered_race(std::vector(1, nothing), std::nullopt);
        EXPECT_EQ(of_nothing.winner_result, None());
        auto box = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
        auto of_boxes = co_await staggered_race(std::vector(1, box), std::nullopt);
        EXPECT_EQ(**of_boxes.winner_result, 7);
        int object = 5;
        auto refer = [&object]() -> Coro<int&> { co_return object; };
        auto of_references = co_await staggered_race(std::vector(1, refer), std::nullopt);
        EXPECT_EQ(of_references.winner_result, 5);
    });
}

TEST(StaggeredRace, KeepsTheFirstWinnerThoughAnotherOneSwallowsItsCancel) {
    run_test([]() -> Coro<> {
        auto stubborn = []() -> Coro<std::string> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
            }
            co_return "late";
        };
        Runners runners{stubborn, runner(succeed, 1)};
        auto race = co_await staggered_race(runners, 1s);
        EXPECT_EQ(text_of(race), "Res: 1 by 1 [None, None]");
    });
}

TEST(StaggeredRace, ShowsTheTasksThatItWaitsFor) {
    run_test([]() -> Coro<> {
        Runners runners{runner(slow, 0), runner(slow, 1)};
        auto racing = create_task(staggered_race(runners, 1s));
        co_await sleep(2s);
        WaitEdge edge = static_cast<detail::TaskBase*>(racing.state_or_null())->waiting_on()->edge();
        EXPECT_EQ(edge.kind, WaitKind::several);
        auto* awaits = static_cast<const detail::AwaitsFutures*>(edge.subject);
        EXPECT_EQ(awaits->count_awaited(), 3U);  // two race, one would start the next
        EXPECT_EQ(awaits->awaited(0), all_tasks().at(2).state_or_null());
        racing.cancel("enough");
        std::string end = co_await outcome_of(racing);
        EXPECT_EQ(end, "CancelledError('enough')");
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

TEST(StaggeredRace, LetsKeyboardInterruptOut) {
    support::Reports reports;
    EventLoop loop({.clock = VirtualClock{}});
    reports.listen(loop);
    auto interrupted = []() -> Coro<std::string> {
        throw KeyboardInterrupt();
        co_return "";
    };
    Runners runners{interrupted};
    Task<StaggeredRace<std::string>> racing = loop.create_task(staggered_race(runners, std::nullopt));
    EXPECT_THROW(loop.run_until_complete(racing), KeyboardInterrupt);
    racing.cancel();  // as run() does with what is left
    std::string end = loop.run_until_complete(outcome_of(racing));
    EXPECT_EQ(end.find("BaseExceptionGroup('staggered race failed', [KeyboardInterrupt()"), 0U) << end;
}

// Proves something under ASan.
TEST(StaggeredRace, LeavesNothingWhenTheLoopGoesFirst) {
    EventLoop loop({.clock = VirtualClock{}});
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    loop.create_task(staggered_race(Runners{runner(slow, 0), runner(slow, 1)}, 1s));
    loop.call_later(2s, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(all_tasks(loop).size(), 4U);
}

}  // namespace
