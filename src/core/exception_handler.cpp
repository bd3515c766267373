// TaskLoop: what is told to the exception handler, and what the default one says.
#include "core/task_loop.h"

#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/log.h>

namespace asyncio::detail {

void TaskLoop::default_exception_handler(const ExceptionContext& context) {
    std::string text = context.message.empty() ? "Unhandled exception in event loop" : context.message;
    if (context.future) text += "\nfuture: " + repr(context.future);
    if (context.handle) text += "\nhandle: " + repr(context.handle);
    if (!context.socket.empty()) text += "\nsocket: " + context.socket;
    if (context.task) text += "\ntask: " + repr(context.task);
    if (!context.transport.empty()) text += "\ntransport: " + context.transport;
    if (!context.stack.empty()) {
        text += context.exception ? "\nTraceback (most recent call last):\n" : "\nStack (most recent call last):\n";
        text += format_stack(context.stack);
        text.pop_back();  // the last line's end
    }
    if (context.exception) {
        std::string said = str(context.exception);
        text += "\n" + type_name(context.exception) + (said.empty() ? "" : ": " + said);
    }
    log(LogLevel::error, text);
}

void TaskLoop::call_exception_handler(const ExceptionContext& context, ContextSlot* slot) {
    std::shared_ptr<ExceptionHandler> handler = exception_handler;
    if (!handler || facade_ == nullptr) return default_exception_handler(context);
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
        (*handler)(*facade_, context);
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        default_exception_handler({.message = "Unhandled error in exception handler",
                                   .exception = std::current_exception(),
                                   .future = context.future,
                                   .task = context.task,
                                   .handle = context.handle});
    }
}

void TaskLoop::report(const ExceptionContext& context) noexcept {
    try {
        call_exception_handler(context);
    } catch (...) {  // KeyboardInterrupt or SystemExit, which Python ignores in a destructor, too
        log(LogLevel::error, "Exception ignored in an exception handler: " + repr(std::current_exception()));
    }
}

void TaskLoop::callback_failed(const std::string& message, HandleBase* handle) {
    call_exception_handler(
        {.message = message, .exception = std::current_exception(), .handle = Handle(Ref<HandleBase>(handle))});
}

void TaskLoop::run_in_debug_mode(ReadyNode& node) {
    // The node may be gone after its turn, so what to call it is asked before.
    std::string name;
    Ref<FutureBase> task;
    if (node.run_function() == &HandleBase::run_handle) {
        name = static_cast<HandleBase&>(node).repr();
    } else if (TaskBase* stepping = task_of_step(node)) {
        task = Ref<FutureBase>(stepping);
    }
    TimePoint start = read_clock();
    node.run();
    Seconds taken = read_clock() - start;
    if (facade_ == nullptr || taken < facade_->slow_callback_duration) return;
    if (task) name = repr(AnyTask(std::move(task)));
    if (name.empty()) name = "a callback of the library";
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", taken.count());
    log(LogLevel::warning, "Executing " + name + " took " + seconds + " seconds");
}

}  // namespace asyncio::detail
