#pragma once

#include "loop/loop_core.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/detail/intrusive_list.h>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace asyncio::detail {

class GeneratorBase;
struct OpenGenerators;

/// The loop behind an EventLoop: its nodes are tasks, futures, generators and callbacks of users. Lives until the
/// EventLoop and the last future of it are gone.
class TaskLoop final : public LoopCore {
public:
    TaskLoop(EventLoop& facade, const LoopOptions& options);
    ~TaskLoop() override;

    EventLoop& facade() const;
    void run_forever() override;
    /// shutdown_asyncgens() and shutdown_default_executor(), if nobody could tell that no task did it.
    bool shut_down_at_once() noexcept;
    void destroy();  // by the EventLoop's destructor

    // What nobody else sees goes to the exception handler.
    /// The handler runs in the context of the task or handle that `context` names, or in `slot`.
    void call_exception_handler(const ExceptionContext& context, ContextSlot* slot = nullptr);
    void report(const ExceptionContext& context) noexcept;  // the same where nothing may be thrown
    void default_exception_handler(const ExceptionContext& context);
    void callback_failed(const std::string& message, HandleBase* handle) override;
    std::shared_ptr<ExceptionHandler> exception_handler;  // shared with a call under way, which may replace it

    // Tasks.
    TaskBase* current_task = nullptr;
    IntrusiveList<TaskBase, LiveTasks> live_tasks;
    std::shared_ptr<TaskFactory> task_factory;  // as the exception handler
    int cancel_depth = 0;                       // of gather() in gather()
    int eager_depth = 0;                        // of tasks started inside each other
    /// The KeyboardInterrupt or SystemExit that a task ended with: it leaves the loop once the task's step is over.
    std::exception_ptr fatal_error;
    void throw_fatal_error() {
        if (fatal_error) [[unlikely]]
            std::rethrow_exception(std::exchange(fatal_error, nullptr));
    }
    // The frames that the exception under way has passed through, innermost first.
    std::exception_ptr unwinding;
    std::vector<FramePlace> unwound;

    // Futures that others held, to be destroyed without recursion.
    bool destroying_futures = false;
    std::vector<FutureBase*> dying_futures;

    IntrusiveList<GeneratorBase, OpenGenerators> generators;  // that have begun, in the order in which they did
    bool asyncgens_shutdown_called = false;

private:
    void run_in_debug_mode(ReadyNode& node) override;
    void drop_node(ReadyNode& node) noexcept override;

    EventLoop* facade_;
};

inline TaskLoop& task_loop(LoopCore& loop) noexcept { return static_cast<TaskLoop&>(loop); }

}  // namespace asyncio::detail
