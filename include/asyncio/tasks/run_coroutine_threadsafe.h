#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/concurrent_future.h>

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {
namespace detail {

/// A coroutine on its way to another thread's loop.
class Submission : public Pooled {
public:
    Submission(const Submission&) = delete;
    Submission& operator=(const Submission&) = delete;
    void arrive();  // on the loop's thread
    /// The loop refuses it. On the sender's thread.
    virtual void give_back() noexcept {}
    /// By who sends it, and by the callback that brings it: the second ends it.
    void let_go() noexcept {
        if (__atomic_exchange_n(&has_one_, true, __ATOMIC_ACQ_REL)) delete this;
    }

protected:
    Submission(EventLoop& loop, Ref<ConcurrentFutureBase> future) noexcept : loop_(loop), future_(std::move(future)) {}
    virtual ~Submission();
    virtual AnyTask create_task() = 0;
    EventLoop& loop_;

private:
    Ref<ConcurrentFutureBase> future_;
    bool has_one_ = false;  // atomic: who sent it, or the callback, has let go
};

/// Sends it, and takes it over. Throws RuntimeError if the loop is closed, after `give_back()`.
void submit(Submission* submission, EventLoop& loop);

template <class T>
class CoroSubmission final : public Submission {
public:
    CoroSubmission(EventLoop& loop, Ref<ConcurrentFutureBase> future, Coro<T>& coro) noexcept
        : Submission(loop, std::move(future)), coro_(std::move(coro)), from_(coro) {}

private:
    ~CoroSubmission() override { coro_.close(); }
    AnyTask create_task() override { return loop_.create_task(std::move(coro_)); }
    void give_back() noexcept override { from_ = std::move(coro_); }
    Coro<T> coro_;
    Coro<T>& from_;  // the sender's, who waits in submit()
};

template <class Function, class... Args>
class CallableSubmission final : public Submission {
public:
    template <class F, class... A>
    CallableSubmission(EventLoop& loop, Ref<ConcurrentFutureBase> future, F&& function, A&&... args)
        : Submission(loop, std::move(future)), kept_(static_cast<F&&>(function), static_cast<A&&>(args)...) {}

private:
    AnyTask create_task() override {
        auto create = [this](auto&... kept) -> AnyTask { return loop_.create_task(std::move(kept)...); };
        return std::apply(create, kept_);
    }
    std::tuple<Function, Args...> kept_;
};

}  // namespace detail

/// Runs the coroutine as a task of a loop that runs in another thread; returns at once.
///
/// The task begins with a copy of the current context. Cancelling the future ends the task, even before it began.
/// Throws RuntimeError if the loop is closed; then a coroutine that was given by `std::move` stays where it was. The
/// loop must outlive the call.
/// ```cpp
/// int sum = asyncio::run_coroutine_threadsafe(add(1, 2), loop).result(5s);
/// ```
/// Python: asyncio.run_coroutine_threadsafe.
template <class T>
ConcurrentFuture<T> run_coroutine_threadsafe(Coro<T>&& coro, EventLoop& loop) {
    detail::Ref<detail::ConcurrentFutureBase> future(new detail::ConcurrentFutureState<T>(loop.core()));
    detail::submit(new detail::CoroSubmission<T>(loop, future, coro), loop);
    return ConcurrentFuture<T>(std::move(future));
}
/// The same for a callable that returns the coroutine: the task keeps copies of the callable and its arguments, so a
/// lambda's captures live as long as they are used. The callable is called on the loop's thread.
template <class F, class... Args>
requires CoroutineFunction<F, Args...>
auto run_coroutine_threadsafe(F&& function, EventLoop& loop, Args&&... args) {
    using T = typename detail::CoroOf<std::decay_t<F>, std::decay_t<Args>...>::value_type;
    using Submission = detail::CallableSubmission<std::decay_t<F>, std::decay_t<Args>...>;
    detail::Ref<detail::ConcurrentFutureBase> future(new detail::ConcurrentFutureState<T>(loop.core()));
    detail::submit(new Submission(loop, future, static_cast<F&&>(function), static_cast<Args&&>(args)...), loop);
    return ConcurrentFuture<T>(std::move(future));
}

/// The same for what is no `Coro` but waits like one, as `sleep(1s)` does.
template <class A>
requires detail::TaskAwaitable<A>
auto run_coroutine_threadsafe(A&& awaitable, EventLoop& loop) {
    return run_coroutine_threadsafe(detail::as_coroutine<std::decay_t<A>>(static_cast<A&&>(awaitable)), loop);
}
template <class F, class... Args>
requires(!detail::TaskAwaitable<F> && !CoroutineFunction<F, Args...>) void run_coroutine_threadsafe(F&&, EventLoop&,
                                                                                                    Args&&...) {
    detail::refuse_task<F>();
}

}  // namespace asyncio
