#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/detail/intrusive_list.h>

#include <cstddef>
#include <string>

namespace asyncio::detail {

class WaitQueue;

/// One task's place in a WaitQueue, in the frame that waits: what Python's primitives keep a future in a deque for.
///
/// As in Python it stays in line until its task goes on, also after it was woken or cancelled: fairness looks at that.
/// So `leave()` comes first in `await_resume`.
///
/// An operation that may have to wait more than once is made with `GoesOn::in_turn`. When a wait of it is over,
/// `turn()` is called in the pass and the place of the task's step, and ends by `wait_again()` or by `step_task()`.
class QueueWaiter : public Waiter, public ListHook<WaitQueue> {
protected:
    explicit QueueWaiter(WaitKind kind, const void* subject, GoesOn goes_on = GoesOn::at_once) noexcept
        : Waiter(kind, subject, goes_on) {}
    ~QueueWaiter() = default;

    bool has_waited() const noexcept { return task_ != nullptr; }
    bool is_in_line() const noexcept { return ListHook<WaitQueue>::is_linked(); }
    /// Leaves the line. False: the queue has died in the meantime, and whoever it belonged to must not be touched.
    bool leave() noexcept;

    void turn() override {}
    /// The same as was_cancelled(), for turn(): what the task's step would have thrown is taken from it.
    bool take_cancel(Ref<CancelRequest>& request) noexcept;
    void wait_again(WaitQueue& queue) noexcept;
    void step_task() {
        state_ = State::woken;
        Waiter::step_task();
    }
};

/// The tasks that wait for one object, first come, first served: the one line under all primitives and queues.
///
/// Nothing is lost when a waiter is cancelled, since a cancelled one is still in line when its task goes on, and
/// whoever is responsible can hand on its turn then. A queue that dies leaves its waiters waiting, until they are
/// cancelled.
class WaitQueue {
public:
    WaitQueue() noexcept = default;
    ~WaitQueue();
    WaitQueue(const WaitQueue&) = delete;  // tasks share it: pass it by reference, or in a std::shared_ptr
    WaitQueue& operator=(const WaitQueue&) = delete;

    /// Belongs to the loop of the first task that has to wait. False: the task is one of another loop.
    bool bind(TaskBase& task) noexcept;
    void push_back(QueueWaiter& waiter) noexcept { line_.push_back(waiter); }
    /// The loop that it belongs to, or null.
    LoopCore* loop() const noexcept { return loop_; }
    void check_thread() const;  // in debug mode, from another thread: throws

    bool empty() const noexcept { return line_.empty() && woken_.empty() && cancelled_.empty(); }
    std::size_t size() const noexcept;
    /// Whether anybody in line was not cancelled; the woken count.
    bool has_live() const noexcept { return !woken_.empty() || (!line_.empty() && has_live_in_line()); }

    /// Wakes the first in line, unless it was woken or cancelled already. Not to be mixed with the others.
    void wake_first();
    /// Wakes the first that waits still; false if there is none.
    bool wake_next();
    /// Wakes up to `most` of them.
    void wake(std::size_t most);
    void wake_all() { wake(static_cast<std::size_t>(-1)); }

private:
    bool has_live_in_line() const noexcept;
    QueueWaiter* first_pending() noexcept;
    void orphan(IntrusiveList<QueueWaiter, WaitQueue>& waiters) noexcept;

    mutable IntrusiveList<QueueWaiter, WaitQueue> line_;
    // Out of the way of those that wait, in no order that matters.
    mutable IntrusiveList<QueueWaiter, WaitQueue> woken_;
    // Those that were in line before all that were not cancelled.
    mutable IntrusiveList<QueueWaiter, WaitQueue> cancelled_;
    LoopCore* loop_ = nullptr;
};

/// Throws Python's RuntimeError for the use in a second loop.
[[noreturn]] void throw_bound_to_other_loop(const std::string& repr);

}  // namespace asyncio::detail
