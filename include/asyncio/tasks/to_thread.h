#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/executor_call.h>
#include <asyncio/detail/double_destruction.h>

#include <type_traits>
#include <utility>

#ifdef __GLIBCXX__
namespace std {  // <stop_token> is dear, and whoever writes a function that takes one has included it
class stop_token;
class stop_source;
}  // namespace std
#else
#include <stop_token>  // libc++ 19 has it with -fexperimental-library only
#endif

namespace asyncio {
namespace detail {

template <class F, class... Args>
concept CallableWith = requires {
    invoke(std::declval<std::decay_t<F>>(), std::declval<Args>()...);
};

/// The same for one that takes a stop token first. A token that was not included is not asked for.
template <class F, class Token, class... Args>
concept CallableWithToken = requires {
    sizeof(Token);
}
&&CallableWith<F, Token, Args...>;

/// A call that runs in a copy of the context of whoever awaits it.
template <class Result, class Function, class... Args>
class CallInContext : public KeptCall<Result, Function, Args...> {
public:
    using KeptCall<Result, Function, Args...>::KeptCall;
    void copy_context() noexcept { context_ = ContextSlot::copy_current(); }

protected:
    template <class... First>
    void call_in_context(First&&... first) {
        ContextScope scope(context_);
        this->call_with(static_cast<First&&>(first)...);
    }

private:
    ContextSlot context_;
};

template <class Result, class Function, class... Args>
class ThreadCall final : public CallInContext<Result, Function, Args...> {
public:
    using CallInContext<Result, Function, Args...>::CallInContext;

private:
    void call() override { this->call_in_context(); }
};

/// The same for a function that can be asked to stop.
template <class StopSource, class Result, class Function, class... Args>
class StoppableThreadCall final : public CallInContext<Result, Function, Args...> {
public:
    using CallInContext<Result, Function, Args...>::CallInContext;

private:
    void call() override { this->call_in_context(stop_.get_token()); }
    void ask_to_stop() noexcept override { stop_.request_stop(); }
    StopSource stop_;
};

/// Owns a call until it is submitted.
template <class Call>
class CallOwner {
public:
    explicit CallOwner(Call* call) noexcept : call_(call) {}
    CallOwner(CallOwner&& other) noexcept : call_(other.release()) {}
    ~CallOwner() {
        if (call_ != nullptr) call_->discard();
    }
    Call* operator->() const noexcept { return call_; }
    Call* release() noexcept { return std::exchange(call_, nullptr); }

private:
    Call* call_;
};

template <class Result, class Call>
Coro<Result> to_thread(CallOwner<Call> call) {
    LoopCore& loop = running_core();
    Ref<FutureBase> future(new FutureState<Result>(loop));
    call->copy_context();
    call.release()->submit(loop, nullptr, future);
    co_return co_await ThreadWait<Result>(std::move(future));
}

}  // namespace detail

/// Calls `function(args...)` on a thread of the loop's default executor and gives its result; the loop goes on
/// meanwhile.
///
/// Begins when it is awaited or made a task. The call gets copies of the function and the arguments, by moving, which
/// are destroyed on the thread before the await goes on; use `std::ref` for what must not be copied. It sees the
/// variables of the context of whoever awaits. What it throws is thrown at the await.
///
/// When the waiting task is cancelled the await ends at once: a call that has not begun never runs, and one that runs
/// ends unseen, so what it refers to, by `[&]` or `std::ref`, must outlive it and not only the await. If its first
/// parameter is a `std::stop_token`, before `args`, it is asked to stop. `run()` waits for its thread.
/// ```cpp
/// auto text = co_await asyncio::to_thread(read_file, path);
/// co_await asyncio::to_thread([](std::stop_token stop) { while (!stop.stop_requested()) poll_device(); });
/// ```
/// Python: asyncio.to_thread. The stop_token is new.
template <class F, class... Args>
requires detail::CallableWith<F, std::decay_t<Args>...>
auto to_thread(F&& function, Args&&... args) {
    detail::check_can_keep<F, Args...>();
    static_assert(detail::safe_beside_co_await<F>,
                  "g++ 12 would destroy this temporary lambda twice if to_thread() is awaited on the spot, since it "
                  "captures by value something that has a destructor: pass that as an argument of to_thread(), with "
                  "std::move what can only be moved, or give the lambda a name first");
    using Result = detail::CallResult<F, std::decay_t<Args>...>;
    detail::check_runs_in_thread<Result>();
    using Call = detail::ThreadCall<Result, std::decay_t<F>, std::decay_t<Args>...>;
    return detail::to_thread<Result>(
        detail::CallOwner<Call>(new Call(std::in_place, static_cast<F&&>(function), static_cast<Args&&>(args)...)));
}
#if defined(__GLIBCXX__) || defined(__cpp_lib_jthread)
template <class F, class... Args>
requires(!detail::CallableWith<F, std::decay_t<Args>...> &&
         detail::CallableWithToken<F, std::stop_token, std::decay_t<Args>...>) auto to_thread(F&& function,
                                                                                              Args&&... args) {
    detail::check_can_keep<F, Args...>();
    static_assert(detail::safe_beside_co_await<F>,
                  "g++ 12 would destroy this temporary lambda twice if to_thread() is awaited on the spot, since it "
                  "captures by value something that has a destructor: pass that as an argument of to_thread(), with "
                  "std::move what can only be moved, or give the lambda a name first");
    using Result = detail::CallResult<F, std::stop_token, std::decay_t<Args>...>;
    detail::check_runs_in_thread<Result>();
    using Call = detail::StoppableThreadCall<std::stop_source, Result, std::decay_t<F>, std::decay_t<Args>...>;
    return detail::to_thread<Result>(
        detail::CallOwner<Call>(new Call(std::in_place, static_cast<F&&>(function), static_cast<Args&&>(args)...)));
}
template <class F, class... Args>
requires(!detail::CallableWith<F, std::decay_t<Args>...> &&
         !detail::CallableWithToken<F, std::stop_token, std::decay_t<Args>...>) Coro<> to_thread(F&&, Args&&...) {
    static_assert(detail::never<F>,
                  "to_thread(f, args...) copies the arguments and gives the copies to f as rvalues: f must take them "
                  "by value, const& or && (a reference: std::ref)");
    return Coro<>();
}
#endif

}  // namespace asyncio
