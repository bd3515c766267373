#pragma once

#include <asyncio/core/awaitable.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/slot.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

class TaskBase;
template <class A>
class ForeignAwaiter;

/// Ties a coroutine to the awaiter in its parent's frame that runs it.
struct CoroLink {
    CoroLink() noexcept = default;
    CoroLink(const CoroLink&) = delete;
    CoroLink& operator=(const CoroLink&) = delete;
    ~CoroLink() {
        if (child) child.destroy();
    }
    /// Runs the child. False: it is over already, and its parent goes on at once. True: the parent is suspended until
    /// the task resumes it.
    bool run_child(TaskBase* task, std::coroutine_handle<> from) noexcept;
    /// The child is over: its arguments go before its parent goes on. Gives what it threw, or null.
    std::exception_ptr end_child() noexcept;
    bool child_failed() const noexcept;
    void destroy_child() noexcept {
        child.destroy();
        child = nullptr;
    }

    std::coroutine_handle<> child;   // owned; null when it was destroyed already
    std::coroutine_handle<> parent;  // the frame that goes on when the child ends
};

/// What a promise's constructor takes: where its coroutine is defined. Of a type of our own, for the compiler offers
/// that constructor the coroutine's parameters first, and one of those may be a std::source_location.
struct FunctionLocation {
    std::source_location place;
};
template <class T>
concept IsFunctionLocation = std::is_same_v<T, FunctionLocation>;  // and not what merely converts to one

/// What every coroutine of this library keeps in its frame, whatever it returns. It is the first base of all
/// promises, so that a chain of suspended frames can be walked without knowing their types.
class PromiseBase {
public:
    explicit PromiseBase(FunctionLocation function) noexcept
        : function_(function.place), place_or_error_(__builtin_bit_cast(std::uintptr_t, function.place)) {}
    PromiseBase(const PromiseBase&) = delete;
    PromiseBase& operator=(const PromiseBase&) = delete;
    ~PromiseBase() {
        if (has_failed()) [[unlikely]]
            drop_error();
    }

    // Only these: with Pooled's for over-aligned objects, a std::align_val_t as a coroutine's only parameter would be
    // taken for the alignment of its frame.
    static void* operator new(std::size_t size) { return allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { deallocate(frame, size); }

    std::suspend_always initial_suspend() const noexcept { return {}; }

    class FinalAwaiter {
    public:
        FinalAwaiter() noexcept {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> frame) const noexcept;
        void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept;

    /// `where` is a std::source_location, which is one pointer in both compilers: g++ 12 keeps a default argument of a
    /// class in the frame, 8 bytes and a store for each await.
    template <class A>
    decltype(auto) await_transform(A&& awaitable, const void* where = __builtin_source_location()) {
        place_or_error_ = __builtin_bit_cast(std::uintptr_t, where);
        if constexpr (!Awaitable<A>) {
            return refuse_to_await<A>();
        } else if constexpr (AsksForTask<A>) {
            return static_cast<A&&>(awaitable).awaiter_for(*task_);
        } else if constexpr (Native<A> && (HasMemberCoAwait<A> || HasFreeCoAwait<A>)) {
            return get_awaiter(static_cast<A&&>(awaitable));  // made in its place in the frame: never moved
        } else if constexpr (Native<A>) {
            return static_cast<std::remove_reference_t<A>&>(awaitable);  // an rvalue would be moved by g++ 12
        } else {
            return ForeignAwaiter<A>(static_cast<A&&>(awaitable));
        }
    }

    TaskBase* task() const noexcept { return task_; }
    /// Who runs it; null for a task's own coroutine.
    CoroLink* link() const noexcept { return link_; }
    std::coroutine_handle<> parent() const noexcept { return link_ != nullptr ? link_->parent : nullptr; }
    void attach(TaskBase* task, CoroLink* link) noexcept {
        task_ = task;
        link_ = link;
    }
    bool has_failed() const noexcept { return (place_or_error_ & failed) != 0; }
    /// It ends with this error.
    void fail(std::exception_ptr error) noexcept;
    void fail_without_value() noexcept;  // by a RuntimeError
    /// What it ended with, or null; once.
    std::exception_ptr take_error() noexcept { return has_failed() ? take_failure() : nullptr; }
    /// Where the coroutine is defined, with its name.
    const std::source_location& function() const noexcept { return function_; }
    /// The line of its latest await; that of its definition before the first. While it has not failed.
    std::source_location await_at() const noexcept { return __builtin_bit_cast(std::source_location, place_or_error_); }

    /// The promise of any frame of this library.
    static PromiseBase& of(std::coroutine_handle<> frame) noexcept {
        return std::coroutine_handle<PromiseBase>::from_address(frame.address()).promise();
    }

protected:
    void set_await_at(const std::source_location& where) noexcept {
        place_or_error_ = __builtin_bit_cast(std::uintptr_t, where);
    }

private:
    friend struct InspectLayout;
    static constexpr std::uintptr_t failed = 1;

    std::exception_ptr take_failure() noexcept;
    void drop_error() noexcept;  // out of line: a frame's end needs no stack for it

    // The first two are there once it runs.
    TaskBase* task_;  // whose it is
    CoroLink* link_;
    std::source_location function_;
    std::uintptr_t place_or_error_;  // the place of an await; odd: it has failed, and this is the std::exception_ptr
};

}  // namespace asyncio::detail
