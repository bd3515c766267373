#include <asyncio/tasks/sleep.h>

#include <asyncio/core/task_base.h>

namespace asyncio::detail {

void throw_invalid_delay() { throw ValueError("Invalid delay: NaN (not a number)"); }

void SleepAwaiter::sleep(TaskBase& task, std::coroutine_handle<> frame) {
    if (delay_.count() <= 0) {
        task_ = &task;
        state_ = State::woken;
        task.yield(frame);
        return;
    }
    set_run(&SleepAwaiter::is_due);
    schedule_at(task.loop(), time_of(task.loop()) + delay_, *this);
    suspend_as_parked(task, frame);
}

void SleepAwaiter::is_due(ReadyNode& node) { static_cast<SleepAwaiter&>(node).wake(); }

void SleepAwaiter::stop_timer() noexcept { unschedule(task_->loop(), *this); }

}  // namespace asyncio::detail
