#include "core/task_loop.h"

#include "core/description.h"
#include "loop/all_loops.h"

#include <asyncio/core/dump_tasks.h>
#include <asyncio/core/foreign.h>
#include <asyncio/core/generator_base.h>
#include <asyncio/errors/log.h>

#include <cstdio>

namespace asyncio::detail {

namespace {

// Nobody but a debugger, or who looks from outside, uses them: so that a static library's are there.
[[gnu::used]] void (*const dump_tasks_is_there)() = &asyncio_dump_tasks;
[[gnu::used]] const inspect::Description* const description_is_there = &asyncio_inspect_v1;

}  // namespace

TaskLoop::TaskLoop(EventLoop& facade, const LoopOptions& options) : LoopCore(options), facade_(&facade) {
    NoFork no_fork;
    begin_to_follow_forks(no_fork);
    all_loops.add(*this, no_fork);
}

TaskLoop::~TaskLoop() {
    NoFork no_fork;
    all_loops.remove(*this, no_fork);
    end_to_follow_forks(no_fork);
}

EventLoop& TaskLoop::facade() const {
    if (facade_ == nullptr) throw RuntimeError("the event loop was destroyed");
    return *facade_;
}

bool TaskLoop::shut_down_at_once() noexcept {
    bool nobody_looks_on = !debug() && !task_factory;
    if (!nobody_looks_on || !live_tasks.empty() || !generators.empty() || !is_untouched()) return false;
    asyncgens_shutdown_called = true;
    outside().refuse_calls();
    TaskName number;  // of each of the tasks that would have done it
    number.assign_number();
    number.assign_number();
    return true;
}

void TaskLoop::destroy() {
    if (is_running() && was_running_at_fork()) {  // what its thread was in the middle of stands still for ever
        facade_ = nullptr;
        return;
    }
    close();
    for (TaskBase& task : live_tasks) task.report_abandoned();
    // The newest first: what a task was given when it was made is older than it, and lies in the frames of older tasks.
    while (!live_tasks.empty()) live_tasks.back().abandon();
    drop_queued();
    task_factory = nullptr;
    exception_handler.drop();
    outside().drop_own_executor();
    facade_ = nullptr;
    dec_ref();
}

void TaskLoop::after_fork_in_child() noexcept {
    if (running_core_or_null() == this) current_task = nullptr;
    LoopCore::after_fork_in_child();
}

void TaskLoop::callback_failed(HandleBase& handle) {
    exception_handler.tell({.exception = std::current_exception(), .handle = Handle(Ref<HandleBase>(&handle))},
                           [&](ExceptionContext& context) { context.message = handle.failure_text(); });
}

void TaskLoop::callback_lost(Ref<HandleBase> handle) noexcept {
    exception_handler.report({.exception = std::current_exception(), .handle = Handle(std::move(handle))});
}

/// A callback of the library itself; those of users tell what they are themselves.
void TaskLoop::node_failed() {
    if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    exception_handler.tell({.exception = std::current_exception()}, [](ExceptionContext& context) {
        context.message = "Exception in a callback of the library";
    });
}

void TaskLoop::drop_node(ReadyNode& node) noexcept {
    node.unlink();
    if (node.run_function() == &HandleBase::run_handle) {
        static_cast<HandleBase&>(node).drop_unrun();
    } else if (node.run_function() == &DoneCallback::run_callback) {
        delete static_cast<DoneCallback*>(&node);
    } else if (node.run_function() == &ForeignOperation::deliver) {
        static_cast<ForeignOperation&>(node).dec_ref();
    } else if (node.run_function() == &Message::run_message) {
        delete &static_cast<Message&>(node);
    }
}

void TaskLoop::run_in_debug_mode(ReadyNode& node) {
    // The node may be gone after its turn, but for what it is a part of.
    class Kept {
    public:
        explicit Kept(ReadyNode& node) noexcept : task(task_of_step(node)) {
            if (task != nullptr) {
                task->inc_ref();
            } else if (node.run_function() == &HandleBase::run_handle) {
                handle = &static_cast<HandleBase&>(node);
                handle->inc_ref_in_its_thread();
            }
        }
        ~Kept() {
            if (task != nullptr) task->dec_ref_in_its_thread();
            if (handle != nullptr) handle->dec_ref_in_its_thread();
        }
        FutureBase* task;
        HandleBase* handle = nullptr;
    };
    Kept kept(node);
    turn_clock_.begin(steps());
    node.run();
    if (facade_ != nullptr && turn_clock_.end(steps(), facade_->slow_callback_duration)) [[unlikely]]
        tell_of_slow_turn(kept.task, kept.handle);
}

void TaskLoop::tell_of_slow_turn(FutureBase* task, const HandleBase* handle) {
    Seconds taken = turn_clock_.length();
    if (taken < facade_->slow_callback_duration) return;
    std::string name = "a callback of the library";
    if (task != nullptr) name = repr(AnyTask(Ref<FutureBase>(task)));
    if (handle != nullptr) name = handle->repr();
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", taken.count());
    log(LogLevel::warning, "Executing " + name + " took " + seconds + " seconds");
}

TaskBase* current_task_of(LoopCore& loop) noexcept { return task_loop(loop).current_task; }

}  // namespace asyncio::detail
