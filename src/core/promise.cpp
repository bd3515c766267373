#include <asyncio/core/promise.h>

#include "core/task_loop.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>

#include <new>

namespace asyncio::detail {

void PromiseBase::unhandled_exception() noexcept {
    std::exception_ptr error = std::current_exception();
    if (!current_exception_is_cancelled() || task_->loop().debug()) task_->note_unwinding(*this, error);
    fail(std::move(error));
}

void PromiseBase::fail_without_value() noexcept {
    try {
        StackEntry made = stack_entry({function_, function_});
        throw RuntimeError("coroutine '" + made.function + "' ended without co_return of a value, defined at " +
                           made.file + ":" + std::to_string(made.line));
    } catch (...) {
        unhandled_exception();
    }
}

namespace {

void warn_of_unawaited(const PromiseBase& promise, TaskBase* dropped_by) {
    StackEntry made = stack_entry({promise.function(), promise.function()});
    std::string text = "coroutine '" + made.function + "' was never awaited, defined at " + made.file + ":" +
                       std::to_string(made.line);
    if (dropped_by != nullptr) {
        text += ", dropped by task " + detail::quoted(dropped_by->name()) + " at (most recent call last):\n" +
                format_stack(dropped_by->stack(std::nullopt));
        text.pop_back();
    }
    log(LogLevel::warning, text);
}

}  // namespace

void destroy_unawaited(std::coroutine_handle<> frame) noexcept {
    LoopCore* loop = running_core_or_null();
    if (loop != nullptr && loop->debug()) {
        try {
            warn_of_unawaited(PromiseBase::of(frame), current_task_of(*loop));
        } catch (const std::bad_alloc&) {
            log(LogLevel::warning, "a coroutine was never awaited");
        }
    }
    frame.destroy();
}

}  // namespace asyncio::detail
