#include <asyncio/core/executor_call.h>

#include "core/task_loop.h"

namespace asyncio::detail {

namespace {

thread_local ExecutorCall* current_call = nullptr;

}  // namespace

ExecutorCall* running_call() noexcept { return current_call; }

ExecutorCall::CancelWatch::CancelWatch(ExecutorCall& owner) noexcept
    : ReadyNode(&ExecutorCall::future_is_done), call(owner) {}

ExecutorCall::ExecutorCall() noexcept : OutsideCall(&ExecutorCall::deliver), cancel_watch_(*this) {}

ExecutorCall::~ExecutorCall() = default;

bool ExecutorCall::will_end(const FutureBase& future) noexcept {
    for (const ReadyNode& node : future.callbacks()) {
        if (node.run_function() == &ExecutorCall::future_is_done) return true;
    }
    return false;
}

void ExecutorCall::release() noexcept {
    if (__atomic_sub_fetch(&owners_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
}

void ExecutorCall::submit(LoopCore& loop, Executor* executor, Ref<FutureBase> future) {
    try {
        check_open(loop);
        if (executor == nullptr) executor = &loop.outside().default_executor();
        future_ = std::move(future);
        future_->add_node(cancel_watch_);
        inbox_ = inbox_of(loop);
        join(loop, executor, is_outside_work(loop));
        executor->submit(*this);  // may have run it, to its end
    } catch (...) {
        stop_counting();
        delete this;
        throw;
    }
}

void ExecutorCall::run() noexcept {
    begin();
    ExecutorCall* outer = std::exchange(current_call, this);
    try {
        call();
    } catch (...) {
        exception_ = std::current_exception();
    }
    drop_callable();
    current_call = outer;
    if (inbox_->is_of_running_loop()) {
        deliver_now();
    } else {
        inbox_->post(*this);
    }
    release();
}

void ExecutorCall::leave_loop() noexcept {
    leave();
    cancel_watch_.unlink();
    future_.reset();
    release();
}

void ExecutorCall::deliver(ReadyNode& node) { static_cast<ExecutorCall&>(node).deliver_now(); }

void ExecutorCall::deliver_now() {
    FutureBase& future = *future_;
    if (!future.done()) {
        cancel_watch_.unlink();
        try {
            if (!exception_) store_result(future);
        } catch (...) {
            exception_ = std::current_exception();  // moving the result threw
        }
        if (!exception_) {
            future.finish();
        } else if (was_cancelled()) {
            future.cancel(nullptr);
        } else {
            future.set_exception(std::move(exception_));
        }
    }
    leave_loop();
}

void ExecutorCall::future_is_done(ReadyNode& node) {
    ExecutorCall& call = static_cast<CancelWatch&>(node).call;
    if (!call.future_->cancelled()) return;
    if (call.is_in_executor() && call.executor_->try_cancel(call)) {
        call.release();  // the executor's share
        call.leave_loop();
    } else {
        call.stop_counting();  // nobody waits for it any more
        call.ask_to_stop();
    }
}

void ExecutorCall::detach() noexcept {
    ask_to_stop();
    leave_loop();
}

}  // namespace asyncio::detail
