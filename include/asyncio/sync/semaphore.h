#pragma once

#include <asyncio/core/wait_queue.h>
#include <asyncio/sync/guard.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <string>

namespace asyncio {

class Semaphore;

namespace detail {

/// A wait in `Semaphore::acquire()`.
class SemaphoreWaiter : public QueueWaiter {
public:
    explicit SemaphoreWaiter(Semaphore& semaphore) noexcept
        : QueueWaiter(WaitKind::semaphore, &semaphore_), semaphore_(&semaphore) {}
    void tell(WaitStory& story) const override;
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

protected:
    ~SemaphoreWaiter() = default;
    Semaphore& owner() const noexcept { return *semaphore_; }

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    bool end();  // false: it was cancelled
    Semaphore* semaphore_;
};

}  // namespace detail

/// Lets at most so many tasks at a time into a part of the program.
///
/// Counts free slots. Fair: `release()` gives the slot to the first who waits, who goes on one pass later and whom
/// nobody overtakes. It belongs to the first loop in which a task has to wait for it, and must outlive its use; not
/// thread-safe.
///
/// ```cpp
/// auto slot = co_await semaphore.guard();   // given back when slot dies
/// ```
/// Python: asyncio.Semaphore.
class Semaphore {
public:
    using Guard = asyncio::Guard<Semaphore>;

    /// Throws ValueError if `value` is negative.
    explicit Semaphore(std::ptrdiff_t value);
    Semaphore() : Semaphore(1) {}  // not explicit: in an aggregate it is made from `{}`

    /// Takes a slot, at once if one is free and nobody waits. Gives true. Cancelled, it does not have the slot; one
    /// that it was given already goes to the next who waits.
    detail::Operation<Semaphore, detail::AcquireWaiter<Semaphore, detail::SemaphoreWaiter>> acquire() noexcept {
        return detail::Operation<Semaphore, detail::AcquireWaiter<Semaphore, detail::SemaphoreWaiter>>(*this);
    }
    /// Gives a slot back, or adds one: the semaphore does not know who has how many. A BoundedSemaphore throws
    /// ValueError if there would be more than in the beginning.
    void release();
    /// Whether acquire() would have to wait: no slot is free, or others are to go first.
    bool locked() const noexcept { return value_ == 0 || waiters_.has_live(); }

    /// acquire(), and release() when what it gives dies. Cancelled, there is nothing to release.
    detail::Operation<Semaphore, detail::GuardWaiter<Semaphore, detail::SemaphoreWaiter>> guard() noexcept {
        return detail::Operation<Semaphore, detail::GuardWaiter<Semaphore, detail::SemaphoreWaiter>>(*this);
    }
    /// For `with(semaphore, body)`.
    detail::Operation<Semaphore, detail::EnterWaiter<Semaphore, detail::SemaphoreWaiter>> aenter() noexcept {
        return detail::Operation<Semaphore, detail::EnterWaiter<Semaphore, detail::SemaphoreWaiter>>(*this);
    }
    void aexit(const std::exception_ptr&) { release(); }

protected:
    Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound);

private:
    friend struct detail::InspectLayout;
    friend class detail::SemaphoreWaiter;
    friend std::string repr(const Semaphore& semaphore);

    bool try_acquire() noexcept {
        if (locked()) return false;
        --value_;
        return true;
    }
    bool grant_next();

    std::ptrdiff_t value_;  // the free slots; those granted to tasks that have not gone on yet are not free
    std::ptrdiff_t bound_;  // negative: none
    detail::WaitQueue waiters_;
};

/// A Semaphore whose `release()` throws ValueError if there would be more free slots than in the beginning.
///
/// Also through a reference to its base. Python: asyncio.BoundedSemaphore.
class BoundedSemaphore : public Semaphore {
public:
    explicit BoundedSemaphore(std::ptrdiff_t value) : Semaphore(value, value) {}
    BoundedSemaphore() : BoundedSemaphore(1) {}
};

/// `<asyncio.locks.Semaphore object at 0x7f5c [unlocked, value:1]>`, as Python prints it.
std::string repr(const Semaphore& semaphore);

namespace detail {

inline bool SemaphoreWaiter::await_ready() const noexcept { return semaphore_->try_acquire(); }

}  // namespace detail
}  // namespace asyncio
