// TaskLoop: what is told to the exception handler, and what the default one says.
#include "core/task_loop.h"
#include "core/tracebacks.h"

#include <asyncio/core/traceback.h>
#include <asyncio/errors/log.h>

#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::detail {

namespace {

std::string text_of(const ExceptionContext& context) {
    std::string text = context.message.empty() ? "Unhandled exception in event loop" : context.message;
    if (!context.asyncgen.empty()) text += "\nasyncgen: " + context.asyncgen;
    if (context.future) text += "\nfuture: " + repr(context.future);
    if (context.handle) text += "\nhandle: " + repr(context.handle);
    if (!context.protocol.empty()) text += "\nprotocol: " + context.protocol;
    if (!context.socket.empty()) text += "\nsocket: " + context.socket;
    if (context.task) text += "\ntask: " + repr(context.task);
    if (!context.transport.empty()) text += "\ntransport: " + context.transport;
    std::string error = context.exception ? format_exception(context.exception) : "";
    bool has_lines = context.exception && !traceback_lines(context.exception).lines.empty();
    if (!context.stack.empty() && !has_lines) {
        text += context.exception ? "\nTraceback (most recent call last):\n" : "\nStack (most recent call last):\n";
        text += format_stack(context.stack);
        text.pop_back();  // the last line's end
    }
    if (context.exception) text += "\n" + error.substr(0, error.size() - 1);
    return text;
}

}  // namespace

void LoopExceptionHandler::set(ExceptionHandler handler) {
    std::shared_ptr<ExceptionHandler> former = std::move(handler_);
    if (handler) handler_ = std::make_shared<ExceptionHandler>(std::move(handler));
}

void LoopExceptionHandler::call_default(const ExceptionContext& context) {
    try {
        log(LogLevel::error, text_of(context));
    } catch (const std::bad_alloc&) {
        const auto* error = exception_cast<std::exception>(context.exception);
        log(LogLevel::error, "An error that memory lacks to describe:");
        if (!context.message.empty()) log(LogLevel::error, context.message);
        if (error != nullptr) log(LogLevel::error, error->what());
    }
}

void LoopExceptionHandler::call(const ExceptionContext& context, ContextSlot* slot) {
    std::shared_ptr<ExceptionHandler> handler = handler_;
    if (!handler || loop_.facade_or_null() == nullptr) return call_default(context);
    try {
        if (slot != nullptr) {
        } else if (context.task) {
            slot = &static_cast<TaskBase*>(context.task.state_or_null())->context_slot();
        } else if (context.future && context.future.state_or_null()->kind() == FutureBase::Kind::task) {
            slot = &static_cast<TaskBase*>(context.future.state_or_null())->context_slot();
        } else if (context.handle) {
            slot = &context.handle.state_or_null()->context_slot();
        }
        std::optional<ContextScope> scope;
        try {
            if (slot != nullptr && slot != current_context_slot()) scope.emplace(*slot);
        } catch (const RuntimeError&) {  // it is in use elsewhere: better told in another context than not at all
        }
        (*handler)(loop_.facade(), context);
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        ExceptionContext failure{.exception = std::current_exception(),
                                 .future = context.future,
                                 .task = context.task,
                                 .handle = context.handle};
        try {
            failure.message = "Unhandled error in exception handler";
        } catch (const std::bad_alloc&) {
        }
        call_default(failure);
    }
}

void LoopExceptionHandler::report(const ExceptionContext& context) noexcept {
    try {
        call(context);
    } catch (...) {  // KeyboardInterrupt or SystemExit, which Python ignores in a destructor, too
        try {
            log(LogLevel::error, "Exception ignored in an exception handler: " + repr(std::current_exception()));
        } catch (const std::bad_alloc&) {
            log(LogLevel::error, "Exception ignored in an exception handler");
        }
    }
}

}  // namespace asyncio::detail
