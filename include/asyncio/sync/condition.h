#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/detail/count.h>
#include <asyncio/sync/lock.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

class Condition;

namespace detail {

struct Reacquiring;  // the tag of a condition's list of waits for its lock

/// A wait in `Condition::wait()`: first in the condition's line, then in that of its lock, which may be the one that
/// lives longer.
class [[nodiscard]] [[gnu::warn_unused]] ConditionWaiter final : public QueueWaiter, public ListHook<Reacquiring> {
public:
    explicit ConditionWaiter(Condition& condition) noexcept
        : QueueWaiter(WaitKind::condition, &condition_, GoesOn::in_turn), condition_(&condition) {}
    void tell(WaitStory& story) const override;
    bool await_ready() const;
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    bool await_resume();

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    void turn() override;
    bool go_for_lock();

    Condition* condition_;
    Lock* lock_ = nullptr;
    bool reacquires_ = false;  // it waits for the lock
    bool was_cancelled_ = false;
    bool is_orphan_ = false;  // the condition has died
    std::exception_ptr failure_;
    Ref<CancelRequest> cancel_request_;  // to be thrown in the end
};

}  // namespace detail

/// Lets tasks that share a lock wait until one of them says that something has changed.
///
/// `wait()` releases the lock while it waits and has it again when it is over, however it ends. Who was notified goes
/// on as soon as it gets the lock, in the order in which they came: after the notifier has released it. It may happen
/// that a task is woken without need, so check again, as `wait_for()` does. It belongs to the first loop in which a
/// task has to wait for it, and must outlive its use; not thread-safe.
///
/// ```cpp
/// auto guard = co_await condition.guard();
/// co_await condition.wait_for([&] { return !items.empty(); });
/// ```
/// Python: asyncio.Condition.
class Condition {
public:
    using Guard = Lock::Guard;

    /// With a lock of its own.
    Condition() noexcept : lock_(&own_lock_) {}
    /// With a lock that it shares, and that must outlive it.
    explicit Condition(Lock& lock) noexcept : lock_(&lock) {}
    ~Condition() {
        while (!reacquiring_.empty()) reacquiring_.pop_front();
    }
    Condition(const Condition&) = delete;  // tasks share it: pass it by reference, or in a std::shared_ptr
    Condition& operator=(const Condition&) = delete;

    /// Releases the lock, waits for a notification, and takes the lock again. Gives true. Throws RuntimeError if it is
    /// not locked. When the task is cancelled, CancelledError comes out only once it has the lock again (of several
    /// cancellations the last), and the notification that it may have had goes to another task.
    detail::Operation<Condition, detail::ConditionWaiter> wait() noexcept {
        return detail::Operation<Condition, detail::ConditionWaiter>(*this);
    }
    /// wait() until `predicate()` is true; not at all if it is. Gives what the predicate gave in the end. The predicate
    /// is called in the task, with the lock held.
    template <class Predicate>
    auto wait_for(Predicate&& predicate) {
        static_assert(!Awaitable<std::invoke_result_t<Predicate&>>,
                      "wait_for() calls its predicate and does not await what it gives, which would pass for true");
#if defined(__GNUC__) && !defined(__clang__)
        static_assert(
            std::is_lvalue_reference_v<Predicate> || std::is_trivially_destructible_v<Predicate>,
            "g++ 12 would destroy this temporary lambda twice, since it captures by value something that has a "
            "destructor: capture by reference, [&], or give the lambda a name first and pass that name");
#endif
        return wait_until_true<Predicate>(*this, static_cast<Predicate&&>(predicate));
    }
    /// Wakes the first `n` who wait. Throws RuntimeError if it is not locked.
    void notify(detail::Count n = 1);
    /// Wakes all who wait. Throws RuntimeError if it is not locked.
    void notify_all();

    // The lock's own.
    /// As `Lock::acquire()`; cancelled, it does not have the lock.
    auto acquire() noexcept { return lock_->acquire(); }
    /// As `Lock::release()`: throws RuntimeError if it is not locked.
    void release() { lock_->release(); }
    /// Whether the lock is locked, by whomever.
    bool locked() const noexcept { return lock_->locked(); }
    /// As `Lock::guard()`: releases it when it dies.
    auto guard() noexcept { return lock_->guard(); }
    auto aenter() noexcept { return lock_->aenter(); }
    void aexit(const std::exception_ptr&) { lock_->release(); }

private:
    friend class detail::ConditionWaiter;
    friend std::string repr(const Condition& condition);

    template <class Predicate>
    static Coro<std::decay_t<std::invoke_result_t<Predicate&>>> wait_until_true(Condition& condition,
                                                                                Predicate predicate) {
        auto result = predicate();
        while (!result) {
            co_await condition.wait();
            result = predicate();
        }
        co_return result;
    }

    Lock own_lock_;
    Lock* lock_;
    detail::WaitQueue waiters_;
    detail::IntrusiveList<detail::ConditionWaiter, detail::Reacquiring> reacquiring_;
};

/// `<asyncio.locks.Condition object at 0x7f5c [locked, waiters:2]>`, as Python prints it.
std::string repr(const Condition& condition);

}  // namespace asyncio
