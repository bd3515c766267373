#pragma once

#include "support/run_test.h"

#include <asyncio/core/async_generator.h>
#include <asyncio/tasks/sleep.h>

#include <exception>
#include <optional>
#include <string>

namespace support {

using namespace asyncio;
using namespace std::chrono_literals;

/// Runs `body(trace)` in a loop of its own, which it closes before it says what was noted.
template <class Body>
std::string trace_to_the_end(Body body) {
    std::optional<Trace> trace;
    run_test([&]() -> Coro<> {
        trace.emplace();
        co_await body(*trace);
    });
    return trace->str();
}

/// Yields 0, 1 ... and notes all that happens to it; waits so many passes before an item, and for its clean-up.
inline AsyncGenerator<int> numbers(Trace& trace, int end, int awaits = 0, int cleanup = 0) {
    std::exception_ptr thrown;
    try {
        for (int i = 0; i < end; ++i) {
            co_await passes(awaits);
            trace("yields", i);
            co_yield i;
            trace("goes on");
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) {
        trace("thrown", repr(thrown));
        co_await passes(cleanup);
        trace("cleaned up");
        std::rethrow_exception(thrown);
    }
    trace("ends");
}

/// The next item; "None" at the end.
template <class Operation>
Coro<std::string> item_of(Operation step) {
    auto item = co_await step;
    if (item) co_return std::to_string(*item);
    co_return "None";
}

inline AsyncGenerator<int> fails_when_it_is_closed() {
    try {
        co_yield 1;
    } catch (const GeneratorExit&) {
        throw ValueError("boom");
    }
}

inline AsyncGenerator<int> ignores_its_closing() {
    try {
        co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_yield 2;
    co_yield 3;
}

}  // namespace support
