#include <asyncio/tasks/sleep.h>

#include <asyncio/core/task_base.h>

#include <cmath>

namespace asyncio::detail {

void check_delay(Seconds delay) {
    if (std::isnan(delay.count())) throw ValueError("Invalid delay: NaN (not a number)");
}

SleepAwaiter::~SleepAwaiter() {
    if (is_scheduled()) unschedule(task_->loop(), *this);
}

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

void SleepAwaiter::on_cancel() noexcept { unschedule(task_->loop(), *this); }

}  // namespace asyncio::detail
