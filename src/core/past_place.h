#pragma once

#include <asyncio/core/stack.h>
#include <asyncio/core/task_base.h>

#include <source_location>
#include <string>

namespace asyncio::detail {

/// A place that is kept for longer than what was there: its module may have been unloaded since. What cannot be read
/// any more is `?`.
struct PastSource {
    explicit PastSource(const std::source_location& location);

    std::string signature = "?";
    std::string file = "?";
    int line = 0;
};

/// As stack_entry(), of a coroutine that is over.
StackEntry past_stack_entry(const FramePlace& place);

}  // namespace asyncio::detail
