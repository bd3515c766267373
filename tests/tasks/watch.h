#pragma once

#include "support/run_test.h"

#include <asyncio/core/task.h>

#include <type_traits>
#include <utility>

namespace support {

/// Notes how it ends: "main 5", "main TimeoutError() 0" with the requests to cancel that are left.
template <class T>
asyncio::Coro<> watch(asyncio::Coro<T> coro, Trace& trace) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(coro);
            trace("main None");
        } else {
            auto value = co_await std::move(coro);
            trace("main", value);
        }
    } catch (...) {
        trace("main", caught(), asyncio::current_task().cancelling());
    }
}

}  // namespace support
