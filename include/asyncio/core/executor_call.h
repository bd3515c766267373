#pragma once

#include <asyncio/core/executor.h>
#include <asyncio/core/future.h>
#include <asyncio/core/inbox.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/slot.h>

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

struct PendingCalls;  // the tag of the loop's list of calls on other threads

/// A call that runs on an executor's thread and ends a future of the loop. Owned by two: the executor until `run()` is
/// over, the loop until the outcome was delivered. Only the loop's thread touches the future.
class ExecutorCall : public ExecutorJob, public ReadyNode, public ListHook<PendingCalls> {
public:
    /// Submits it; what the executor throws leaves here, and the call is gone.
    void submit(LoopCore& loop, Executor* executor);
    /// The loop is closed: nobody will look at the outcome.
    void detach() noexcept;
    void run() noexcept final;

protected:
    explicit ExecutorCall(Ref<FutureBase> future) noexcept;
    virtual ~ExecutorCall();
    virtual void call() = 0;                          // on the thread
    virtual void store_result(FutureBase& future) = 0;  // on the loop
    /// The future was cancelled while the call runs. On the loop.
    virtual void ask_to_stop() noexcept {}

private:
    class CancelWatch : public ReadyNode {
    public:
        explicit CancelWatch(ExecutorCall& owner) noexcept;
        ExecutorCall& call;
    };
    static void deliver(ReadyNode& node);
    static void future_is_done(ReadyNode& node);
    void leave_loop() noexcept;
    void release() noexcept;

    Ref<FutureBase> future_;
    Ref<Inbox> inbox_;
    LoopCore* loop_ = nullptr;
    Executor* executor_ = nullptr;
    std::exception_ptr exception_;
    CancelWatch cancel_watch_;
    unsigned owners_ = 2;
};

template <class Result, class Function, class... Args>
class ExecutorCallOf : public ExecutorCall {
public:
    template <class F, class... A>
    explicit ExecutorCallOf(Ref<FutureBase> future, F&& function, A&&... args)
        : ExecutorCall(std::move(future)),
          function_(static_cast<F&&>(function)),
          args_(static_cast<A&&>(args)...) {}

protected:
    void call() override {
        auto invoke_kept = [this](Args&... values) -> Result {
            return invoke(static_cast<Function&&>(function_), static_cast<Args&&>(values)...);
        };
        if constexpr (std::is_void_v<Result>) {
            std::apply(invoke_kept, args_);
        } else {
            result_.emplace(std::apply(invoke_kept, args_));
        }
    }
    void store_result(FutureBase& future) override {
        if constexpr (!std::is_void_v<Result>) slot_of<Result>(future).emplace(result_.take());
    }

private:
    Function function_;
    std::tuple<Args...> args_;
    Slot<Result> result_;
};

template <class F, class... Args>
auto run_in_executor(LoopCore& loop, Executor* executor, F&& function, Args&&... args) {
    using Result = decltype(invoke(std::declval<std::decay_t<F>>(), std::declval<std::decay_t<Args>>()...));
    Ref<FutureBase> future(new FutureState<Result>(loop));
    auto* call = new ExecutorCallOf<Result, std::decay_t<F>, std::decay_t<Args>...>(future, static_cast<F&&>(function),
                                                                                   static_cast<Args&&>(args)...);
    call->submit(loop, executor);
    return Future<Result>(std::move(future));
}

}  // namespace asyncio::detail
