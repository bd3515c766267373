#include <asyncio/sync/guard.h>

#include "core/task_loop.h"

#include <asyncio/errors/log.h>

#include <new>

namespace asyncio::detail {

void report_failed_release() noexcept {
    constexpr const char* what = "a guard could not release what it held";
    if (LoopCore* loop = running_core_or_null()) {
        exception_handler_of(*loop).report({.exception = std::current_exception()},
                                           [&](ExceptionContext& context) { context.message = what; });
        return;
    }
    try {
        log(LogLevel::error, std::string(what) + ": " + repr(std::current_exception()));
    } catch (const std::bad_alloc&) {
        log(LogLevel::error, what);
    }
}

}  // namespace asyncio::detail
