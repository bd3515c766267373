#include <asyncio/sync/event.h>

#include "core/wait_story.h"
#include "sync/describe.h"

namespace asyncio {
namespace detail {

void EventWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    if (!event_->waiters_.bind(task)) throw_bound_to_other_loop(repr(*event_));
    event_->waiters_.push_back(*this);
    suspend(task, frame);
}

void EventWaiter::tell(WaitStory& story) const {
    if (!is_in_line()) return story.is_gone("Event");
    story.names("Event", event_, with_waiters(event_->is_set() ? "set" : "unset", event_->waiters_.size()));
}

}  // namespace detail

void Event::set() {
    if (is_set_) return;
    waiters_.wake_all();  // throws in a wrong thread, and has changed nothing then
    is_set_ = true;
}

void Event::clear() {
    waiters_.check_thread();
    is_set_ = false;
}

std::string repr(const Event& event) {
    return detail::describe("Event", &event,
                            detail::with_waiters(event.is_set_ ? "set" : "unset", event.waiters_.size()));
}

}  // namespace asyncio
