#include <asyncio/sync/guard.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>

namespace asyncio::detail {

void report_failed_release() noexcept {
    std::exception_ptr failure = std::current_exception();
    try {
        get_running_loop().call_exception_handler(
            {.message = "a guard could not release what it held", .exception = failure});
    } catch (...) {
        log(LogLevel::error, "a guard could not release what it held: " + repr(failure));
    }
}

}  // namespace asyncio::detail
