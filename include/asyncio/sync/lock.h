#pragma once

#include <asyncio/core/wait_queue.h>
#include <asyncio/sync/guard.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <source_location>
#include <string>

namespace asyncio {

class Lock;

namespace detail {

class ConditionWaiter;

/// A wait in `Lock::acquire()`.
class LockWaiter : public QueueWaiter {
public:
    LockWaiter(Lock& lock, TaskBase& task) noexcept : QueueWaiter(WaitKind::lock, &lock_), lock_(&lock) {
        task_ = &task;
        state_ = State::not_begun;
    }
    void tell(WaitStory& story) const override;
    bool await_ready() const noexcept;
    void await_suspend(std::coroutine_handle<> frame) { wait(frame); }
    [[gnu::always_inline]] bool await_resume() {
        if (state_ != State::not_begun && !end()) [[unlikely]]
            throw CancelledError(take_cancel_request());
        return true;
    }

protected:
    ~LockWaiter() = default;
    Lock& owner() const noexcept { return *lock_; }

private:
    void wait(std::coroutine_handle<> frame);
    bool end();  // false: it was cancelled
    Lock* lock_;
};

/// Something that a task does to a lock, and that has not begun.
template <class Awaiter>
class [[nodiscard("it is done only where it is awaited")]] LockOperation : public NativeAwaitable {
public:
    explicit LockOperation(Lock & lock) noexcept : lock_(&lock) {}
    Awaiter awaiter_for(TaskBase & task) const noexcept { return Awaiter(*lock_, task); }
    Awaiter operator co_await() const { return awaiter_for(*current_task_of(running_core())); }

private:
    Lock* lock_;
};

/// The unfinished task that has locked it. Null: it is unlocked, or who locked it is over. Looks through all tasks of
/// the loop.
TaskBase* owner_of(const Lock& lock) noexcept;
void tell_of_lock(WaitStory& story, const Lock& lock);

}  // namespace detail

/// Lets one task at a time into a part of the program.
///
/// Fair: those who wait get it in the order in which they came, and nobody overtakes them, not even the task that has
/// just released it. It belongs to no task: any may release it, and it is not reentrant. It belongs to the first loop
/// in which a task has to wait for it, and must outlive its use; not thread-safe.
///
/// ```cpp
/// auto guard = co_await lock.guard();   // released when guard dies
/// balance += amount;
/// ```
/// Python: asyncio.Lock.
class Lock {
public:
    using Guard = asyncio::Guard<Lock>;

    Lock() noexcept = default;

    /// Locks it, at once if it is unlocked and nobody waits; else the task goes on one pass after the release() that is
    /// its turn. Gives true. Cancelled, it does not have the lock, and hands its turn on.
    detail::LockOperation<detail::AcquireWaiter<Lock, detail::LockWaiter>> acquire() noexcept {
        return detail::LockOperation<detail::AcquireWaiter<Lock, detail::LockWaiter>>(*this);
    }
    /// Unlocks it, and wakes the first who waits. It is unlocked until that task goes on, one pass later.
    /// Throws RuntimeError if it is not locked.
    void release();
    /// Whether it is locked, by whatever task. Python: lock.locked().
    bool locked() const noexcept { return owner_ != 0; }

    /// acquire(), and release() when what it gives dies. Cancelled, there is nothing to release.
    detail::LockOperation<detail::GuardWaiter<Lock, detail::LockWaiter>> guard() noexcept {
        return detail::LockOperation<detail::GuardWaiter<Lock, detail::LockWaiter>>(*this);
    }
    /// For `with(lock, body)`.
    detail::LockOperation<detail::EnterWaiter<Lock, detail::LockWaiter>> aenter() noexcept {
        return detail::LockOperation<detail::EnterWaiter<Lock, detail::LockWaiter>>(*this);
    }
    void aexit(const std::exception_ptr&) { release(); }

private:
    friend struct detail::InspectLayout;
    friend class detail::LockWaiter;
    friend class detail::ConditionWaiter;
    friend std::string repr(const Lock& lock);
    friend detail::TaskBase* detail::owner_of(const Lock& lock) noexcept;
    friend void detail::tell_of_lock(detail::WaitStory& story, const Lock& lock);

    bool try_acquire(const detail::TaskBase& task) noexcept {
        if (owner_ != 0 || waiters_.has_live()) return false;
        take(task);
        return true;
    }
    void take(const detail::TaskBase& task) noexcept {
        owner_ = task.identity();
        taken_in_ = task.innermost();
        taken_at_ = detail::PromiseBase::of(taken_in_).await_at();
    }
    void check_loop(detail::TaskBase& task);  // throws RuntimeError in a second loop
    void end_wait(const detail::TaskBase& task, bool queue_lives, bool cancelled);  // of one that has left the line

    std::uintptr_t owner_ = 0;          // the identity of the task that locked it, which may be over; 0: unlocked
    std::coroutine_handle<> taken_in_;  // that task's frame, which may be gone
    std::source_location taken_at_;
    detail::WaitQueue waiters_;
};

/// `<asyncio.locks.Lock object at 0x7f5c [locked, waiters:2]>`, as Python prints it.
std::string repr(const Lock& lock);

namespace detail {

inline bool LockWaiter::await_ready() const noexcept { return lock_->try_acquire(*task_); }

}  // namespace detail
}  // namespace asyncio
