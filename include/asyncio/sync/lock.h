#pragma once

#include <asyncio/core/wait_queue.h>
#include <asyncio/sync/guard.h>

#include <coroutine>
#include <exception>
#include <string>

namespace asyncio {

class Lock;

namespace detail {

class ConditionWaiter;

/// A wait in `Lock::acquire()`.
class LockWaiter : public QueueWaiter {
public:
    explicit LockWaiter(Lock& lock) noexcept : lock_(lock) {}
    bool await_ready() const noexcept;
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    [[gnu::always_inline]] bool await_resume() {
        if (has_waited() && !end()) [[unlikely]]
            throw CancelledError(take_cancel_request());
        return true;
    }
    WaitEdge edge() const noexcept override { return {WaitKind::lock, &lock_}; }

protected:
    ~LockWaiter() = default;
    Lock& owner() const noexcept { return lock_; }

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    bool end();  // false: it was cancelled
    Lock& lock_;
};

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
    detail::Operation<Lock, detail::AcquireWaiter<Lock, detail::LockWaiter>> acquire() noexcept {
        return detail::Operation<Lock, detail::AcquireWaiter<Lock, detail::LockWaiter>>(*this);
    }
    /// Unlocks it, and wakes the first who waits. It is unlocked until that task goes on, one pass later.
    /// Throws RuntimeError if it is not locked.
    void release();
    bool locked() const noexcept { return locked_; }

    /// acquire(), and release() when what it gives dies.
    detail::Operation<Lock, detail::GuardWaiter<Lock, detail::LockWaiter>> guard() noexcept {
        return detail::Operation<Lock, detail::GuardWaiter<Lock, detail::LockWaiter>>(*this);
    }
    /// For `with(lock, body)`.
    detail::Operation<Lock, detail::EnterWaiter<Lock, detail::LockWaiter>> aenter() noexcept {
        return detail::Operation<Lock, detail::EnterWaiter<Lock, detail::LockWaiter>>(*this);
    }
    void aexit(const std::exception_ptr&) { release(); }

private:
    friend class detail::LockWaiter;
    friend class detail::ConditionWaiter;
    friend std::string repr(const Lock& lock);

    bool try_acquire() noexcept {
        if (locked_ || waiters_.has_live()) return false;
        locked_ = true;
        return true;
    }
    void check_loop(detail::TaskBase& task);          // throws RuntimeError in a second loop
    void end_wait(bool queue_lives, bool cancelled);  // of a task that has left the line

    bool locked_ = false;
    detail::WaitQueue waiters_;
};

/// `<asyncio.locks.Lock object at 0x7f5c [locked, waiters:2]>`, as Python prints it.
std::string repr(const Lock& lock);

namespace detail {

inline bool LockWaiter::await_ready() const noexcept { return lock_.try_acquire(); }

}  // namespace detail
}  // namespace asyncio
