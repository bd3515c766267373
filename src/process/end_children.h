#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/task.h>
#include <asyncio/process/run_process.h>

#include <vector>

namespace asyncio::detail {

/// Asks the children to end, kills those that have not after a while, and waits for their ends, whatever comes between.
/// Then ends the task that attends to their pipes, which grandchildren may still keep open. Throws nothing.
Coro<> end_children(std::vector<subprocess::Process> children, Task<> attending, RunProcessOptions options);

}  // namespace asyncio::detail
