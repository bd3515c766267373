#include "core/task_loop.h"

#include <asyncio/core/foreign.h>
#include <asyncio/core/generator_base.h>

namespace asyncio::detail {

TaskLoop::TaskLoop(EventLoop& facade, const LoopOptions& options) : LoopCore(options), facade_(&facade) {}
TaskLoop::~TaskLoop() = default;

EventLoop& TaskLoop::facade() const {
    if (facade_ == nullptr) throw RuntimeError("the event loop was destroyed");
    return *facade_;
}

void TaskLoop::run_forever() {
    nested_children.stack_end =
        reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - NestedChildren::most_bytes;
    LoopCore::run_forever();
}

void TaskLoop::drop_node(ReadyNode& node) noexcept {
    node.unlink();
    if (node.run_function() == &HandleBase::run_handle) {
        static_cast<HandleBase&>(node).leave_queue();
    } else if (node.run_function() == &DoneCallback::run_callback) {
        delete static_cast<DoneCallback*>(&node);
    } else if (node.run_function() == &ForeignOperation::deliver) {
        static_cast<ForeignOperation&>(node).dec_ref();
    } else if (node.run_function() == &Message::run_message) {
        delete &static_cast<Message&>(node);
    }
}

bool TaskLoop::shut_down_at_once() noexcept {
    bool nobody_looks_on = !debug && !task_factory;
    if (!nobody_looks_on || !live_tasks.empty() || !generators.empty() || !is_untouched()) return false;
    asyncgens_shutdown_called = true;
    outside().refuse_calls();
    TaskName number;  // of each of the tasks that would have done it
    number.assign_number();
    number.assign_number();
    return true;
}

void TaskLoop::destroy() {
    close();
    while (!live_tasks.empty()) live_tasks.front().abandon();
    drop_queued();
    task_factory = nullptr;
    exception_handler = nullptr;
    outside().drop_own_executor();
    facade_ = nullptr;
    dec_ref();
}

TaskBase* current_task_of(LoopCore& loop) noexcept { return task_loop(loop).current_task; }

}  // namespace asyncio::detail
