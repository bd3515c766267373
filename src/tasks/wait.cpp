#include <asyncio/tasks/wait.h>

#include <string>

namespace asyncio::detail {

void check_wait(std::size_t size, ReturnWhen return_when) {
    if (size == 0) throw ValueError("Set of Tasks/Futures is empty.");
    if (return_when > ALL_COMPLETED) {
        throw ValueError("Invalid return_when value: " + std::to_string(static_cast<int>(return_when)));
    }
}

WaitNode::WaitNode() noexcept : ReadyNode(&WaitNode::is_done) {}

void WaitNode::is_done(ReadyNode& node) {
    auto& self = static_cast<WaitNode&>(node);
    self.awaiter_->one_is_done(*self.future_);
}

void WaitAwaiter::set_future(std::size_t index, FutureBase& future) noexcept {
    nodes_[index].awaiter_ = this;
    nodes_[index].future_ = &future;
}

void WaitAwaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    for (const WaitNode& node : nodes_) checked_future(task.loop(), AnyFuture(Ref<FutureBase>(node.future_)));
    if (options_.timeout) schedule_at(task.loop(), time_of(task.loop()) + *options_.timeout, task);
    for (WaitNode& node : nodes_) node.future_->add_node(node);
    suspend(task, frame, &WaitAwaiter::is_due);
}

void WaitAwaiter::one_is_done(FutureBase& future) {
    --left_;
    bool over = left_ == 0 || options_.return_when == FIRST_COMPLETED;
    if (!over && options_.return_when == FIRST_EXCEPTION && !future.cancelled()) over = future.exception() != nullptr;
    if (!over || !is_pending()) return;
    task_->leave_queues();  // the timer is not needed any more, nor its call, if it is due in this pass
    wake();
}

void WaitAwaiter::is_due(ReadyNode& node) { of(node).wake(); }

void WaitAwaiter::end() {
    for (WaitNode& node : nodes_) node.unlink();
    check();
}

}  // namespace asyncio::detail
