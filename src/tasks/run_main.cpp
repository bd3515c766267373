#include <asyncio/core/traceback.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/run.h>

#include <cstdio>
#include <new>
#include <string>
#include <utility>

namespace asyncio {
namespace {

constexpr int status_of_interrupt = 130;  // 128 and SIGINT, as shells have it

/// The program's status after this exception, which is printed.
int status_after(const std::exception_ptr& error) noexcept {
    if (const auto* exit = exception_cast<SystemExit>(error)) return exit->code();
    try {
        std::fflush(stdout);  // what the program has printed comes first
        print_exception(error);
    } catch (const std::bad_alloc&) {
        detail::log(LogLevel::error, "an exception has left the program, and memory lacks to say which");
    }
    return exception_cast<KeyboardInterrupt>(error) != nullptr ? status_of_interrupt : 1;
}

template <class T>
int run_to_status(Coro<T>&& main, RunOptions options) noexcept {
    try {
        if constexpr (std::is_void_v<T>) {
            run(std::move(main), options);
            return 0;
        } else {
            return run(std::move(main), options);
        }
    } catch (...) {
        return status_after(std::current_exception());
    }
}

}  // namespace

int run_main(Coro<>&& main, RunOptions options) noexcept { return run_to_status(std::move(main), options); }
int run_main(Coro<int>&& main, RunOptions options) noexcept { return run_to_status(std::move(main), options); }

}  // namespace asyncio
