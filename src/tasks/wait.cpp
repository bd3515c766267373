#include <asyncio/tasks/wait.h>

#include "core/wait_story.h"

#include <asyncio/core/done_callback.h>

#include <memory>
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

std::size_t WaitAwaiter::count_awaited() const noexcept { return nodes_.size(); }
FutureBase* WaitAwaiter::awaited(std::size_t index) const noexcept {
    const WaitNode& node = nodes_[index];
    return node.is_linked() || !node.future_->done() ? node.future_ : nullptr;
}

WaitAwaiter::WaitAwaiter(std::size_t size, const WaitOptions& options)
    : Waiter(WaitKind::several), nodes_(size), left_(size), options_(options) {
    set_subject_inside(static_cast<const AwaitsFutures*>(this));
}
WaitAwaiter::~WaitAwaiter() = default;

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

void WaitAwaiter::tell(WaitStory& story) const {
    static constexpr const char* which[] = {"the first of ", "the first failure of ", ""};
    story.awaits(*this);
    story.awaits_any = options_.return_when != ALL_COMPLETED;
    story.has_limit = task_->is_scheduled() || task_->ReadyNode::is_linked();  // or has come already
    story.text = std::string("<wait for ") + which[static_cast<int>(options_.return_when)] +
                 counted(nodes_.size(), "future") + ", " + std::to_string(story.awaited.size()) + " pending>";
}

namespace {

/// Takes note of the end of one of the futures: whether the wait is over with it.
bool is_over_with(FutureBase& future, std::size_t& left, ReturnWhen return_when) {
    --left;
    if (left == 0 || return_when == FIRST_COMPLETED) return true;
    return return_when == FIRST_EXCEPTION && !future.cancelled() && future.exception() != nullptr;
}

/// Stays behind when a wait for the first exception ends in the pass in which a future does: as in Python, its
/// exception is still looked at, and counts as retrieved.
class LateLook final : public DoneCallback {
public:
    explicit LateLook(std::shared_ptr<std::size_t> left) : DoneCallback(ContextRef()), left_(std::move(left)) {}
    void call(Ref<FutureBase> future) override { is_over_with(*future, *left_, FIRST_EXCEPTION); }

private:
    std::shared_ptr<std::size_t> left_;
};

}  // namespace

void WaitAwaiter::one_is_done(FutureBase& future) {
    if (!is_over_with(future, left_, options_.return_when) || !is_pending()) return;
    task_->leave_queues();  // the timer is not needed any more, nor its call, if it is due in this pass
    wake();
}

void WaitAwaiter::is_due(ReadyNode& node) { of(node).wake(); }

void WaitAwaiter::end() {
    std::shared_ptr<std::size_t> left;
    for (WaitNode& node : nodes_) {
        if (options_.return_when == FIRST_EXCEPTION && left_ > 1 && node.is_linked() && node.future_->done()) {
            if (!left) left = std::make_shared<std::size_t>(left_);
            node.future_->replace_node(node, *new LateLook(left));
        }
        node.unlink();
    }
    check();
}

}  // namespace asyncio::detail

namespace asyncio {

std::string repr(ReturnWhen when) {
    switch (when) {
        case FIRST_COMPLETED:
            return "'FIRST_COMPLETED'";
        case FIRST_EXCEPTION:
            return "'FIRST_EXCEPTION'";
        case ALL_COMPLETED:
            break;
    }
    return "'ALL_COMPLETED'";
}

}  // namespace asyncio
