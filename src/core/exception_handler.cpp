// TaskLoop: what is told to the exception handler, and what the default one says.
#include "core/task_loop.h"

#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/log.h>

#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::detail {

namespace {

std::string line_of(const std::exception_ptr& error) {
    std::string said = str(error);
    return type_name(error) + (said.empty() ? "" : ": " + said);
}

/// An exception group as Python's traceback shows it, without a line's end after the last line.
class GroupText {
public:
    explicit GroupText(const std::exception_ptr& group) { add(group, 1); }
    std::string text;

private:
    static constexpr std::size_t widest = 15;
    static constexpr std::size_t deepest = 10;

    void add(const std::exception_ptr& error, std::size_t depth) {
        const auto* group = exception_cast<BaseExceptionGroup>(error);
        if (group != nullptr && depth > deepest) return add_line("... (max_group_depth is 10)", depth);
        add_line(line_of(error), depth);
        if (group == nullptr) return;
        const std::vector<std::exception_ptr>& children = group->exceptions();
        needs_end_ = false;
        for (std::size_t i = 0; i < children.size() && i <= widest; ++i) {
            bool is_last = i == widest || i + 1 == children.size();
            if (is_last) needs_end_ = true;  // an inner group may draw the same line
            std::string title = i < widest ? std::to_string(i + 1) : "...";
            text += "\n" + std::string(2 * depth, ' ') + (i == 0 ? "+-" : "  ") + "+---------------- " + title +
                    " ----------------";
            if (i < widest) {
                add(children[i], depth + 1);
            } else {
                std::size_t more = children.size() - widest;
                add_line("and " + std::to_string(more) + (more == 1 ? " more exception" : " more exceptions"),
                         depth + 1);
            }
            if (is_last && std::exchange(needs_end_, false)) {
                text += "\n" + std::string(2 * depth + 2, ' ') + "+------------------------------------";
            }
        }
    }
    void add_line(std::string_view line, std::size_t depth) {
        std::string margin = "\n" + std::string(2 * depth, ' ') + "| ";
        text += margin;
        for (char c : line) c == '\n' ? text += margin : text += c;
    }

    bool needs_end_ = false;
};

std::string text_of(const ExceptionContext& context) {
    std::string text = context.message.empty() ? "Unhandled exception in event loop" : context.message;
    if (!context.asyncgen.empty()) text += "\nasyncgen: " + context.asyncgen;
    if (context.future) text += "\nfuture: " + repr(context.future);
    if (context.handle) text += "\nhandle: " + repr(context.handle);
    if (!context.protocol.empty()) text += "\nprotocol: " + context.protocol;
    if (!context.socket.empty()) text += "\nsocket: " + context.socket;
    if (context.task) text += "\ntask: " + repr(context.task);
    if (!context.transport.empty()) text += "\ntransport: " + context.transport;
    if (!context.stack.empty()) {
        text += context.exception ? "\nTraceback (most recent call last):\n" : "\nStack (most recent call last):\n";
        text += format_stack(context.stack);
        text.pop_back();  // the last line's end
    }
    if (context.exception) {
        bool is_group = exception_cast<BaseExceptionGroup>(context.exception) != nullptr;
        text += is_group ? GroupText(context.exception).text : "\n" + line_of(context.exception);
    }
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
