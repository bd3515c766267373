#include <asyncio/tasks/sleep.h>

#include <asyncio/core/task_base.h>

namespace asyncio::detail {

void throw_invalid_delay() { throw ValueError("Invalid delay: NaN (not a number)"); }

void SleepWait::start(Seconds delay, TaskBase& task, std::coroutine_handle<> frame) {
    schedule_at(task.loop(), time_of(task.loop()) + delay, task);
    suspend(task, frame, &SleepWait::is_due);
}

void SleepWait::is_due(ReadyNode& node) { of(node).wake(); }

}  // namespace asyncio::detail
