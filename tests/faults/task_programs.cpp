// Programs about running things together.
#include <asyncio/asyncio.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const char* const long_text = "a text that is too long for the room inside a string";

Coro<int> number(int value) {
    co_await sleep(1ms);
    co_return value;
}

Coro<> sleep_long() { co_await sleep(1h); }

Coro<> fail_soon() {
    co_await sleep(1ms);
    throw ValueError(long_text);
}

Coro<> group_of_numbers() {
    int sum = 0;
    co_await with(TaskGroup{}, [&](TaskGroup& group) {
        auto add = [&](int value) -> Coro<> {
            co_await sleep(1ms);
            sum += value;
        };
        for (int i = 1; i < 4; ++i) group.create_task(add, i);
    });
    expect(sum == 6, "what the group's tasks added");
}

/// What comes out of a group has either the error of the child that failed, or says that memory lacked.
void expect_value_error(const BaseExceptionGroup& group) {
    for (const std::exception_ptr& error : group.exceptions()) {
        if (exception_cast<ValueError>(error) != nullptr) return;
        if (exception_cast<std::bad_alloc>(error) != nullptr) return;
    }
    expect(false, "the error of the child that failed");
}

Coro<> group_that_fails() {
    int started = 0;
    int ended = 0;
    auto sibling = [&]() -> Coro<> {
        ++started;
        try {
            co_await sleep(1h);
        } catch (...) {
            ++ended;
            throw;
        }
    };
    try {
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            group.create_task(sibling);
            group.create_task(sibling);
            co_await sleep(1ms);
            group.create_task(fail_soon());
            co_await sleep(1h);
        });
    } catch (const BaseExceptionGroup& group) {
        expect(ended == started, "the siblings of the child that failed");
        expect_value_error(group);
    }
}

Coro<> group_whose_body_fails() {
    std::string text = long_text;  // what the children use dies after them
    auto child = [&]() -> Coro<> {
        for (int i = 0; i < 5; ++i) co_await sleep(1ms);
        expect(text == long_text, "the parent's local");
    };
    try {
        co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
            group.create_task(child);
            group.create_task(child);
            co_await sleep(1ms);
            throw ValueError(long_text);
        });
    } catch (const BaseExceptionGroup& group) {
        expect_value_error(group);
    }
}

Coro<> group_that_is_cancelled() {
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        group.create_task(sleep(1h));
        co_await sleep(1ms);
        group.cancel();
    });
    auto whole = create_task(
        []() -> Coro<> { co_await with(TaskGroup{}, [](TaskGroup& group) { group.create_task(sleep(1h)); }); });
    co_await sleep(1ms);
    whole.cancel(long_text);
    auto [done, pending] = co_await wait(whole);
    expect(whole.cancelled() || whole.exception(), "the task with the group");
}

Coro<> groups_in_groups() {
    try {
        co_await with(TaskGroup{}, [&](TaskGroup& outer) {
            outer.create_task([]() -> Coro<> {
                co_await with(TaskGroup{}, [](TaskGroup& inner) {
                    inner.create_task(fail_soon());
                    inner.create_task(sleep(1h));
                });
            });
            outer.create_task(sleep(1h));
        });
    } catch (const BaseExceptionGroup& group) {
        expect(!group.exceptions().empty(), "the errors of a group in a group");
    }
}

Coro<> timeouts() {
    std::string ended;
    try {
        co_await with(timeout(1ms), []() -> Coro<> { co_await sleep(1h); });
    } catch (const TimeoutError&) {
        ended = "timeout";
    }
    expect(ended == "timeout", "the block's deadline");
    co_await with(timeout(1h), [](Timeout& block) -> Coro<> {
        co_await sleep(1ms);
        block.reschedule(get_running_loop().time() + 1s);
        co_await sleep(1ms);
        block.reschedule(std::nullopt);
    });
}

