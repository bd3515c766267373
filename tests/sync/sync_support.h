#pragma once

#include "support/run_test.h"

#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

using namespace std::chrono_literals;

/// The part of a primitive's repr that does not change from run to run: "[locked, waiters:2]".
template <class Primitive>
std::string tail(const Primitive& primitive) {
    std::string text = repr(primitive);
    return text.substr(text.find('['), text.size() - text.find('[') - 1);
}

/// Acquires, and notes how that ended.
template <class Primitive>
asyncio::Coro<> acquire_as(std::string name, Primitive& primitive, Trace& trace) {
    try {
        co_await primitive.acquire();
        trace(name, "has it");
    } catch (const asyncio::CancelledError&) {
        trace(name, caught(), tail(primitive));
        throw;
    }
}

/// One task for each letter of `names`: `function(name, args...)`.
template <class Function, class... Args>
std::vector<asyncio::Task<>> start_each(std::string_view names, Function function, Args&... args) {
    std::vector<asyncio::Task<>> tasks;
    for (char name : names) tasks.push_back(asyncio::create_task(function(std::string(1, name), args...)));
    return tasks;
}

}  // namespace support
