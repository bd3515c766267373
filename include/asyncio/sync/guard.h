#pragma once

#include <asyncio/core/awaitable.h>

#include <utility>

namespace asyncio {

namespace detail {

/// Tells the loop's exception handler of the exception under way.
void report_failed_release() noexcept;

}  // namespace detail

/// Holds a lock or a slot of a semaphore, and releases it when it dies: what `co_await lock.guard()` gives.
///
/// Can be moved, to keep something locked beyond a scope. The object that it holds must outlive it. It should die in
/// its loop's thread. If the release fails, because somebody has released by hand, the loop's exception handler is
/// told.
///
/// Python: none; stands for an `async with` whose block is the rest of the scope.
template <class Lockable>
class [[nodiscard("released at once if it is not kept")]] Guard {
public:
    /// Holds nothing.
    Guard() noexcept = default;
    /// Takes over what was acquired before.
    explicit Guard(Lockable & acquired) noexcept : held_(&acquired) {}
    Guard(Guard && other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    Guard& operator=(Guard&& other) noexcept {
        Guard(std::move(other)).swap(*this);
        return *this;
    }
    ~Guard() {
        if (held_ == nullptr) return;
        try {
            held_->release();
        } catch (...) {
            detail::report_failed_release();
        }
    }
    void swap(Guard & other) noexcept { std::swap(held_, other.held_); }

    /// Whether it holds something.
    explicit operator bool() const noexcept { return held_ != nullptr; }
    /// Releases now. Nothing if it holds nothing.
    void release() {
        if (held_ != nullptr) std::exchange(held_, nullptr)->release();
    }

private:
    Lockable* held_ = nullptr;
};

namespace detail {

/// An operation of a primitive that has not begun: it can be moved, and begins where it is awaited.
template <class Owner, class Awaiter>
class [[nodiscard("it is done only where it is awaited")]] Operation : public NativeAwaitable {
public:
    explicit Operation(Owner & owner) noexcept : owner_(&owner) {}
    Awaiter operator co_await() const noexcept { return Awaiter(*owner_); }

private:
    Owner* owner_;
};

/// The wait of `acquire()`.
template <class Owner, class Acquire>
class [[nodiscard]] [[gnu::warn_unused]] AcquireWaiter final : public Acquire {
public:
    using Acquire::Acquire;
};

/// The wait of `guard()`, made of that of `acquire()`.
template <class Owner, class Acquire>
class [[nodiscard]] [[gnu::warn_unused]] GuardWaiter final : public Acquire {
public:
    using Acquire::Acquire;
    Guard<Owner> await_resume() {
        static_cast<void>(Acquire::await_resume());
        return Guard<Owner>(this->owner());
    }
};

/// The wait of `aenter()`, which gives nothing.
template <class Owner, class Acquire>
class [[nodiscard]] [[gnu::warn_unused]] EnterWaiter final : public Acquire {
public:
    using Acquire::Acquire;
    void await_resume() { static_cast<void>(Acquire::await_resume()); }
};

}  // namespace detail
}  // namespace asyncio
