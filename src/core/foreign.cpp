#include <asyncio/core/foreign.h>

#include "core/task_loop.h"

namespace asyncio::detail {

namespace {

// start() and finish() meet in these, to learn who came first.
enum Phase : unsigned { starting, waiting, finished };

}  // namespace

void ForeignOperation::inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
void ForeignOperation::dec_ref() noexcept {
    if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
}

ForeignOperation::~ForeignOperation() {
    if (frame_) std::exchange(frame_, nullptr).destroy();
}

void ForeignOperation::frame_is_destroyed() noexcept {
    if (!frame_ || is_finished()) return;
    frame_ = nullptr;
    try {
        throw RuntimeError(
            "the operation of another library was dropped before it had an outcome: its handle was destroyed");
    } catch (...) {  // it, or that there is no memory for it
        exception_ = std::current_exception();
    }
    finish();
}

void ForeignOperation::start(Frame frame) {
    frame_ = frame;
    inbox_ = inbox_of(running_core());
    inc_ref();  // the operation's own, until it is over
    frame.resume();
    unsigned expected = starting;
    __atomic_compare_exchange_n(&phase_, &expected, waiting, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool ForeignOperation::is_finished() const noexcept { return __atomic_load_n(&phase_, __ATOMIC_ACQUIRE) == finished; }

void ForeignOperation::finish() noexcept {
    Ref<Inbox> inbox = inbox_;  // the loop's thread may destroy the operation before post() has returned
    unsigned before = __atomic_exchange_n(&phase_, static_cast<unsigned>(finished), __ATOMIC_ACQ_REL);
    // Posted, the operation's own count goes with the node; else nobody waits for it or start() sees it.
    if (before == waiting && inbox->post(*this)) return;
    dec_ref();
}

void ForeignOperation::deliver(ReadyNode& node) {
    Ref<ForeignOperation> operation = Ref<ForeignOperation>::adopt(&static_cast<ForeignOperation&>(node));
    if (operation->waiter_ != nullptr) operation->waiter_->go_on_now();
}

[[gnu::noinline]] void ForeignOperation::promise_type::FinalAwaiter::await_suspend(Frame frame) const noexcept {
    frame.promise().operation_.finish();
}

ForeignWaiter::ForeignWaiter(Ref<ForeignOperation> operation) noexcept
    : Waiter(WaitKind::foreign, &operation_), operation_(std::move(operation)) {}

ForeignWaiter::~ForeignWaiter() { abandon(); }

void ForeignWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) noexcept {
    operation_->waiter_ = this;
    loop_ = &task.loop();
    loop_->outside().begins();
    suspend(task, frame);
}

void ForeignWaiter::abandon() noexcept {
    if (loop_ == nullptr) return;
    std::exchange(loop_, nullptr)->outside().ends();
    operation_->waiter_ = nullptr;
}

void ForeignWaiter::go_on_now() {
    abandon();
    state_ = State::woken;
    task_->step();
}

}  // namespace asyncio::detail
