#pragma once

#include <asyncio/core/wait_queue.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/sync/guard.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <string>

namespace asyncio {

class Barrier;

/// The barrier was reset or aborted while the task waited at it, or had been aborted before.
/// Python: asyncio.BrokenBarrierError.
class BrokenBarrierError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
};

namespace detail {

/// A wait in `Barrier::wait()`: until the barrier takes in, then until it is full.
class [[nodiscard]] [[gnu::warn_unused]] BarrierWaiter final : public QueueWaiter {
public:
    explicit BarrierWaiter(Barrier& barrier) noexcept
        : QueueWaiter(WaitKind::barrier, &barrier_, GoesOn::in_turn), barrier_(&barrier) {}
    ~BarrierWaiter() {
        if (is_in_line()) [[unlikely]]
            abandon();  // the frame is destroyed while it waits
    }
    void tell(WaitStory& story) const override;
    bool await_ready() { return advance(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    int await_resume();

private:
    enum class Stage : std::uint8_t { outside, inside, passed, broken, was_broken, cancelled };
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    void turn() override;
    bool advance();
    void get_out(Stage outcome);
    void abandon() noexcept;

    Barrier* barrier_;
    int index_ = 0;
    Ref<CancelRequest> cancel_request_;  // to be thrown in the end
    Stage stage_ = Stage::outside;
};

/// What `reset()` and `abort()` return: done when it is awaited, without a wait.
class [[nodiscard("it is done only where it is awaited")]] BarrierChange : public NativeAwaitable {
public:
    BarrierChange(Barrier & barrier, void(Barrier::*change)()) noexcept : barrier_(&barrier), change_(change) {}
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const { (barrier_->*change_)(); }

private:
    Barrier* barrier_;
    void (Barrier::*change_)();
};

}  // namespace detail

/// Makes a number of tasks wait for each other: the last to come lets all go on.
///
/// Each round has two phases. While the barrier is *filling*, those who come wait. The last goes on without suspending,
/// and the barrier is *draining*: the others go on in the next pass, in the order in which they came, and who comes
/// again in the meantime waits until all are out, then for the next round. It belongs to the first loop in which a task
/// has to wait for it, and must outlive its use; not thread-safe.
///
/// ```cpp
/// int index = co_await barrier.wait();   // 0 to parties() - 1, in order of arrival
/// if (index == 0) std::puts("all are here");
/// ```
/// Python: asyncio.Barrier. `async with barrier as i` is `with(barrier, [&](int i) { … })`.
class Barrier {
public:
    /// Throws ValueError if there is to be less than one party.
    explicit Barrier(int parties);

    /// Waits until all parties wait, and gives the index of arrival. Throws BrokenBarrierError if the barrier is
    /// broken, or is reset or aborted in the meantime. A cancelled task is no party any more: the others wait for one
    /// more.
    detail::Operation<Barrier, detail::BarrierWaiter> wait() noexcept {
        return detail::Operation<Barrier, detail::BarrierWaiter>(*this);
    }
    /// Empties it: those who wait inside get BrokenBarrierError. It is usable when all are out. Never suspends.
    detail::BarrierChange reset() noexcept { return detail::BarrierChange(*this, &Barrier::do_reset); }
    /// Breaks it: who waits, and who comes, gets BrokenBarrierError, until it is reset. Never suspends.
    detail::BarrierChange abort() noexcept { return detail::BarrierChange(*this, &Barrier::do_abort); }

    /// How many have to come. Python: barrier.parties.
    int parties() const noexcept { return parties_; }
    /// How many wait while it is filling; else zero.
    int n_waiting() const noexcept { return phase_ == Phase::filling ? count_ : 0; }
    /// Whether it was aborted, and not reset since. Python: barrier.broken.
    bool broken() const noexcept { return phase_ == Phase::broken; }

    /// For `with(barrier, body)`: the wait.
    detail::Operation<Barrier, detail::BarrierWaiter> aenter() noexcept { return wait(); }
    void aexit(const std::exception_ptr&) const noexcept {}

private:
    enum class Phase : std::uint8_t { filling, draining, resetting, broken };
    friend class detail::BarrierWaiter;
    friend std::string repr(const Barrier& barrier);

    // Python guards all this by a Condition. Its lock is never kept over a wait, so nobody ever waits for it.
    bool is_emptying() const noexcept { return phase_ == Phase::draining || phase_ == Phase::resetting; }
    void one_is_out();
    void do_reset();
    void do_abort();

    detail::WaitQueue waiters_;
    int parties_;
    int count_ = 0;  // the tasks inside
    Phase phase_ = Phase::filling;
};

/// `<asyncio.locks.Barrier object at 0x7f5c [filling, waiters:2/3]>`, as Python prints it.
std::string repr(const Barrier& barrier);

}  // namespace asyncio
