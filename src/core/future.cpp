#include <asyncio/core/future.h>

#include "core/task_loop.h"

namespace asyncio {
namespace detail {

void throw_empty_handle() {
    throw RuntimeError("this handle is empty: it was default-constructed or moved from, and names no future");
}

void throw_coroutine_reused() { throw RuntimeError("cannot reuse already awaited coroutine"); }

EventLoop& loop_of(FutureBase* state) {
    if (state == nullptr) throw_empty_handle();
    return task_loop(state->loop()).facade();
}

Ref<CancelRequest> request_cancel(LoopCore& loop, std::optional<std::string_view> message, std::source_location where) {
    return request_cancel(current_task_of(loop), message, where);
}

Ref<CancelRequest> request_cancel(const TaskBase* asker, std::optional<std::string_view> message,
                                  std::source_location where) {
    std::string name;
    try {
        if (asker != nullptr) name = asker->name();
    } catch (const std::bad_alloc&) {  // then it does not say by whom
    }
    return make_cancel_request(message, name, where);
}

bool FutureWaiter::cancel(const Ref<CancelRequest>& request) {
    if (state_ != State::pending) return false;  // it waits for nothing: it is about to be told of its misuse
    return future_->cancel(request);
}

TaskBase* FutureWaiter::awaited_task() const noexcept {
    bool waits_for_task = state_ == State::pending && future_->kind() == FutureBase::Kind::task;
    return waits_for_task ? static_cast<TaskBase*>(future_.get()) : nullptr;
}

void FutureWaiter::suspend_on_future(TaskBase& task, std::coroutine_handle<> frame) noexcept {
    bool misused = future_.get() == &task || &future_->loop() != &task.loop();
    if (misused) [[unlikely]] {
        // As in Python, the error is thrown in the next pass, from this await.
        task_ = &task;
        state_ = State::woken;
        task.yield(frame);
        return;
    }
    future_->add_node(task);
    suspend(task, frame);
}

std::exception_ptr FutureWaiter::error_of_wait() {
    if (was_cancelled()) {
        future_->mark_retrieved();
        return std::make_exception_ptr(CancelledError(take_cancel_request()));
    }
    std::string task = repr(AnyTask(Ref<FutureBase>(task_)));
    if (future_.get() == task_) return std::make_exception_ptr(RuntimeError("Task cannot await on itself: " + task));
    return std::make_exception_ptr(
        RuntimeError("Task " + task + " got Future " + repr(AnyFuture(future_)) + " attached to a different loop"));
}

}  // namespace detail

void AnyFuture::require_type(const std::type_info& type) const {
    if (state().result_type() == type) return;
    throw TypeError("the future's result is of type " + detail::type_text(state().result_type()) + ", not " +
                    detail::type_text(type));
}

}  // namespace asyncio
