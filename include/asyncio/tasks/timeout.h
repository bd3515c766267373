#pragma once

#include <asyncio/core/task_deadline.h>
#include <asyncio/detail/manager_traits.h>
#include <asyncio/loop/scheduling.h>
#include <asyncio/loop/seconds.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <string>

namespace asyncio {

/// A deadline for a block: what is still running in it then is cancelled, and TimeoutError comes out of the block.
///
/// Made by `timeout()` or `timeout_at()`, entered by `with()`, once, inside a task. When the deadline has come, the
/// task is cancelled; a CancelledError that then leaves the block becomes a TimeoutError, whose `cause()` it is, unless
/// somebody else asked for a cancellation too: then it stays what it is. Any other exception passes, and so does a body
/// that takes the CancelledError for itself and returns. A body that never suspends is never interrupted.
///
/// Python: asyncio.Timeout.
class Timeout : private detail::bases::TaskDeadline {
public:
    explicit Timeout(std::optional<TimePoint> when,
                     std::source_location where = std::source_location::current()) noexcept;
    /// Only before it is entered; RuntimeError after.
    Timeout(Timeout&& other);  // NOLINT(performance-noexcept-move-constructor)
    Timeout& operator=(Timeout&&) = delete;
    ~Timeout() { disarm(); }

    /// The deadline; none if there is none.
    std::optional<TimePoint> when() const noexcept { return when_; }
    /// Moves the deadline, or takes it away. Throws RuntimeError unless the block is being run and has not expired.
    void reschedule(std::optional<TimePoint> when);
    /// Whether the deadline came while the block was being run.
    bool expired() const noexcept { return state_ == State::expiring || state_ == State::expired; }

    /// Begins the block, in the task that runs. Throws RuntimeError when it was entered before or no task runs.
    Timeout& aenter();
    /// Ends it. Throws TimeoutError where that is to come out in the place of `error`.
    void aexit(std::exception_ptr error);

    /// For the library: aexit() that gives what is to come out, or null, and does not throw it.
    std::exception_ptr leave(std::exception_ptr error);

    /// `<Timeout [active] when=12.345>`, as Python prints it.
    friend std::string repr(const Timeout& timeout);

private:
    const char* state_name() const noexcept;
    void disarm() noexcept {
        if (is_scheduled()) detail::unschedule(task_->loop(), *this);
        unlink();
    }

    std::optional<TimePoint> when_;
};

std::string repr(const Timeout& timeout);

namespace detail {

template <>
inline constexpr bool is_for_what_it_awaits<Timeout> = true;

}  // namespace detail

/// A deadline `delay` from now, that is from this call; none for `std::nullopt`. Zero or less: the block is cancelled
/// where it suspends first.
///
/// ```cpp
/// co_await asyncio::with(asyncio::timeout(10s), [&](asyncio::Timeout&) -> asyncio::Coro<> { co_await work(); });
/// ```
/// Throws RuntimeError when no loop runs. Python: asyncio.timeout.
Timeout timeout(std::optional<Seconds> delay, std::source_location where = std::source_location::current());

/// A deadline at a moment of the loop's clock; none for `std::nullopt`. Python: asyncio.timeout_at.
Timeout timeout_at(std::optional<TimePoint> when, std::source_location where = std::source_location::current());

}  // namespace asyncio