Coro<> timeout_of_a_stubborn_task() {
    auto task = create_task([]() -> Coro<> {
        co_await with(timeout(2ms), []() -> Coro<> {
            try {
                co_await sleep(1h);
            } catch (const CancelledError&) {
            }
            co_await sleep(1ms);
        });
    });
    co_await sleep(1ms);
    task.cancel(long_text);
    auto [done, pending] = co_await wait(task);
}

Coro<> waiting_for() {
    int value = co_await wait_for(number(7), 1s);
    expect(value == 7, "the value of wait_for()");
    auto sleeper = create_task(sleep(1h));
    std::string ended;
    try {
        co_await wait_for(sleeper, 1ms);
    } catch (const TimeoutError&) {
        ended = "timeout";
    }
    expect(ended == "timeout" && sleeper.cancelled(), "the end of wait_for()");
}

Coro<> gathering() {
    auto [one, two] = co_await gather(number(1), number(2));
    expect(one + two == 3, "what was gathered");
    std::string caught;
    auto slow = create_task(sleep(10ms));
    auto fails_later = create_task([]() -> Coro<> {
        co_await sleep(5ms);
        throw ValueError("late");
    });
    try {
        co_await gather(fail_soon(), slow, fails_later);
    } catch (const ValueError&) {
        caught = "ValueError";
    }
    expect(caught == "ValueError", "the first error of what was gathered");
    co_await wait(slow, fails_later);
    auto results = co_await gather(return_exceptions, number(1), fail_soon());
    expect(std::get<0>(results).has_value() && !std::get<1>(results).has_value(), "results and exceptions");
}

Coro<> gathering_that_nobody_keeps() {
    auto reports = std::make_shared<int>(0);
    get_running_loop().set_exception_handler([reports](EventLoop&, const ExceptionContext&) { ++*reports; });
    gather(number(1), fail_soon());
    co_await sleep(10ms);
    expect(*reports > 0, "the error of what nobody keeps");
}

Coro<> gathering_that_is_cancelled() {
    std::vector<Coro<>> sleepers;
    for (int i = 0; i < 3; ++i) sleepers.push_back(sleep_long());
    auto all = gather(std::move(sleepers));
    co_await sleep(1ms);
    all.cancel(long_text);
    std::string ended;
    try {
        co_await all;
    } catch (const CancelledError&) {
        ended = "cancelled";
    }
    expect(ended == "cancelled", "what was gathered and cancelled");
    gather(number(1), number(2));  // nobody keeps it
    co_await sleep(10ms);
}

Coro<> waiting() {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(number(i)));
    auto first = co_await wait(tasks, {.timeout = 1s, .return_when = FIRST_COMPLETED});
    expect(!first.done.empty(), "the first that was done");
    auto failing = create_task(fail_soon());
    auto sleeper = create_task(sleep(1h));
    auto some = co_await wait(failing, sleeper, {.return_when = FIRST_EXCEPTION});
    expect(failing.done(), "the first that failed");
    auto rest = co_await wait(tasks);
    expect(rest.pending.empty(), "all that were waited for");
}

Coro<> completed() {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(number(i)));
    int sum = 0;
    for (auto next : as_completed(tasks)) {
        int value = co_await next;
        sum += value;
    }
    expect(sum == 3, "what was completed");
    auto late = create_task(sleep(1h));
    std::string ended;
    for (auto next : as_completed(late, {.timeout = 1ms})) {
        try {
            co_await next;
        } catch (const TimeoutError&) {
            ended = "timeout";
        }
    }
    expect(ended == "timeout", "the time limit of as_completed()");
}

Coro<> shields() {
    int value = co_await shield(number(5));
    expect(value == 5, "what was shielded");
    auto inner = create_task(number(6));
    auto outer = create_task([&]() -> Coro<int> {
        int result = co_await shield(inner);
        co_return result;
    });
    co_await sleep(0s);
    outer.cancel();
    auto [done, pending] = co_await wait(outer);
    value = co_await inner;
    expect(value == 6 && (outer.cancelled() || outer.exception()), "what was shielded from a cancellation");
}

