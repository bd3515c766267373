#pragma once

#include <asyncio/core/awaitable.h>
#include <asyncio/loop/inbox.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/slot.h>

#include <coroutine>
#include <exception>
#include <type_traits>
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
    void finish() noexcept;  // on the thread that resumed it

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
    explicit promise_type(ForeignOperation& operation, Args&...) noexcept : operation_(operation) {}
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
    WaitEdge edge() const noexcept override { return {WaitKind::foreign, operation_.get()}; }

protected:
    explicit ForeignWaiter(Ref<ForeignOperation> operation) noexcept;
    ~ForeignWaiter();
    ForeignWaiter(const ForeignWaiter&) = delete;

    void wait(TaskBase& task, std::coroutine_handle<> frame) noexcept;
    void on_cancel() noexcept override { abandon(); }
    void check_outcome() {
        check();
        operation_->rethrow();
    }
    ForeignOperation& operation() noexcept { return *operation_; }

private:
    friend class ForeignOperation;
    void abandon() noexcept;
    void go_on_now();
    Ref<ForeignOperation> operation_;
    LoopCore* loop_ = nullptr;  // while it counts as outside work
};

/// What `co_await` makes of an awaitable of another library.
template <class A>
class [[nodiscard]] ForeignAwaiter : public ForeignWaiter {
    using Result = decltype(std::declval<std::remove_reference_t<awaiter_t<A>>&>().await_resume());
    using Operation =
        ForeignOperationOf<std::conditional_t<std::is_lvalue_reference_v<Result>, Result, std::remove_cvref_t<Result>>>;

public:
    explicit ForeignAwaiter(A&& awaitable) : ForeignWaiter(Ref<ForeignOperation>::adopt(new Operation())) {
        auto& own = static_cast<Operation&>(operation());
        own.start(await_foreign<A>(own, static_cast<A&&>(awaitable)).frame);
    }
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
