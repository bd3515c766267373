#include <asyncio/core/waiter.h>

#include "core/task_loop.h"

#include <cassert>
#include <cstring>

namespace asyncio::detail {

WaitEdge Waiter::edge() const noexcept {
    bool has_number = kind_ == WaitKind::file_descriptor || kind_ == WaitKind::process;
    if (has_number) return {kind_, subject(), fd_};
    WaitEdge edge{kind_, subject()};
    if (kind_ == WaitKind::future) {  // which of the three, the future itself says
        FutureBase::Kind kind = static_cast<const FutureBase*>(edge.subject)->kind();
        if (kind == FutureBase::Kind::task) edge.kind = WaitKind::task;
        if (kind == FutureBase::Kind::gathering) edge.kind = WaitKind::gathering;
    }
    return edge;
}

const void* Waiter::subject() const noexcept {
    if (subject_at_ == 0) return nullptr;
    const char* place = reinterpret_cast<const char*>(this) + (subject_at_ & ~is_inside) * sizeof(void*);
    if ((subject_at_ & is_inside) != 0) return place;
    const void* subject = nullptr;
    std::memcpy(&subject, place, sizeof subject);
    return subject;
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
