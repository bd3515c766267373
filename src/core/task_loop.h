#pragma once

#include "core/exception_handler.h"
#include "core/turn_clock.h"
#include "core/unwinding.h"
#include "loop/loop_core.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/detail/intrusive_list.h>

#include <exception>
#include <memory>
#include <string>
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
    EventLoop* facade_or_null() const noexcept { return facade_; }
    void run_forever() { run_until_stopped(); }
    /// shutdown_asyncgens() and shutdown_default_executor(), if nobody could tell that no task did it.
    bool shut_down_at_once() noexcept;
    void destroy();  // by the EventLoop's destructor

    LoopExceptionHandler exception_handler{*this};
    void callback_failed(HandleBase& handle) override;
    void callback_lost(Ref<HandleBase> handle) noexcept override;

    // Tasks.
    TaskBase* current_task = nullptr;
    IntrusiveList<TaskBase, LiveTasks> live_tasks;
    std::uint64_t tasks_begun = 0;
    std::shared_ptr<TaskFactory> task_factory;  // shared with a call under way, which may replace it
    int cancel_depth = 0;                       // of gather() in gather()
    int eager_depth = 0;                        // of tasks started inside each other
    Unwinding unwinding;
    /// The KeyboardInterrupt or SystemExit that a task ended with: it leaves the loop once the task's step is over.
    std::exception_ptr fatal_error;
    void throw_fatal_error() {
        if (fatal_error) [[unlikely]]
            throw_fatal_error_now();
    }

    /// It has ended with an exception that nobody has asked for.
    void note_failed(TaskBase& task) noexcept { failed_tasks_.push_back(task); }

    // Futures that others held, to be destroyed without recursion.
    bool destroying_futures = false;
    std::vector<FutureBase*> dying_futures;

    IntrusiveList<GeneratorBase, OpenGenerators> generators;  // that have begun, in the order in which they did
    bool asyncgens_shutdown_called = false;

private:
    [[noreturn, gnu::noinline]] void throw_fatal_error_now() {
        std::rethrow_exception(std::exchange(fatal_error, nullptr));
    }
    void after_fork_in_child() noexcept override;
    void run_in_debug_mode(ReadyNode& node) override;
    [[gnu::noinline]] void tell_of_slow_turn(FutureBase* task, const HandleBase* handle);
    void node_failed() override;
    void drop_node(ReadyNode& node) noexcept override;
    void nothing_can_come(bool is_proven) override;
    std::string text_of_failed();

    TurnClock turn_clock_{*this};  // of debug mode
    EventLoop* facade_;
    std::string told_of_;  // the last deadlock that the log was told of
    /// As long as somebody could ask, by their nodes, which have no turn any more: tasks that end well pay nothing.
    ReadyList failed_tasks_;
};

/// All that is above the floor `loop` lives on one of these.
inline TaskLoop& task_loop(LoopCore& loop) noexcept { return static_cast<TaskLoop&>(loop); }
inline LoopExceptionHandler& exception_handler_of(LoopCore& loop) noexcept { return task_loop(loop).exception_handler; }

}  // namespace asyncio::detail
