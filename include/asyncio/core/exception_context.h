#pragma once

#include <asyncio/core/future.h>
#include <asyncio/core/task.h>
#include <asyncio/loop/handle.h>

#include <exception>
#include <string>
#include <vector>

namespace asyncio {

/// What an event loop's exception handler is told. Python: the `context` dictionary of `call_exception_handler()`.
struct ExceptionContext {
    std::string message = {};
    std::exception_ptr exception = nullptr;  ///< null when there is none
    AnyFuture future = {};
    AnyTask task = {};
    Handle handle = {};
    std::string asyncgen = {};           ///< the asynchronous generator that it is about, as it is printed
    std::vector<StackEntry> stack = {};  ///< where the task stands, or the frames that its exception passed through
    std::string transport = {};          ///< the connection that it is about, as it is printed
    std::string socket = {};             ///< the same for a socket
    std::string protocol = {};           ///< the same for the protocol that stands on the connection
};

}  // namespace asyncio
