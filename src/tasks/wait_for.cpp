#include <asyncio/tasks/wait_for.h>

#include "core/wait_story.h"

namespace asyncio::detail {

void CancelAndWaitAwaiter::cancel_and_wait(TaskBase& task, std::coroutine_handle<> frame) {
    // Not a wait on the future itself: a cancellation of this wait must not become one more of the future.
    future_->add_node(task);
    try {
        future_->cancel(request_cancel(task.loop(), std::nullopt, where_));
    } catch (...) {  // a circle of tasks: the task goes on at once
        task.leave_queues();
        throw;
    }
    suspend(task, frame, &CancelAndWaitAwaiter::future_is_done);
}

void CancelAndWaitAwaiter::tell(WaitStory& story) const {
    story.awaits(future_.get());
    if (story.with_text) story.text = repr_of_future(*future_, story.depth + 1);
}

void CancelAndWaitAwaiter::future_is_done(ReadyNode& node) { of(node).wake(); }

std::exception_ptr error_after_cancel(FutureBase& future) {
    try {
        future.check_result();
    } catch (const CancelledError&) {
        return std::make_exception_ptr(TimeoutError(std::string_view(), std::current_exception()));
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

}  // namespace asyncio::detail
