// CPython's own tests of TaskGroup, each run with tasks that start in the next pass and with eager ones, as there.
#include "support/run_test.h"

#include <asyncio/context/context.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::caught;
using support::outcome;

class OddError : public BaseException {};

const std::string in_group = "ExceptionGroup('unhandled errors in a TaskGroup', [";

class TaskGroups : public testing::TestWithParam<bool> {
protected:
    template <class Main>
    static void run(Main main) {
        support::run_test([&]() -> Coro<> {
            if (GetParam()) get_running_loop().set_task_factory(eager_task_factory);
            co_await main();
        });
    }
    /// What a task with this coroutine throws, cancelled 0.1 s after its start if `cancel`.
    template <class Main>
    static std::string outcome_of(Main main, bool cancel = false) {
        std::string text = "nothing";
        run([&]() -> Coro<> {
            auto task = create_task(main());
            if (cancel) {
                co_await sleep(100ms);
                EXPECT_FALSE(task.done());
                task.cancel();
            }
            try {
                co_await task;
            } catch (...) {
                text = caught();
            }
        });
        return text;
    }
};
INSTANTIATE_TEST_SUITE_P(Lazy, TaskGroups, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Eager, TaskGroups, testing::Values(true));

Coro<int> give(int value, Seconds delay) {
    co_await sleep(delay);
    co_return value;
}
Coro<> crash(Seconds delay, std::string message = "crash") {
    co_await sleep(delay);
    throw ValueError(message);
}
/// Waits for long; throws when it is interrupted.
Coro<> crash_in_cleanup() {
    try {
        co_await sleep(10s);
    } catch (const CancelledError&) {
    }
    throw ValueError("cleanup");
}
template <class Error>
Coro<> throw_in_cleanup() {
    try {
        co_await sleep(10s);
    } catch (const CancelledError&) {
    }
    throw Error();
}
void start_crashing_in_cleanup(TaskGroup& group) {
    for (int i = 0; i < 5; ++i) group.create_task(crash_in_cleanup());
}
const std::string five_cleanups = in_group +
                                  "ValueError('cleanup'), ValueError('cleanup'), ValueError('cleanup'), "
                                  "ValueError('cleanup'), ValueError('cleanup')])";

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_01
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_02
TEST_P(TaskGroups, LeavingWaitsForAllTasks) {
    run([]() -> Coro<> {
        Task<int> a, b, c;
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            a = group.create_task(give(42, 100ms));
            co_await sleep(150ms);
            b = group.create_task(give(11, 200ms));
            c = group.create_task(give, 7, 300ms);
        });
        EXPECT_EQ(a.result() + b.result() + c.result(), 60);
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_03
TEST_P(TaskGroups, ATaskThatIsCancelledAloneIsNoError) {
    run([]() -> Coro<> {
        Task<int> a, b;
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            a = group.create_task(give(42, 1s));
            co_await sleep(150ms);
            a.cancel();
            b = group.create_task(give(11, 200ms));
        });
        EXPECT_TRUE(a.cancelled());
        EXPECT_EQ(b.result(), 11);
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_04
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_cancel_children_on_child_error
TEST_P(TaskGroups, AFailureCancelsTheOtherTasksAndTheBody) {
    std::string text;
    Task<int> sibling;
    auto thrown = outcome_of([&]() -> Coro<> {
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            for (int i = 0; i < 3; ++i) group.create_task(crash(100ms));
            sibling = group.create_task(give(1, 5s));
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                text += "body cancelled";
                throw;
            }
        });
        text += " never";
    });
    EXPECT_EQ(thrown, in_group + "ValueError('crash'), ValueError('crash'), ValueError('crash')])");
    EXPECT_EQ(text, "body cancelled");
    EXPECT_TRUE(sibling.cancelled());
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_cancellation
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_22
TEST_P(TaskGroups, ACancelAtTheEndOfTheBlockCancelsAllTasks) {
    std::vector<Task<int>> tasks;
    auto thrown = outcome_of(
        [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) {
                for (int i = 0; i < 5; ++i) tasks.push_back(group.create_task(give(i, 5s)));
            });
        },
        true);
    EXPECT_EQ(thrown, "CancelledError()");
    for (const auto& task : tasks) EXPECT_TRUE(task.cancelled());
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_07
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_17
TEST_P(TaskGroups, ACancelInTheBodyCancelsItFirstAndThenTheTasks) {
    for (int count : {5, 0}) {
        std::string text;
        auto note = [&](std::string name) -> Coro<> {
            try {
                co_await sleep(10s);
            } catch (const CancelledError&) {
                text += name;
                throw;
            }
        };
        auto main = [&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                for (int i = 0; i < count; ++i) group.create_task(note("c"));
                co_await note("b");
            });
        };
        EXPECT_EQ(outcome_of(main, true), "CancelledError()");
        EXPECT_EQ(text, count == 0 ? "b" : "bccccc");
    }
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_08
TEST_P(TaskGroups, ErrorsInCleanUpsComeOutInThePlaceOfACancellation) {
    auto thrown = outcome_of(
        []() -> Coro<> {
            co_await with(TaskGroup{}, [](TaskGroup& group) -> Coro<> {
                start_crashing_in_cleanup(group);
                co_await sleep(10s);
            });
        },
        true);
    EXPECT_EQ(thrown, five_cleanups);
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_09
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_10
TEST_P(TaskGroups, AnExceptionOfTheBodyCancelsTheTasksAndIsWrapped) {
    for (bool wait : {true, false}) {
        Task<int> a, b;
        auto thrown = outcome_of([&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                a = group.create_task(give(42, 1s));
                b = group.create_task(give(11, 2s));
                if (wait) co_await sleep(100ms);
                throw ValueError("body");
            });
        });
        EXPECT_EQ(thrown, in_group + "ValueError('body')])");
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(b.cancelled());
    }
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_11
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_12
TEST_P(TaskGroups, CleanUpErrorsInAnInnerGroupComeOutAsAGroupInTheOuter) {
    for (bool sibling : {false, true}) {
        auto thrown = outcome_of(
            [&]() -> Coro<> {
                co_await with(TaskGroup{}, [&](TaskGroup& outer) -> Coro<> {
                    if (sibling) outer.create_task(give(1, 10s));
                    co_await with(TaskGroup{}, [](TaskGroup& inner) -> Coro<> {
                        start_crashing_in_cleanup(inner);
                        co_await sleep(10s);
                    });
                });
            },
            true);
        EXPECT_EQ(thrown, in_group + five_cleanups + "])");
    }
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_13
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_14
TEST_P(TaskGroups, AnInnerGroupIsCancelledSilentlyButItsOwnErrorIsNested) {
    auto thrown_with = [](Seconds outer_crash, Seconds inner_crash) {
        return outcome_of([=]() -> Coro<> {
            Seconds first = outer_crash;
            Seconds second = inner_crash;
            co_await with(TaskGroup{}, [&](TaskGroup& outer) -> Coro<> {
                outer.create_task(crash(first, "outer"));
                co_await with(TaskGroup{}, [&](TaskGroup& inner) { inner.create_task(crash(second, "inner")); });
            });
        });
    };
    EXPECT_EQ(thrown_with(100ms, 10s), in_group + "ValueError('outer')])");
    EXPECT_EQ(thrown_with(10s, 100ms), in_group + in_group + "ValueError('inner')])])");
}

Coro<> crash_while_the_body_cleans_up() {
    co_await with(TaskGroup{}, [](TaskGroup& group) -> Coro<> {
        group.create_task(crash(300ms));
        std::exception_ptr failure;
        try {
            co_await sleep(10s);
        } catch (...) {
            failure = std::current_exception();
        }
        co_await sleep(500ms);
        std::rethrow_exception(failure);
    });
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_15
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_16
TEST_P(TaskGroups, AFailureWhileTheBodyHandlesACancelComesOut) {
    EXPECT_EQ(outcome_of(crash_while_the_body_cleans_up, true), in_group + "ValueError('crash')])");
    auto thrown = outcome_of(
        []() -> Coro<> {
            auto task = create_task(crash_while_the_body_cleans_up());
            co_await task;
        },
        true);
    EXPECT_EQ(thrown, in_group + "ValueError('crash')])");
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_18
TEST_P(TaskGroups, AnotherExceptionThatTheBodyMakesOfACancelIsWrapped) {
    auto thrown = outcome_of(
        []() -> Coro<> { co_await with(TaskGroup{}, [](TaskGroup&) { return throw_in_cleanup<LookupError>(); }); },
        true);
    EXPECT_EQ(thrown, in_group + "LookupError()])");
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_19
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_20
// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_20a
TEST_P(TaskGroups, WhatTheBodysCleanUpThrowsIsTheLastErrorUnlessItMustStopTheProgram) {
    auto thrown_with = [](auto cleanup) {
        return outcome_of([&]() -> Coro<> {
            co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
                group.create_task(crash(100ms));
                co_await cleanup();
            });
        });
    };
    EXPECT_EQ(thrown_with(throw_in_cleanup<LookupError>), in_group + "ValueError('crash'), LookupError()])");
    std::string base = thrown_with(throw_in_cleanup<OddError>);
    EXPECT_TRUE(base.starts_with("BaseExceptionGroup('unhandled errors in a TaskGroup', [ValueError('crash'), "))
        << base;
    EXPECT_TRUE(base.ends_with("OddError()])")) << base;
    auto thrown = outcome([&] { thrown_with(throw_in_cleanup<KeyboardInterrupt>); });
    EXPECT_EQ(thrown, "KeyboardInterrupt()");
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_21a
TEST_P(TaskGroups, ABaseExceptionOfATaskMakesABaseExceptionGroup) {
    auto thrown = outcome_of([]() -> Coro<> {
        auto crash_oddly = []() -> Coro<> {
            co_await sleep(100ms);
            throw OddError();
        };
        co_await with(TaskGroup{}, [&](TaskGroup& group) {
            group.create_task(crash_oddly());
            return throw_in_cleanup<TypeError>();
        });
    });
    EXPECT_TRUE(thrown.starts_with("BaseExceptionGroup(")) << thrown;
    EXPECT_NE(thrown.find("OddError(), TypeError()"), std::string::npos) << thrown;
    EXPECT_TRUE(thrown.ends_with("TypeError()])")) << thrown;
}

// CPython: test_taskgroups.py, BaseTestTaskGroup.test_taskgroup_context_manager_exit_raises
TEST_P(TaskGroups, AManagerThatThrowsAtItsExitInTheBodyAddsItsError) {
    class Database {
    public:
        Database() {}
        void aenter() {}
        void aexit(std::exception_ptr) { throw ValueError("exit"); }
    };
    int left = -1;
    auto thrown = outcome_of([&]() -> Coro<> {
        try {
            co_await with(TaskGroup{}, [](TaskGroup& group) -> Coro<> {
                co_await with(Database(), [&](Database&) -> Coro<> {
                    group.create_task(crash(0s));
                    co_await sleep(1s);
                });
            });
        } catch (...) {
            left = current_task().cancelling();
            throw;
        }
    });
    EXPECT_EQ(thrown, in_group + "ValueError('crash'), ValueError('exit')])");
    EXPECT_EQ(left, 0);
}

}  // namespace
