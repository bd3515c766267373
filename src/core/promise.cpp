#include <asyncio/core/promise.h>

#include "core/task_loop.h"

#include <asyncio/errors/log.h>

namespace asyncio::detail {

void PromiseBase::unhandled_exception() noexcept {
    std::exception_ptr error = std::current_exception();
    if (!current_exception_is_cancelled()) task_->note_unwinding(*this, error);
    fail(std::move(error));
}

void destroy_unawaited(std::coroutine_handle<> frame) noexcept {
    LoopCore* loop = running_core_or_null();
    if (loop != nullptr && loop->debug) {
        TaskBase* task = current_task_of(*loop);
        const PromiseBase& promise = PromiseBase::of(frame);
        StackEntry made = stack_entry({promise.function(), promise.function()});
        std::string text = "coroutine '" + made.function + "' was never awaited, defined at " + made.file + ":" +
                           std::to_string(made.line);
        if (task != nullptr) {
            text += ", dropped by task " + quoted(task->name()) + " at (most recent call last):\n" +
                    format_stack(task->stack(std::nullopt));
            text.pop_back();
        }
        log(LogLevel::warning, text);
    }
    frame.destroy();
}

}  // namespace asyncio::detail
