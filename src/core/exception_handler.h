#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/core/exception_context.h>

#include <memory>
#include <new>
#include <utility>

namespace asyncio::detail {

class TaskLoop;

/// Whom a loop tells what nobody else sees: the handler that the program has set, or the log.
class LoopExceptionHandler {
public:
    explicit LoopExceptionHandler(TaskLoop& loop) noexcept : loop_(loop) {}

    /// Null for the default. The former dies last: what it held may come back here.
    void set(ExceptionHandler handler);
    void drop() noexcept { handler_ = nullptr; }
    bool is_set() const noexcept { return static_cast<bool>(handler_); }

    /// It runs in the context of the task or handle that `context` names, or in `slot`.
    void call(const ExceptionContext& context, ContextSlot* slot = nullptr);
    void report(const ExceptionContext& context) noexcept;  // the same where nothing may be thrown
    /// The same two for what `describe(context)` has yet to put into words: where memory lacks for them, the handler is
    /// told without.
    template <class Describe>
    void tell(ExceptionContext context, Describe&& describe, ContextSlot* slot = nullptr) {
        try {
            describe(context);
        } catch (const std::bad_alloc&) {
        }
        call(context, slot);
    }
    template <class Describe>
    void report(ExceptionContext context, Describe&& describe) noexcept {
        try {
            describe(context);
        } catch (const std::bad_alloc&) {
        }
        report(context);
    }
    static void call_default(const ExceptionContext& context);

private:
    TaskLoop& loop_;
    std::shared_ptr<ExceptionHandler> handler_;  // shared with a call under way, which may replace it
};

}  // namespace asyncio::detail
