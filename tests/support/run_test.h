#pragma once

#include <asyncio/errors/exceptions.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace support {

/// Runs the coroutine that `main` returns in a loop of its own, in virtual time.
template <class Main>
auto run_test(Main&& main) {
    return asyncio::run(main(), {.clock = asyncio::VirtualClock{}});
}

/// What the function throws, as Python would show it; "nothing" when it throws nothing.
template <class Function>
std::string outcome(Function&& function) {
    try {
        static_cast<void>(function());
    } catch (...) {
        return asyncio::repr(std::current_exception());
    }
    return "nothing";
}

/// The exception under way, as Python would show it; to be called in a catch block.
inline std::string caught() { return asyncio::repr(std::current_exception()); }

/// A value as it appears in a trace; truth values as Python prints them.
template <class Value>
std::string text(const Value& value) {
    if constexpr (std::is_same_v<Value, bool>) {
        return value ? "True" : "False";
    } else if constexpr (std::is_arithmetic_v<Value>) {
        return std::to_string(value);
    } else {
        return std::string(value);
    }
}

/// Notes what happens with the number of the loop's pass in which it happens: "0:made, 2:done True".
///
/// The pass in which it is made has the number 0. It keeps the loop busy, so virtual time stands still while it lives.
class Trace {
public:
    Trace() : loop_(asyncio::get_running_loop()) { wait_for_next_pass(); }
    ~Trace() { next_pass_.cancel(); }
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;

    template <class... Values>
    void operator()(const Values&... values) {
        if (!text_.empty()) text_ += ", ";
        text_ += std::to_string(pass_) + ":";
        std::size_t left = sizeof...(values);
        ((text_ += text(values) + (--left > 0 ? " " : "")), ...);
    }
    const std::string& str() const noexcept { return text_; }

private:
    void wait_for_next_pass() {
        next_pass_ = loop_.call_soon([this] {
            ++pass_;
            wait_for_next_pass();
        });
    }

    asyncio::EventLoop& loop_;
    asyncio::Handle next_pass_;
    int pass_ = 0;
    std::string text_;
};

/// Runs `body(trace)` in a loop of its own; what it noted. Tasks that it leaves are cancelled after that.
template <class Body>
std::string trace_of(Body body) {
    std::string text;
    run_test([&]() -> asyncio::Coro<> {
        Trace trace;
        co_await body(trace);
        text = trace.str();
    });
    return text;
}

inline asyncio::Coro<> passes(int count) {
    for (int i = 0; i < count; ++i) co_await asyncio::sleep(0);
}

/// How the awaitable ends: "nothing" if it throws nothing.
template <class Awaitable>
asyncio::Coro<std::string> outcome_of(Awaitable awaitable) {
    try {
        co_await awaitable;
    } catch (...) {
        co_return caught();
    }
    co_return "nothing";
}

/// Collects what a loop tells its exception handler. Must outlive the loop's last report.
class Reports {
public:
    void listen(asyncio::EventLoop& loop) {
        loop.set_exception_handler([this](asyncio::EventLoop&, const asyncio::ExceptionContext& context) {
            messages.push_back(context.message);
            exceptions.push_back(asyncio::repr(context.exception));
            stacks.push_back(context.stack);
            contexts.push_back(context);
        });
    }
    /// All messages, each with its exception: "Future exception was never retrieved: ValueError('x')".
    std::string str() const {
        std::string all;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            all += (all.empty() ? "" : "\n") + messages[i] + ": " + exceptions[i];
        }
        return all;
    }
    void clear() { *this = Reports(); }

    std::vector<std::string> messages;
    std::vector<std::string> exceptions;
    std::vector<std::vector<asyncio::StackEntry>> stacks;
    std::vector<asyncio::ExceptionContext> contexts;  // keeps the futures alive that were reported
};

}  // namespace support
