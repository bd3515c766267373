#include "support/run_test.h"

#include <asyncio/core/async_generator.h>
#include <asyncio/core/task.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;
using asyncio::sleep;  // not the one of <unistd.h>

/// Notes its own end.
class Noted {
public:
    Noted(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(&log) {}
    Noted(Noted&& other) noexcept : name_(std::move(other.name_)), log_(std::exchange(other.log_, nullptr)) {}
    ~Noted() {
        if (log_ != nullptr) log_->push_back(name_);
    }

private:
    std::string name_;
    std::vector<std::string>* log_;
};

Coro<int> number(int value) { co_return value; }

Coro<int> add(int a, int b) {
    int x = co_await number(a);
    int y = co_await number(b);
    co_return x + y;
}

// Concepts and types

static_assert(Awaitable<Coro<int>> && Awaitable<Coro<int>&> && Awaitable<Future<int>> && Awaitable<Task<>&>);
static_assert(Awaitable<AnyFuture> && Awaitable<AnyTask> && Awaitable<detail::Sleep>);
static_assert(!Awaitable<int> && !Awaitable<std::string> && !Awaitable<std::optional<int>>);
static_assert(Coroutine<Coro<>> && Coroutine<const Coro<int>&> && !Coroutine<Future<int>> && !Coroutine<int>);
static_assert(std::is_same_v<await_result_t<Coro<int>>, int>);
static_assert(std::is_same_v<await_result_t<Coro<int&>>, int&>);
static_assert(std::is_same_v<await_result_t<Coro<>>, void>);
static_assert(std::is_same_v<await_result_t<Future<int>&>, const int&>);
static_assert(std::is_same_v<await_result_t<Future<int>>, int>);
static_assert(std::is_same_v<await_result_t<const Future<int>&>, const int&>);
static_assert(std::is_same_v<await_result_t<Task<std::unique_ptr<int>>>, std::unique_ptr<int>>);
static_assert(std::is_same_v<await_result_t<Future<int&>&>, int&>);
static_assert(std::is_same_v<await_result_t<Future<>&>, void>);
static_assert(std::is_same_v<await_result_t<AnyTask>, void>);
static_assert(!std::is_copy_constructible_v<Coro<int>> && !std::is_copy_assignable_v<Coro<int>>);
static_assert(std::is_nothrow_move_constructible_v<Coro<int>> && std::is_nothrow_move_assignable_v<Coro<int>>);

TEST(Coroutine, IsToldFromOtherThings) {
    Coro<int> coro = number(1);
    EXPECT_TRUE(iscoroutine(coro));
    EXPECT_FALSE(iscoroutine(3));
    EXPECT_FALSE(isfuture(coro));
    EXPECT_FALSE(iscoroutine(Future<int>()));
    coro.close();
}

// Results

// CPython: test_tasks.py, BaseTaskTests.test_task_basics
// CPython: test_pep492.py, CoroutineTests.test_async_def_coroutines
TEST(Coroutine, GivesItsResultWithDebugOffAndOn) {
    for (bool debug : {false, true}) {
        EXPECT_EQ(run(add(42, 1000), {.debug = debug, .clock = VirtualClock{}}), 1042);
    }
}

TEST(Coroutine, GivesAReferenceToTheSameObject) {
    run_test([]() -> Coro<> {
        int object = 1;
        auto get = [&]() -> Coro<int&> { co_return object; };
        auto get_const = [&]() -> Coro<const int&> { co_return object; };
        int& result = co_await get();
        EXPECT_EQ(&result, &object);
        const int& looked_at = co_await get_const();
        EXPECT_EQ(&looked_at, &object);
        auto task = create_task(get());
        int& of_task = co_await task;
        EXPECT_EQ(&of_task, &object);
    });
}

TEST(Coroutine, GivesWhatCanOnlyBeMoved) {
    auto make = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
    auto result = run_test([&]() -> Coro<std::unique_ptr<int>> {
        auto first = co_await make();
        EXPECT_EQ(*first, 7);
        auto second = co_await create_task(make());
        EXPECT_EQ(*second, 7);
        co_return second;
    });
    EXPECT_EQ(*result, 7);
}

struct NoDefault {
    NoDefault(int a, std::string b) : number(a), text(std::move(b)) {}
    int number;
    std::string text;
};

Coro<int> read_through(int* number) {
    co_await sleep(0);
    co_return *number;
}

AsyncGenerator<int> count_to(int* last) {
    for (int i = 1; i <= *last; ++i) co_yield i;
}

// A pointer as the only argument must not be taken for the place of the frame.
TEST(Coroutine, TakesAPointerAsItsOnlyArgument) {
    int number = 42;
    EXPECT_EQ(run(read_through(&number)), 42);
    EXPECT_EQ(number, 42);
    auto sum = [](int* last) -> Coro<int> {
        auto numbers = count_to(last);
        int all = 0;
        while (auto next = co_await numbers.next()) all += *next;
        co_return all;
    };
    EXPECT_EQ(run(sum(&number)), 903);
    EXPECT_EQ(number, 42);
}

TEST(Coroutine, GivesWhatCannotBeDefaultConstructed) {
    auto result = run_test([]() -> Coro<NoDefault> {
        auto make = [](int a) -> Coro<NoDefault> { co_return {a, "a text that is too long for the small buffer"}; };
        NoDefault value = co_await make(3);
        co_return value;
    });
    EXPECT_EQ(result.number, 3);
    EXPECT_EQ(result.text, "a text that is too long for the small buffer");
}

struct ThrowsWhenMoved {
    ThrowsWhenMoved() = default;
    explicit ThrowsWhenMoved(int moves) : left(moves) {}
    ThrowsWhenMoved(ThrowsWhenMoved&& other) : left(other.left - 1) {
        if (left < 0) throw std::length_error("moved too often");
    }
    int left = 0;
    std::string text = "a text that is too long for the small buffer";
};

TEST(Coroutine, PassesOnWhatTheMoveOfItsResultThrows) {
    run_test([]() -> Coro<> {
        auto make = [](int moves) -> Coro<ThrowsWhenMoved> {
            ThrowsWhenMoved value(moves);
            co_return value;
        };
        for (int moves = 0; moves < 3; ++moves) {
            std::string end = "a value";
            try {
                co_await make(moves);
            } catch (const std::length_error&) {
                end = caught();
            }
            // One move into the awaiter, one out of it.
            EXPECT_EQ(end, moves < 2 ? "std::length_error('moved too often')" : "a value") << moves;
        }
        auto task = create_task(make(0));
        std::string end;
        try {
            co_await task;
        } catch (const std::length_error&) {
            end = caught();
        }
        EXPECT_EQ(end, "std::length_error('moved too often')");
    });
}

// CPython: test_tasks.py, BaseTaskTests.test_coroutine_non_gen_function_return_future
TEST(Coroutine, ThatReturnsAFutureGivesTheFutureItself) {
    run_test([]() -> Coro<> {
        auto future = get_running_loop().create_future<int>();
        auto task = create_task([&]() -> Coro<Future<int>> { co_return future; });
        Future<int> result = co_await task;
        EXPECT_EQ(result, future);
        EXPECT_FALSE(result.done());
    });
}

// Lifetimes

TEST(Coroutine, DestroysLocalsThenArgumentsBeforeTheAwaiterGoesOn) {
    std::vector<std::string> log;
    run_test([&]() -> Coro<> {
        auto child = [&log]([[maybe_unused]] Noted argument, bool fail) -> Coro<int> {
            Noted local("local", log);
            co_await sleep(0);
            if (fail) throw ValueError("x");
            co_return 1;
        };
        Noted first("argument", log);
        co_await child(std::move(first), false);
        log.push_back("went on");
        Noted second("argument", log);
        try {
            co_await child(std::move(second), true);
        } catch (const ValueError&) {
            log.push_back("caught");
        }
    });
    EXPECT_EQ(log, (std::vector<std::string>{"local", "argument", "went on", "local", "argument", "caught"}));
}

TEST(Coroutine, OfATaskIsDestroyedBeforeTheTasksCallbacksRun) {
    std::vector<std::string> log;
    run_test([&]() -> Coro<> {
        auto child = [&log]([[maybe_unused]] Noted argument) -> Coro<> {
            Noted local("local", log);
            co_await sleep(0);
        };
        Noted argument("argument", log);
        auto task = create_task(child(std::move(argument)));
        task.add_done_callback([&](Task<>) { log.push_back("callback"); });
        co_await task;
        log.push_back("went on");
    });
    EXPECT_EQ(log, (std::vector<std::string>{"local", "argument", "callback", "went on"}));
}

TEST(Coroutine, IsLazyAndCanBeMoved) {
    run_test([]() -> Coro<> {
        bool began = false;
        auto child = [&]() -> Coro<int> {
            began = true;
            co_return 3;
        };
        Coro<int> coro = child();
        EXPECT_FALSE(began);
        Coro<int> moved = std::move(coro);
        EXPECT_FALSE(coro);  // NOLINT(bugprone-use-after-move)
        EXPECT_TRUE(moved);
        coro = std::move(moved);
        auto& same = coro;
        coro = std::move(same);
        EXPECT_TRUE(coro);
        EXPECT_FALSE(began);
        int value = co_await coro;
        EXPECT_EQ(value, 3);
        EXPECT_FALSE(coro);
    });
}

TEST(Coroutine, ClosedUnrunDropsItsArguments) {
    std::vector<std::string> log;
    auto child = [](Noted) -> Coro<> {
        ADD_FAILURE() << "must not run";
        co_return;
    };
    Noted argument("argument", log);
    Coro<> coro = child(std::move(argument));
    EXPECT_EQ(log.size(), 0U);
    coro.close();
    EXPECT_EQ(log.size(), 1U);
    coro.close();
    EXPECT_FALSE(coro);
    Noted other("other", log);
    coro = child(std::move(other));
    coro = Coro<>();
    EXPECT_EQ(log.size(), 2U);
}

TEST(Coroutine, AwaitedTwiceSaysSo) {
    run_test([]() -> Coro<> {
        Coro<int> coro = number(1);
        co_await coro;
        std::string end;
        try {
            co_await coro;
        } catch (const RuntimeError&) {
            end = caught();
        }
        EXPECT_EQ(end, "RuntimeError('cannot reuse already awaited coroutine')");
        EXPECT_EQ(outcome([&] { create_task(std::move(coro)); }), end);
        EXPECT_EQ(outcome([&] { create_task([]() { return Coro<>(); }); }), end);
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

// Exceptions

struct NotAnException {
    int value;
};

template <class Error>
Coro<> raise(Error error) {
    co_await sleep(0);
    throw error;
}
template <class Error>
Coro<> pass_on(Error error) {
    co_await raise(error);
    ADD_FAILURE() << "must not go on";
}

template <class Error, class Check>
Coro<bool> comes_out(Error error, Check check) {
    bool right = false;
    try {
        co_await pass_on(error);
    } catch (const Error& got) {
        right = check(got);
    }
    co_return right;
}

TEST(Coroutine, LetsExceptionsOfEveryKindThrough) {
    run_test([]() -> Coro<> {
        bool is_int = co_await comes_out(42, [](int got) { return got == 42; });
        EXPECT_TRUE(is_int);
        NotAnException three{3};
        bool is_struct = co_await comes_out(three, [](const NotAnException& got) { return got.value == 3; });
        EXPECT_TRUE(is_struct);
        std::logic_error logic("l");
        bool is_logic = co_await comes_out(logic, [](const std::exception& got) { return got.what()[0] == 'l'; });
        EXPECT_TRUE(is_logic);
        CancelledError cancelled("c");
        bool is_cancelled =
            co_await comes_out(cancelled, [](const CancelledError& got) { return got.message() == "c"; });
        EXPECT_TRUE(is_cancelled);
        SystemExit exit(3);
        bool is_exit = co_await comes_out(exit, [](const SystemExit& got) { return got.code() == 3; });
        EXPECT_TRUE(is_exit);
        bool is_text = false;
        try {
            co_await pass_on("text");
        } catch (const char* got) {
            is_text = std::string(got) == "text";
        }
        EXPECT_TRUE(is_text);
    });
}

TEST(Coroutine, ReleasesACaughtExceptionAtTheEndOfTheStep) {
    run_test([]() -> Coro<> {
        auto kept = std::make_shared<int>(1);
        auto fail = [&]() -> Coro<> {
            throw kept;
            co_return;
        };
        auto middle = [&]() -> Coro<> { co_await fail(); };
        try {
            co_await middle();
        } catch (const std::shared_ptr<int>&) {
        }
        co_await sleep(0);
        EXPECT_EQ(kept.use_count(), 1);
    });
}

// Never awaited

std::vector<std::string> logged;

TEST(Coroutine, NeverAwaitedIsLoggedInDebugMode) {
    logged.clear();
    LogHandler before = set_log_handler([](LogLevel level, std::string_view message) {
        EXPECT_EQ(level, LogLevel::warning);
        logged.emplace_back(message);
    });
    for (bool debug : {false, true}) {
        run(
            []() -> Coro<> {
                { [[maybe_unused]] Coro<int> dropped = number(3); }
                Coro<int> closed = number(3);
                closed.close();
                co_return;
            }(),
            {.debug = debug, .clock = VirtualClock{}});
        EXPECT_EQ(logged.size(), debug ? 1U : 0U);
    }
    set_log_handler(before);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_EQ(logged.at(0).find("coroutine 'number' was never awaited, defined at "), 0U) << logged.at(0);
    EXPECT_NE(logged.at(0).find("coroutine_test.cpp:"), std::string::npos) << logged.at(0);
    EXPECT_NE(logged.at(0).find("dropped by task 'Task-"), std::string::npos) << logged.at(0);
}

}  // namespace
