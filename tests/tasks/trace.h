#pragma once

#include <asyncio/core/task.h>
#include <asyncio/loop/clock.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait.h>

#include <string>
#include <utility>

// Turn-exact traces: a test's body writes lines into a log while a clock task writes "turn 1", "turn 2" ... into the
// same one, a line in each pass of the loop. The expected text is what the same program printed under CPython 3.14.
namespace trace {

class Log {
public:
    void operator()(const std::string& line) { text_ += (text_.empty() ? "" : "; ") + line; }
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

inline asyncio::Coro<> clock(int turns, Log& log) {
    for (int turn = 1; turn <= turns; ++turn) {
        co_await asyncio::sleep(0);
        log("turn " + std::to_string(turn));
    }
}

template <class Body>
asyncio::Coro<> run_body(Body& body, Log& log) {
    try {
        std::string result = co_await body(log);
        log("result " + result);
    } catch (...) {
        log("raised " + asyncio::repr(std::current_exception()));
    }
}

template <class Body>
asyncio::Coro<> run_with_clock(Body& body, int turns, Log& log) {
    auto ticking = asyncio::create_task(clock(turns, log));
    auto running = asyncio::create_task(run_body(body, log));
    co_await asyncio::wait(running);
    co_await ticking;
}

/// Runs the coroutine `body(log)`, which returns its result's repr, beside the clock; gives the log.
template <class Body>
std::string of(int turns, Body body) {
    Log log;
    asyncio::run(run_with_clock(body, turns, log), {.clock = asyncio::VirtualClock{}});
    return log.text();
}

/// Gives up `turns` passes, then gives `value`.
inline asyncio::Coro<int> value(int value, int turns, Log* log = nullptr) {
    for (int i = 0; i < turns; ++i) co_await asyncio::sleep(0);
    if (log != nullptr) (*log)("done " + std::to_string(value));
    co_return value;
}
/// Gives up `turns` passes, then fails.
inline asyncio::Coro<int> failure(std::string message, int turns, Log* log = nullptr) {
    for (int i = 0; i < turns; ++i) co_await asyncio::sleep(0);
    if (log != nullptr) (*log)("fails " + message);
    throw asyncio::ValueError(message);
}
inline asyncio::Coro<> pass(int turns) {
    for (int i = 0; i < turns; ++i) co_await asyncio::sleep(0);
}

}  // namespace trace
