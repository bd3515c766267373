#include <asyncio/core/executor_call.h>

#include "loop/loop_core.h"

namespace asyncio::detail {

namespace {

thread_local ExecutorCall* current_call = nullptr;

}  // namespace

ExecutorCall* running_call() noexcept { return current_call; }

ExecutorCall::CancelWatch::CancelWatch(ExecutorCall& owner) noexcept
    : ReadyNode(&ExecutorCall::future_is_done), call(owner) {}

ExecutorCall::ExecutorCall() noexcept : ReadyNode(&ExecutorCall::deliver), cancel_watch_(*this) {}

ExecutorCall::~ExecutorCall() = default;

void ExecutorCall::release() noexcept {
    if (__atomic_sub_fetch(&owners_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
}

bool ExecutorCall::has_begun() const noexcept { return __atomic_load_n(&begun_, __ATOMIC_RELAXED); }
bool ExecutorCall::is_blocked() const noexcept { return __atomic_load_n(&blocked_, __ATOMIC_RELAXED); }

void ExecutorCall::set_blocked(bool blocked) noexcept {
    __atomic_store_n(&blocked_, blocked, __ATOMIC_RELAXED);
    if (blocked) inbox_->wake();
}

void ExecutorCall::submit(LoopCore& loop, Executor* executor, Ref<FutureBase> future) {
    try {
        check_open(loop);
        executor_ = executor != nullptr ? executor : &loop.default_executor();
        loop_ = &loop;
        inbox_ = inbox_of(loop);
        future_ = std::move(future);
        future_->add_node(cancel_watch_);
        loop.pending_calls.push_back(*this);
        outside_work_ = is_outside_work(loop);
        if (outside_work_) loop.outside_work_begins();
        executor_->submit(*this);  // may have run it, to its end
    } catch (...) {
        end_outside_work();
        delete this;
        throw;
    }
}

void ExecutorCall::run() noexcept {
    __atomic_store_n(&begun_, true, __ATOMIC_RELAXED);
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

void ExecutorCall::set_counted(bool counted) noexcept {
    if (!counted) return end_outside_work();
    if (!std::exchange(outside_work_, true)) loop_->outside_work_begins();
}

void ExecutorCall::end_outside_work() noexcept {
    if (std::exchange(outside_work_, false)) loop_->outside_work_ends();
}

void ExecutorCall::leave_loop() noexcept {
    ListHook<PendingCalls>::unlink();
    cancel_watch_.unlink();
    end_outside_work();
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
        call.end_outside_work();  // nobody waits for it any more
        call.ask_to_stop();
    }
}

bool LoopCore::works_outside() noexcept {
    // A thread that waits for this loop does nothing by itself, nor does a call for which no thread is left then.
    int count = outside_work_;
    const Executor* looked_at = nullptr;
    bool is_stuck = false;
    for (ExecutorCall& call : pending_calls) {
        if (count <= 0) break;
        if (!call.is_counted()) continue;
        if (call.is_blocked()) {
            --count;
        } else if (call.is_in_executor()) {
            if (call.executor() != looked_at) {
                looked_at = call.executor();
                std::size_t blocked = 0;
                for (ExecutorCall& other : pending_calls)
                    blocked += other.executor() == looked_at && other.is_blocked();
                is_stuck = blocked >= looked_at->concurrency();
            }
            if (is_stuck) --count;
        }
    }
    return count > 0;
}

void ExecutorCall::detach() noexcept {
    ask_to_stop();
    leave_loop();
}

}  // namespace asyncio::detail
