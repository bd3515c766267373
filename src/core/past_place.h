#pragma once

#include <asyncio/core/stack.h>
#include <asyncio/core/task_base.h>

#include <string>

namespace asyncio::detail {

/// A place of a coroutine that is over: the module in which it was may have been unloaded since. What cannot be read
/// any more is `?`.
struct PastPlace {
    explicit PastPlace(const FramePlace& place);
    StackEntry entry() const;

    std::string signature = "?";
    std::string file = "?";
    int line = 0;
};

}  // namespace asyncio::detail
