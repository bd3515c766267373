#pragma once

#include <string>
#include <vector>

namespace asyncio {

/// One coroutine of a task's stack. Python: a frame of `Task.get_stack()`.
struct StackEntry {
    std::string function;  ///< its name, without the return type
    std::string file;
    int line = 0;             ///< of the await at which it stands, or stood last
    bool has_awaited = true;  ///< false: it came to none yet, and the line is one of its definition
};

/// The lines as Python's `traceback` prints them, oldest first.
std::string format_stack(const std::vector<StackEntry>& stack);

}  // namespace asyncio
