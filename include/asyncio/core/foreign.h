#pragma once

#include <asyncio/core/awaitable.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/slot.h>
#include <asyncio/loop/inbox.h>

#include <coroutine>
#include <exception>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

class ForeignWaiter;

/// An awaitable of another library, under way. A coroutine of its own awaits it, so that the operation can resume that
/// one on any thread and at any time, also long after our task was cancelled. Shared by the waiting task and it.
class ForeignOperation : public ReadyNode {
public:
    class promise_type;
    using Frame = std::coroutine_handle<promise_type>;

    void inc_ref() noexcept;
    void dec_ref() noexcept;
    void start(Frame frame);
    /// Whether it is over. True just after start(): it did not have to wait at all.
    bool is_finished() const noexcept;
    void rethrow() const {
        if (exception_) std::rethrow_exception(exception_);
    }

protected:
    ForeignOperation() noexcept : ReadyNode(&ForeignOperation::deliver) {}
    virtual ~ForeignOperation();

private:
    friend class ForeignWaiter;
    friend class TaskLoop;
    static void deliver(ReadyNode& node);
    void finish() noexcept;              // on the thread that resumed it
    void frame_is_destroyed() noexcept;  // by the operation, perhaps, which then never ends

    unsigned references_ = 1;
    unsigned phase_ = 0;  // starting, waiting or finished; atomic
    Frame frame_;
    Ref<Inbox> inbox_;
    ForeignWaiter* waiter_ = nullptr;  // the loop's thread only; null once the task has gone on
    std::exception_ptr exception_;
};

/// The promise of the coroutine that awaits the foreign object; it knows nothing of tasks.
class ForeignOperation::promise_type {
public:
    template <class... Args>
    explicit promise_type(ForeignOperation& operation, const Args&...) noexcept : operation_(operation) {}
    promise_type(const promise_type&) = delete;
    ~promise_type() { operation_.frame_is_destroyed(); }
    struct Return {
        using promise_type = ForeignOperation::promise_type;
        Frame frame;
    };
    Return get_return_object() noexcept { return {Frame::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    class FinalAwaiter {
    public:
        FinalAwaiter() noexcept {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(Frame frame) const noexcept;
        void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept { operation_.exception_ = std::current_exception(); }

private:
    ForeignOperation& operation_;
};

template <class Result>
class ForeignOperationOf final : public ForeignOperation {
public:
    ForeignOperationOf() noexcept = default;
    Slot<Result> result;
};

template <class A, class Result>
ForeignOperation::promise_type::Return await_foreign(ForeignOperationOf<Result>& operation, A awaitable) {
    if constexpr (std::is_void_v<Result>) {
        co_await static_cast<A&&>(awaitable);
    } else {
        auto&& value = co_await static_cast<A&&>(awaitable);
        operation.result.emplace(static_cast<decltype(value)&&>(value));
    }
}

class ForeignWaiter : public Waiter {
public:
    void go_on_now();

protected:
    explicit ForeignWaiter(Ref<ForeignOperation> operation) noexcept;
    ~ForeignWaiter();
    ForeignWaiter(const ForeignWaiter&) = delete;

    void wait(TaskBase& task, std::coroutine_handle<> frame) noexcept;
    bool cancel(const Ref<CancelRequest>& request) override { return may_go_on_alone_ && Waiter::cancel(request); }
    /// What is awaited is in the frame that waits, since it cannot be moved: a cancellation has to wait for its end.
    void stay_with_operation() noexcept { may_go_on_alone_ = false; }
    void on_cancel() noexcept override { abandon(); }
    void tell_of(WaitStory& story, const std::type_info& awaitable) const;
    void check_outcome() {
        check();
        operation_->rethrow();
    }
    ForeignOperation& operation() noexcept { return *operation_; }

private:
    void abandon() noexcept;
    Ref<ForeignOperation> operation_;
    LoopCore* loop_ = nullptr;  // while it counts as outside work
    bool may_go_on_alone_ = true;
};

/// What `co_await` makes of an awaitable of another library.
template <class A>
class [[nodiscard]] [[gnu::warn_unused]] ForeignAwaiter final : public ForeignWaiter {
    using Result = decltype(std::declval<std::remove_reference_t<awaiter_t<A>>&>().await_resume());
    static_assert(std::is_void_v<Result> || std::is_lvalue_reference_v<Result> || std::is_move_constructible_v<Result>,
                  "this co_await gives an object that cannot be moved, and so cannot be handed on to the task");
    using Operation =
        ForeignOperationOf<std::conditional_t<std::is_lvalue_reference_v<Result>, Result, std::remove_cvref_t<Result>>>;

    /// It is moved into a coroutine of its own, or referred to: an lvalue, and what cannot be moved, which as an
    /// awaiter g++ 12 would move all the same if it did not look like an lvalue.
    static constexpr bool is_moved = !std::is_reference_v<A> && std::is_constructible_v<A, A>;
    using Referred = std::conditional_t<HasMemberCoAwait<A> || HasFreeCoAwait<A>, A&&, A&>;
    using Kept = std::conditional_t<is_moved, A, Referred>;

public:
    explicit ForeignAwaiter(A&& awaitable) : ForeignWaiter(Ref<ForeignOperation>::adopt(new Operation())) {
        auto& own = static_cast<Operation&>(operation());
        if constexpr (!is_moved && !std::is_reference_v<A>) stay_with_operation();
        own.start(await_foreign<Kept>(own, static_cast<Kept&&>(awaitable)).frame);
    }
    void tell(WaitStory& story) const override { tell_of(story, typeid(A)); }
    bool await_ready() noexcept { return operation().is_finished(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        wait(*frame.promise().task(), frame);
    }
    decltype(auto) await_resume() {
        check_outcome();
        return static_cast<Operation&>(operation()).result.take();
    }
};

}  // namespace asyncio::detail
