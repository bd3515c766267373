#include <asyncio/tasks/as_completed.h>

#include "core/wait_story.h"

namespace asyncio::detail {

Completions::Completions(LoopCore& loop, Copy copying) noexcept : loop_(&loop), copy_(copying) {}

std::size_t Completions::count_awaited() const noexcept { return items_.size(); }
FutureBase* Completions::awaited(std::size_t index) const noexcept {
    const Item& item = items_[index];
    return item.future && (item.is_linked() || !item.future->done()) ? item.future.get() : nullptr;
}
bool Completions::is_empty() const noexcept { return taken_ == done_.size(); }

Completions::~Completions() {
    if (timeout_.is_scheduled()) unschedule(*loop_, timeout_);
}

void Completions::add(Ref<FutureBase> future) {
    if (seen_.add(*future)) futures_.push_back(std::move(future));
}

void Completions::begin(std::optional<Seconds> timeout) {
    std::vector<Item>(futures_.size()).swap(items_);
    done_.reserve(items_.size());
    todo_ = left_ = items_.size();
    for (std::size_t i = 0; i < items_.size(); ++i) {
        items_[i].owner = this;
        items_[i].future = std::move(futures_[i]);
        items_[i].future->add_node(items_[i]);
    }
    futures_.clear();
    if (timeout && todo_ > 0) schedule_at(*loop_, time_of(*loop_) + *timeout, timeout_);
}

void Completions::is_done(ReadyNode& node) {
    auto& item = static_cast<Item&>(node);
    Completions& self = *item.owner;
    if (!item.is_todo) return;  // the timeout was first
    item.is_todo = false;
    --self.todo_;
    self.deliver(&item);
    if (self.todo_ > 0) return;
    if (self.timeout_.is_scheduled()) unschedule(*self.loop_, self.timeout_);
    self.timeout_.unlink();  // due in this pass
}

void Completions::is_due(ReadyNode& node) {
    Completions& self = static_cast<Timeout&>(node).owner;
    for (Item& item : self.items_) {
        if (!item.is_todo) continue;
        item.is_todo = false;
        item.unlink();
        self.deliver(nullptr);
    }
    self.todo_ = 0;
}

void Completions::deliver(Item* item) noexcept {
    done_.push_back(item);
    wake_next();
}

void Completions::wake_next() noexcept {
    if (!waiters_.empty()) static_cast<CompletionWaiter&>(Waiter::of(waiters_.pop_front())).item_is_there();
}

void CompletionWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) noexcept {
    completions_->waiters_.push_back(task);
    suspend(task, frame);
}

void CompletionWaiter::item_is_there() noexcept {
    state_ = State::woken;
    task_->set_run(&CompletionWaiter::look_again);
    schedule(task_->loop(), *task_);
}

void CompletionWaiter::look_again(ReadyNode& node) {
    auto& self = static_cast<CompletionWaiter&>(of(node));
    node.set_run(&TaskBase::step_node);
    if (!self.completions_->is_empty() || self.task_->cancel_is_ahead()) return self.task_->step();
    // Somebody who did not have to wait took it: back to the end of the line, as in Python.
    self.state_ = State::pending;
    self.completions_->waiters_.push_back(node);
}

Ref<FutureBase> CompletionWaiter::take() {
    Completions& queue = *completions_;
    if (was_cancelled()) {
        queue.give_step_back();
        if (state_ == State::woken && !queue.is_empty()) queue.wake_next();  // it cannot take what it was woken for
        throw CancelledError(take_cancel_request());
    }
    Completions::Item* item = queue.done_[queue.taken_++];
    if (item == nullptr) throw TimeoutError();
    return std::move(item->future);
}

void throw_step_reused() { throw RuntimeError("cannot reuse already awaited coroutine"); }

void CompletionWaiter::tell(WaitStory& story) const {
    story.awaits(*completions_);
    story.awaits_any = true;
    story.has_limit = completions_->timeout_.is_scheduled() || completions_->timeout_.is_linked();
    story.text = "<as_completed() with " + counted(story.awaited.size(), "future") + " pending>";
}

}  // namespace asyncio::detail
