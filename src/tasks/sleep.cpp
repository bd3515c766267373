#include <asyncio/tasks/sleep.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"

#include <asyncio/core/task_base.h>

#include <cstdio>

namespace asyncio::detail {

void throw_invalid_delay() { throw ValueError("Invalid delay: NaN (not a number)"); }

void SleepWait::start(Seconds delay, TaskBase& task, std::coroutine_handle<> frame) {
    TimePoint now = time_of(task.loop());
    TimePoint due = now + delay;
    // Whoever sleeps for the last bit that is left, in floating point, would do so for ever in virtual time.
    if (due == now) due = now + Seconds(1e-9);
    schedule_at(task.loop(), due, task);
    suspend(task, frame, &SleepWait::is_due);
}

void SleepWait::tell(WaitStory& story) const {
    if (!task_->is_scheduled()) {
        story.text = "<sleep that is over>";
        return;
    }
    LoopCore& loop = task_->loop();
    double left = (loop.when_of(*task_) - loop.time()).count();
    char text[64];
    std::snprintf(text, sizeof text, "<sleep with %.3f seconds left>", left > 0 ? left : 0.0);
    story.text = text;
}

void SleepWait::is_due(ReadyNode& node) { of(node).wake(); }

}  // namespace asyncio::detail
