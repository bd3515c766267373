#include <asyncio/sync/queue.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "sync/describe.h"

#include <algorithm>
#include <cstdio>

namespace asyncio::detail {

QueueLine::~QueueLine() {
    look_in_turn();  // whoever was woken finds then that there is no queue
    while (!line_.empty()) line_.pop_front();
}

void QueueLine::wake_first_pending() {
    do {
        auto& wait = static_cast<QueueWait&>(*next_);
        ++next_;
        if (wait.is_pending()) return wait.wake_in_line();
        // it was cancelled
    } while (next_ != line_.end());
}

void QueueLine::wake_all() {
    while (next_ != line_.end()) wake_first_pending();
}

void QueueLine::look_in_turn() noexcept {
    for (; plain_ != next_; ++plain_) static_cast<QueueWait&>(*plain_).look_in_turn();
}

std::size_t QueueLine::size() const noexcept {
    std::size_t count = 0;
    for (auto wait = next_; wait != line_.end(); ++wait) ++count;
    return count;
}

QueueLine& QueueWait::line() const noexcept { return is_for_item() ? queue_->getters_ : queue_->putters_; }

void QueueWait::leave_line() noexcept { line().leave(*this); }

bool QueueWait::is_there() const noexcept { return is_for_item() ? !queue_->empty() : !queue_->full(); }

void QueueWait::start(QueueLine& line, TaskBase& task, std::coroutine_handle<> frame) noexcept {
    line.push_back(*this);
    suspend(task, frame);
}

[[gnu::always_inline]] inline void QueueWait::wake_in_line() {
    LoopCore& loop = task_->loop();
    if (loop.debug()) [[unlikely]]
        loop.check_thread();
    state_ = State::woken;
    task_->set_run(&TaskBase::step_node);
    loop.push_ready(*task_);
}

void QueueWait::turn() {
    if (!is_cancelled() && !task_->cancel_is_ahead()) {
        if (!is_in_line()) {          // the queue has died
            state_ = State::pending;  // for ever, like those that it had not woken
            return;
        }
        QueueLine& in = line();
        if (!is_there() && !queue_->is_shutdown()) {
            state_ = State::pending;
            in.leave(*this);
            in.push_back(*this);
            return;
        }
        in.somebody_is_faster();  // than those that are behind it
    }
    Waiter::step_task();
}

Ref<CancelRequest> QueueWait::end_cancelled() {
    bool was_woken = is_woken();
    if (is_in_line()) {
        leave_line();
        if (was_woken) hand_on();
    }
    return take_cancel_request();
}

void QueueWait::hand_on() {
    if (!is_there()) return;
    line().wake_next();
    line().look_in_turn();  // there may be more of them now than it is there for
}

void QueueWait::tell(WaitStory& story) const {
    if (!is_in_line()) return story.is_gone("Queue");
    std::string size = std::to_string(queue_->size_);
    if (queue_->maxsize_ > 0) size += "/" + std::to_string(queue_->maxsize_);
    story.names("Queue", queue_, (is_for_item() ? "in get(), items:" : "in put(), items:") + size);
}

void JoinWaiter::tell(WaitStory& story) const {
    if (!is_in_line()) return story.is_gone("Queue");
    story.names("Queue", queue_, "in join(), tasks:" + std::to_string(queue_->unfinished_));
}

void JoinWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    if (!queue_->joiners_.bind(task)) {
        // Python's queue keeps an Event for this.
        std::string extra = with_waiters("unset", queue_->joiners_.size());
        throw_bound_to_other_loop(describe("Event", &queue_->joiners_, extra));
    }
    queue_->joiners_.push_back(*this);
    suspend(task, frame);
}

void QueueBase::task_done() {
    check_thread();
    if (unfinished_ == 0) throw ValueError("task_done() called too many times");
    if (--unfinished_ == 0) joiners_.wake_all();
}

QueueBase::~QueueBase() {
    if (loop_ != nullptr) loop_->dec_ref();
}

bool QueueBase::bind_first(TaskBase& task) noexcept {
    if (loop_ != nullptr) return false;
    loop_ = &task.loop();
    loop_->inc_ref();  // another loop at the same address would pass for it
    if (loop_->debug()) flags_ |= debug_flag;
    return true;
}

void QueueBase::check_thread() const {
    if ((flags_ & debug_flag) != 0) loop_->check_thread();
}

void QueueBase::look_if_open() const {
    check_thread();
    if (is_shutdown()) throw QueueShutDown();
}

void QueueBase::look_before_put() const {
    look_if_open();
    if (full()) throw QueueFull();
}

void QueueBase::look_before_get() const {
    check_thread();
    if (!empty()) return;
    look_if_open();
    throw QueueEmpty();
}

void QueueBase::shut_down(bool drop_items) {
    flags_ |= shutdown_flag;
    if (drop_items) {
        unfinished_ -= std::min(unfinished_, size_);
        size_ = 0;
        if (unfinished_ == 0) joiners_.wake_all();
    }
    getters_.wake_all();
    putters_.wake_all();
}

std::string QueueBase::describe(const char* type, const std::string& items, bool with_address) const {
    std::string text = std::string("<") + type;
    if (with_address) {
        char address[32];
        std::snprintf(address, sizeof address, " at %p", static_cast<const void*>(this));
        text += address;
    }
    text += " maxsize=" + std::to_string(maxsize_);
    if (size_ > 0) text += " _queue=[" + items + "]";
    if (std::size_t count = getters_.size(); count > 0) text += " _getters[" + std::to_string(count) + "]";
    if (std::size_t count = putters_.size(); count > 0) text += " _putters[" + std::to_string(count) + "]";
    if (unfinished_ > 0) text += " tasks=" + std::to_string(unfinished_);
    if (is_shutdown()) text += " shutdown";
    return text + ">";
}

}  // namespace asyncio::detail
