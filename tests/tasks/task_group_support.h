#pragma once

#include "tasks/watch.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>

#include <string>

namespace support {

inline int cancelling() { return asyncio::current_task().cancelling(); }

inline asyncio::Coro<> forever(Trace& trace, std::string name) {
    auto never = asyncio::get_running_loop().create_future();
    try {
        co_await never;
    } catch (...) {
        trace(name);
        throw;
    }
}

inline asyncio::Coro<> wait_on(asyncio::Future<> future, Trace& trace, std::string name) {
    co_await future;
    trace(name);
}

inline asyncio::Coro<> fail_after(asyncio::Future<> future, Trace& trace, std::string name) {
    co_await future;
    trace(name, "fails");
    throw asyncio::ValueError(name);
}

inline const std::string group_of_a = "ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('a')])";

}  // namespace support
