// TaskBase: how a request to cancel comes to it and is passed on.
#include <asyncio/core/task_base.h>
#include <asyncio/core/waiter.h>

#include "core/task_loop.h"

#include <new>

namespace asyncio::detail {

void TaskBase::cancel_wait(Waiter& waiter) noexcept {
    try {
        if (waiter.cancel(cancel_request_)) must_cancel_ = false;
    } catch (...) {  // this wait closes a circle of tasks
        exception_handler_of(*loop_).report(
            {.exception = std::current_exception(), .task = AnyTask(Ref<FutureBase>(this))},
            [](ExceptionContext& context) { context.message = "Exception in a task's step"; });
    }
}

namespace {

/// What a wait was cancelled by, until that is thrown, and what is kept for the task itself, as Python keeps its
/// `_cancel_message`: a copy, for other tasks may have the same request.
Ref<CancelRequest> of_wait_and_task(const Ref<CancelRequest>& wait, const Ref<CancelRequest>& task) noexcept {
    try {
        auto both = make_cancel_request(std::nullopt, {}, std::source_location());
        if (wait) both = make_cancel_request(wait->message, wait->requested_by, wait->requested_at);
        if (both) both->of_task = task;
        return both ? both : wait;
    } catch (const std::bad_alloc&) {
        return wait;  // the one that is thrown first; the task's own loses its message
    }
}

}  // namespace

bool TaskBase::cancel(const Ref<CancelRequest>& request) {
    loop_->check_thread();
    // A task that waits for a task passes the request on. Followed in a loop, since a chain may be long.
    TaskBase* task = this;
    TaskBase* milestone = this;
    for (std::size_t length = 1;; ++length) {
        task->unretrieved_ = false;
        if (task->done()) return false;
        if (task->cancels_requested_ < UINT16_MAX) ++task->cancels_requested_;
        TaskBase* awaited = task->waiting_on() != nullptr ? task->waiter_->awaited_task() : nullptr;
        if (awaited == nullptr || awaited->done()) break;
        if (awaited == milestone)
            throw RuntimeError("cannot cancel tasks that wait for each other in a circle: " + name());
        if ((length & (length - 1)) == 0) milestone = awaited;
        task = awaited;
    }
    Waiter* waiter = task->waiting_on();
    if (waiter != nullptr && waiter->cancel(request)) return true;
    task->must_cancel_ = true;
    bool has_one_already =
        waiter != nullptr && waiter->is_cancelled();  // that its wait was cancelled by: it comes first
    if (has_one_already) {
        task->cancel_request_ = of_wait_and_task(task->cancel_request_, request);
    } else {
        task->cancel_request_ = request;
    }
    return true;
}

void TaskBase::set_cancel_request(const Ref<CancelRequest>& request) noexcept {
    cancel_request_ = cancel_request_ ? of_wait_and_task(request, cancel_request_) : request;
}

Ref<CancelRequest> TaskBase::take_cancel_request() noexcept {
    Ref<CancelRequest> request = std::move(cancel_request_);
    if (request && request->of_task) cancel_request_ = request->of_task;
    return request;
}

int TaskBase::uncancel() noexcept {
    if (cancels_requested_ > 0) {
        --cancels_requested_;
        if (cancels_requested_ == 0) must_cancel_ = false;
    }
    return cancelling();
}

bool TaskBase::take_cancel_ahead(Ref<CancelRequest>& request) noexcept {
    if (!must_cancel_) return false;
    must_cancel_ = false;
    request = cancel_request_;
    return true;
}

}  // namespace asyncio::detail
