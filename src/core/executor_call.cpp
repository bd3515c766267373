#include <asyncio/core/executor_call.h>

#include "core/loop_core.h"

namespace asyncio::detail {

ExecutorCall::CancelWatch::CancelWatch(ExecutorCall& owner) noexcept
    : ReadyNode(&ExecutorCall::future_is_done), call(owner) {}

ExecutorCall::ExecutorCall(Ref<FutureBase> future) noexcept
    : ReadyNode(&ExecutorCall::deliver), future_(std::move(future)), cancel_watch_(*this) {}

ExecutorCall::~ExecutorCall() = default;

void ExecutorCall::release() noexcept {
    if (__atomic_sub_fetch(&owners_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
}

void ExecutorCall::submit(LoopCore& loop, Executor* executor) {
    try {
        check_open(loop);
        executor_ = executor != nullptr ? executor : &loop.default_executor();
        inbox_ = inbox_of(loop);
        future_->add_node(cancel_watch_);
        loop.pending_calls.push_back(*this);
        loop_ = &loop;
        executor_->submit(*this);
    } catch (...) {
        delete this;
        throw;
    }
    loop.outside_work_begins();
}

void ExecutorCall::run() noexcept {
    try {
        call();
    } catch (...) {
        exception_ = std::current_exception();
    }
    inbox_->post(*this);
    release();
}

void ExecutorCall::leave_loop() noexcept {
    ListHook<PendingCalls>::unlink();
    cancel_watch_.unlink();
    loop_->outside_work_ends();
    future_.reset();
    release();
}

void ExecutorCall::deliver(ReadyNode& node) {
    auto& call = static_cast<ExecutorCall&>(node);
    FutureBase& future = *call.future_;
    if (!future.done()) {
        call.cancel_watch_.unlink();
        try {
            if (!call.exception_) call.store_result(future);
        } catch (...) {
            call.exception_ = std::current_exception();  // moving the result threw
        }
        if (call.exception_) {
            future.set_exception(std::move(call.exception_));
        } else {
            future.finish();
        }
    }
    call.leave_loop();
}

void ExecutorCall::future_is_done(ReadyNode& node) {
    ExecutorCall& call = static_cast<CancelWatch&>(node).call;
    if (!call.future_->cancelled()) return;
    if (call.executor_->try_cancel(call)) {
        call.release();  // the executor's share
        call.leave_loop();
    } else {
        call.ask_to_stop();
    }
}

void ExecutorCall::detach() noexcept { leave_loop(); }

}  // namespace asyncio::detail
