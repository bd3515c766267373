#include <asyncio/core/waiter.h>

#include "core/loop_core.h"

namespace asyncio::detail {

void Waiter::suspend(TaskBase& task, std::coroutine_handle<> frame) noexcept {
    set_run(&Waiter::step);
    suspend_as_parked(task, frame);
}

void Waiter::suspend_as_parked(TaskBase& task, std::coroutine_handle<> frame) noexcept {
    task_ = &task;
    task.block_on(this, frame);
}

void Waiter::step(ReadyNode& node) {
    auto& waiter = static_cast<Waiter&>(node);
    waiter.task_->step(&waiter);
}

void Waiter::go_on() noexcept {
    set_run(&Waiter::step);
    schedule(task_->loop(), *this);
}

void Waiter::wake() noexcept {
    if (state_ != State::pending) return;
    state_ = State::woken;
    go_on();
}

bool Waiter::cancel(const Ref<CancelRequest>& request) {
    if (state_ != State::pending) return false;
    state_ = State::cancelled;
    cancel_request_ = request;
    on_cancel();
    unlink();
    go_on();
    return true;
}

bool Waiter::task_cancelled() const noexcept { return task_ != nullptr && task_->cancel_is_due(); }

void Waiter::throw_cancelled() {
    if (state_ == State::cancelled) throw CancelledError(std::move(cancel_request_));
    task_->throw_due_cancel();
}

}  // namespace asyncio::detail
