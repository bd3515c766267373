#pragma once

#include <asyncio/core/wait_queue.h>
#include <asyncio/sync/guard.h>

#include <coroutine>
#include <string>

namespace asyncio {

class Event;

namespace detail {

/// A wait in `Event::wait()`.
class [[nodiscard]] [[gnu::warn_unused]] EventWaiter final : public QueueWaiter {
public:
    explicit EventWaiter(Event& event) noexcept : QueueWaiter(WaitKind::event, &event_), event_(&event) {}
    void tell(WaitStory& story) const override;
    bool await_ready() const noexcept;
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    [[gnu::always_inline]] bool await_resume() {  // see Waiter::check()
        leave();
        check();
        return true;
    }

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    Event* event_;
};

}  // namespace detail

/// A flag that any number of tasks can wait for. It begins as false.
///
/// `set()` wakes all who wait, in the order in which they came; they go on in the loop's next pass, even if `clear()`
/// comes before that. It belongs to the first loop in which a task has to wait for it, and must outlive its use; not
/// thread-safe: from another thread, `loop.call_soon_threadsafe([&] { event.set(); })`.
///
/// Python: asyncio.Event.
class Event {
public:
    Event() noexcept = default;

    /// Waits until the flag is true; does not suspend if it is. Gives true. Cancelling takes the task out of the line.
    detail::Operation<Event, detail::EventWaiter> wait() noexcept {
        return detail::Operation<Event, detail::EventWaiter>(*this);
    }
    /// Makes the flag true. Nothing if it is.
    void set();
    /// Makes the flag false: who waits from now on waits for the next `set()`. Python: event.clear().
    void clear();
    /// Whether the flag is true. Python: event.is_set().
    bool is_set() const noexcept { return is_set_; }

private:
    friend class detail::EventWaiter;
    friend std::string repr(const Event& event);

    bool is_set_ = false;
    detail::WaitQueue waiters_;
};

/// `<asyncio.locks.Event object at 0x7f5c [unset, waiters:2]>`, as Python prints it.
std::string repr(const Event& event);

namespace detail {

inline bool EventWaiter::await_ready() const noexcept { return event_->is_set(); }

}  // namespace detail
}  // namespace asyncio
