#include <asyncio/core/waiter.h>

#include "core/task_loop.h"

namespace asyncio::detail {

void Waiter::suspend(TaskBase& task, std::coroutine_handle<> frame) noexcept {
    task_ = &task;
    task.block_on(*this, frame);
}

void Waiter::suspend(TaskBase& task, std::coroutine_handle<> frame, ReadyNode::Run run) noexcept {
    task.set_run(run);
    suspend(task, frame);
}

void Waiter::wake() noexcept {
    if (state_ != State::pending) return;
    state_ = State::woken;
    go_on();
}

void Waiter::go_on() noexcept {
    task_->go_on();
    if (goes_on_ == GoesOn::in_turn) task_->set_run(&Waiter::run_turn);
}

void Waiter::wake_for_turn() noexcept {
    if (state_ != State::pending) return;
    wake();
    task_->set_run(&Waiter::run_turn);
}

void Waiter::step_task() {
    task_->set_run(&TaskBase::step_node);
    task_->step();
}

bool Waiter::cancel(const Ref<CancelRequest>& request) {
    if (state_ != State::pending) return false;
    task_->set_cancel_request(request);
    state_ = State::cancelled;
    task_->leave_queues();
    on_cancel();
    go_on();
    return true;
}

Ref<CancelRequest> Waiter::take_cancel_request() noexcept {
    return state_ == State::cancelled ? task_->take_cancel_request() : task_->take_due_cancel();
}

}  // namespace asyncio::detail
