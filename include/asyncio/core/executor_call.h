#pragma once

#include <asyncio/core/future.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/slot.h>
#include <asyncio/loop/outside_call.h>

#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

/// A call that runs on an executor's thread and ends a future of the loop. Owned by two: the executor until `run()` is
/// over, the loop until the outcome was delivered. Only the loop's thread touches the future.
class ExecutorCall : public OutsideCall {
public:
    /// Submits it; what the executor throws leaves here, and the call is gone.
    void submit(LoopCore& loop, Executor* executor, Ref<FutureBase> future);
    void detach() noexcept final;
    void run() noexcept final;
    /// Ends one that was never submitted.
    void discard() noexcept { delete this; }
    /// Whether the future, which is pending, is that of such a call.
    static bool will_end(const FutureBase& future) noexcept;

protected:
    ExecutorCall() noexcept;
    virtual ~ExecutorCall();
    virtual void call() = 0;                            // on the thread
    virtual void drop_callable() noexcept = 0;          // on the thread, before anybody sees the outcome
    virtual void store_result(FutureBase& future) = 0;  // on the loop
    /// The future was cancelled, or the loop closed, while the call runs. On the loop.
    virtual void ask_to_stop() noexcept {}
    /// Whether the outcome is a cancellation, not a mere exception. On the loop.
    virtual bool was_cancelled() const noexcept { return false; }
    /// Whether the loop's virtual clock must stand still for it.
    virtual bool is_outside_work(LoopCore&) const noexcept { return true; }

private:
    friend struct InspectLayout;
    class CancelWatch : public ReadyNode {
    public:
        explicit CancelWatch(ExecutorCall& owner) noexcept;
        ExecutorCall& call;
    };
    static void deliver(ReadyNode& node);
    static void future_is_done(ReadyNode& node);
    void deliver_now();
    void leave_loop() noexcept;
    void release() noexcept;

    Ref<FutureBase> future_;
    std::exception_ptr exception_;
    CancelWatch cancel_watch_;
    unsigned owners_ = 2;
};

/// The call that this thread runs, or null.
ExecutorCall* running_call() noexcept;

/// What a call gives, as a future can hold it: references stay references, as with std::async.
template <class T>
using Storable = std::conditional_t<std::is_lvalue_reference_v<T>, T, std::remove_cvref_t<T>>;
template <class F, class... Args>
using CallResult = Storable<decltype(invoke(std::declval<std::decay_t<F>>(), std::declval<Args>()...))>;

/// Keeps the callable, its arguments and the result; how they meet is for those who derive from it.
template <class Result, class Function, class... Args>
class KeptCall : public ExecutorCall {
public:
    template <class F, class... A>
    explicit KeptCall(std::in_place_t, F&& function, A&&... args)
        : kept_(std::in_place, static_cast<F&&>(function), static_cast<A&&>(args)...) {}
    const std::type_info& callable_type() const noexcept override { return typeid(Function); }

protected:
    template <class... First>
    void call_with(First&&... first) {
        auto invoke_kept = [&](Function& function, Args&... args) -> decltype(auto) {
            return invoke(static_cast<Function&&>(function), static_cast<First&&>(first)...,
                          static_cast<Args&&>(args)...);
        };
        if constexpr (std::is_void_v<Result>) {
            std::apply(invoke_kept, *kept_);
        } else {
            result_.emplace(std::apply(invoke_kept, *kept_));
        }
    }
    void drop_callable() noexcept override { kept_.reset(); }
    void store_result(FutureBase& future) override {
        if constexpr (!std::is_void_v<Result>) slot_of<Result>(future).emplace(result_.take());
    }

private:
    std::optional<std::tuple<Function, Args...>> kept_;
    [[no_unique_address]] Slot<Result> result_;
};

template <class Result, class Function, class... Args>
class ExecutorCallOf final : public KeptCall<Result, Function, Args...> {
public:
    using KeptCall<Result, Function, Args...>::KeptCall;

private:
    void call() override { this->call_with(); }
};

template <class Result>
constexpr void check_runs_in_thread() noexcept {
    static_assert(!Coroutine<Result>,
                  "a coroutine that a thread makes does not run there: give a plain function, or await the coroutine; "
                  "run_coroutine_threadsafe() runs one in another thread's loop");
}

template <class F, class... Args>
auto run_in_executor(LoopCore& loop, Executor* executor, F&& function, Args&&... args) {
    static_assert(Invocable<std::decay_t<F>, std::decay_t<Args>...>,
                  "run_in_executor(executor, f, args...) copies the arguments and gives the copies to f as rvalues: f "
                  "must take them by value, const& or && (a reference: std::ref)");
    check_can_keep<F, Args...>();
    using Result = CallResult<F, std::decay_t<Args>...>;
    check_runs_in_thread<Result>();
    Ref<FutureBase> future(new FutureState<Result>(loop));
    auto* call = new ExecutorCallOf<Result, std::decay_t<F>, std::decay_t<Args>...>(
        std::in_place, static_cast<F&&>(function), static_cast<Args&&>(args)...);
    call->submit(loop, executor, future);
    return Future<Result>(std::move(future));
}

/// A wait for a call on another thread: that of a future, under its own name.
class ThreadWaiter : public FutureWaiter {
public:
    explicit ThreadWaiter(Ref<FutureBase> future) noexcept : FutureWaiter(std::move(future), WaitKind::thread) {}
    void tell(WaitStory& story) const override { Waiter::tell(story); }

protected:
    ~ThreadWaiter() = default;
};
template <class T>
using ThreadAwaiter = FutureAwaiter<T, true, ThreadWaiter>;

/// What gives one: awaiters are made in their place.
template <class T>
class [[nodiscard]] [[gnu::warn_unused]] ThreadWait : public NativeAwaitable {
public:
    explicit ThreadWait(Ref<FutureBase> future) noexcept : future_(std::move(future)) {}
    ThreadAwaiter<T> operator co_await() { return ThreadAwaiter<T>(std::move(future_)); }

private:
    Ref<FutureBase> future_;
};

}  // namespace asyncio::detail