Coro<> races() {
    std::vector<std::function<Coro<int>()>> functions;
    functions.push_back([]() -> Coro<int> {
        co_await sleep(1ms);
        throw ValueError(long_text);
    });
    functions.push_back([]() -> Coro<int> {
        co_await sleep(30s);
        co_return 1;
    });
    functions.push_back([] { return number(2); });
    auto race = co_await staggered_race(std::move(functions), 10ms);
    bool is_right = race.winner_result == 2 && race.winner_index == 2U;
    bool lacked_memory = false;
    for (const std::exception_ptr& error : race.exceptions) {
        if (error && exception_cast<std::bad_alloc>(error) != nullptr) lacked_memory = true;
    }
    expect(is_right || lacked_memory, "the winner of the race");
}

Coro<> race_that_is_cancelled() {
    auto race = create_task([]() -> Coro<> {
        std::vector<std::function<Coro<>()>> functions(3, sleep_long);
        co_await staggered_race(std::move(functions), 1ms);
    });
    co_await sleep(10ms);
    race.cancel();
    auto [done, pending] = co_await wait(race);
}

Coro<> use_threads() {
    int value = co_await to_thread([] { return 5; });
    expect(value == 5, "what a thread gives");
    std::string caught;
    try {
        co_await to_thread([] { throw ValueError("expected"); });
    } catch (const ValueError& error) {
        caught = error.what();
    }
    expect(caught == "expected", "the error of a thread");
    auto nobody_asks = get_running_loop().run_in_executor(nullptr, [] {});
    auto cancelled = get_running_loop().run_in_executor(nullptr, [] { return 1; });
    cancelled.cancel();
}

Coro<> threads() {
    try {
        co_await use_threads();
    } catch (const RuntimeError& error) {
        expect(error.what() == std::string("can't start new thread"), "why there is no thread");
    }
}

/// Of two callbacks that are called as it ends, the first throws.
ConcurrentFuture<int> future_with_callbacks(std::shared_ptr<int> calls) {
    ConcurrentFuture<int> future = run_coroutine_threadsafe(number(1), get_running_loop());
    future.add_done_callback([](const ConcurrentFuture<int>&) { throw ValueError(long_text); });
    future.add_done_callback([calls](const ConcurrentFuture<int>&) { ++*calls; });
    return future;
}

Coro<> concurrent_futures() {
    auto calls = std::make_shared<int>(0);
    ConcurrentFuture<int> future = future_with_callbacks(calls);
    co_await sleep(10ms);
    if (!future.cancelled()) expect(future.result(Seconds(0)) == 1, "what the coroutine gives");
    expect(*calls == 1, "that the second callback is called");
}

Coro<> concurrent_futures_that_are_left() {
    future_with_callbacks(std::make_shared<int>(0));
    co_return;
}

}  // namespace

std::vector<Program> task_programs() {
    return {{"group_of_numbers", group_of_numbers},
            {"group_that_fails", group_that_fails},
            {"group_whose_body_fails", group_whose_body_fails},
            {"group_that_is_cancelled", group_that_is_cancelled},
            {"groups_in_groups", groups_in_groups},
            {"timeouts", timeouts},
            {"timeout_of_a_stubborn_task", timeout_of_a_stubborn_task},
            {"waiting_for", waiting_for},
            {"gathering", gathering},
            {"gathering_that_is_cancelled", gathering_that_is_cancelled},
            {"gathering_that_nobody_keeps", gathering_that_nobody_keeps},
            {"waiting", waiting},
            {"completed", completed},
            {"threads", threads},
            {"concurrent_futures", concurrent_futures},
            {"concurrent_futures_that_are_left", concurrent_futures_that_are_left},
            {"shields", shields},
            {"races", races},
            {"race_that_is_cancelled", race_that_is_cancelled}};
}

}  // namespace faults
