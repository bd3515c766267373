#pragma once

#include <asyncio/core/executor_call.h>
#include <asyncio/core/future.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/slot.h>
#include <asyncio/loop/inbox.h>
#include <asyncio/loop/seconds.h>

#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace asyncio {

class AnyTask;
template <class T>
class ConcurrentFuture;

namespace detail {

class ConcurrentFutureBase;

/// A callback on a ConcurrentFuture, to be called by the thread that ends it.
class ConcurrentCallback : public ListHook<> {
public:
    virtual ~ConcurrentCallback() = default;
    virtual void call(Ref<ConcurrentFutureBase> future) = 0;
};

/// What the handles of one ConcurrentFuture share. Any thread may touch it.
class ConcurrentFutureBase : public Pooled {
public:
    ConcurrentFutureBase(const ConcurrentFutureBase&) = delete;
    ConcurrentFutureBase& operator=(const ConcurrentFutureBase&) = delete;
    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
    }

    bool cancel(std::source_location where);
    bool cancelled() const noexcept;
    bool running() const noexcept;
    bool done() const noexcept;
    /// Waits, and throws what it ended with, or TimeoutError. Returns if there is a result.
    void wait_for_result(std::optional<Seconds> timeout);
    std::exception_ptr exception(std::optional<Seconds> timeout);
    void add_callback(ConcurrentCallback* callback);  // takes it over; calls it at once if the future is done
    /// Destroys the callback. False if it was called already, or is about to be.
    bool remove_callback(ConcurrentCallback* callback) noexcept;
    std::string repr() const;
    bool is_of_loop(const LoopCore& loop) const noexcept;

    // What the loop's thread does to it.
    /// The task is what it waits for from now on; a future that was cancelled before cancels it.
    void follow(const AnyTask& task);
    void fail(std::exception_ptr exception);
    /// Nothing more will come of the loop.
    void give_up() noexcept;
    /// A thread has waited long enough.
    class WaitingThread;
    void expire(WaitingThread& waiter) noexcept;

protected:
    explicit ConcurrentFutureBase(LoopCore& loop);
    virtual ~ConcurrentFutureBase();
    virtual void take_result(FutureBase& task) = 0;
    virtual const std::type_info& result_type() const noexcept = 0;

private:
    enum class State : std::uint8_t { pending, running, cancelled, finished };
    struct Sync;
    class Completion;
    class CancelMessage;
    class TimerMessage;

    bool is_done() const noexcept { return state_ >= State::cancelled; }
    bool begin_running() noexcept;
    bool become(State state, bool* following = nullptr) noexcept;  // false: it was done already
    void call_back();
    void call_safely(ConcurrentCallback& callback);
    void wait(std::optional<Seconds> timeout);
    void copy_outcome(FutureBase& task);
    void cancel_task(const Ref<CancelRequest>& request);

    unsigned references_ = 0;
    Sync* sync_;  // guards what follows
    State state_ = State::pending;
    bool following_ = false;        // cancel() has a task to cancel
    std::exception_ptr exception_;  // constant once it is done, as the result is
    FutureBase* task_ = nullptr;    // the loop's thread only; null when it is done or gone
    Ref<Inbox> inbox_;
};

template <class T>
class ConcurrentFutureState : public ConcurrentFutureBase {
public:
    explicit ConcurrentFutureState(LoopCore& loop) : ConcurrentFutureBase(loop) {}
    Slot<T>& slot() noexcept { return slot_; }

    /// The value for one of several readers: a copy where there can be one.
    T copy_result() {
        if constexpr (std::is_object_v<T> && std::copy_constructible<T>) {
            return slot_.get();
        } else {
            return slot_.take();
        }
    }

private:
    void take_result(FutureBase& task) override {
        if constexpr (std::is_void_v<T>) {
            slot_.emplace();
        } else {
            slot_.emplace(slot_of<T>(task).take());
        }
    }
    const std::type_info& result_type() const noexcept override { return typeid(T); }
    Slot<T> slot_;
};

template <class T, class Callback>
class ConcurrentCallbackOf final : public ConcurrentCallback {
public:
    explicit ConcurrentCallbackOf(Callback callback) : callback_(std::move(callback)) {}
    void call(Ref<ConcurrentFutureBase> future) override {
        static_cast<void>(callback_(ConcurrentFuture<T>(std::move(future))));
    }

private:
    Callback callback_;
};

/// Ties a ConcurrentFuture to a future of the running loop: the call on another thread that an executor would run is
/// the other future's end.
class ConcurrentWait : public ExecutorCall, private Executor {
public:
    void start(LoopCore& loop, Ref<FutureBase> future);
    const std::type_info& callable_type() const noexcept override { return typeid(ConcurrentWait); }

protected:
    explicit ConcurrentWait(Ref<ConcurrentFutureBase> source) noexcept;
    ~ConcurrentWait() override;
    Ref<ConcurrentFutureBase> source_;

private:
    class DoneCallback;
    void call() override { source_->wait_for_result(std::nullopt); }
    void drop_callable() noexcept override {}
    bool was_cancelled() const noexcept override { return source_->cancelled(); }
    bool is_outside_work(LoopCore& loop) const noexcept override { return !source_->is_of_loop(loop); }
    void submit(ExecutorJob& job) override;
    bool try_cancel(ExecutorJob& job) noexcept override;
    void shutdown(bool) override {}
    ConcurrentCallback* callback_ = nullptr;
};

template <class T>
class ConcurrentWaitOf final : public ConcurrentWait {
public:
    using ConcurrentWait::ConcurrentWait;
    explicit ConcurrentWaitOf(Ref<ConcurrentFutureBase> source) noexcept : ConcurrentWait(std::move(source)) {}

private:
    void store_result(FutureBase& future) override {
        if constexpr (!std::is_void_v<T>) {
            slot_of<T>(future).emplace(static_cast<ConcurrentFutureState<T>&>(*source_).copy_result());
        }
    }
};

}  // namespace detail

/// The outcome of work on a loop, for other threads. `run_coroutine_threadsafe()` makes them; copies name the same one.
///
/// Every member may be called from any thread. A thread that waits in `result()` or `exception()` blocks, so do not
/// wait in the loop's own thread: without a time limit that throws RuntimeError. A coroutine awaits it instead:
/// `co_await future`. If the loop is destroyed before the work is done the future is cancelled.
///
/// Python: concurrent.futures.Future.
template <class T = void>
class ConcurrentFuture : public detail::NativeAwaitable {
public:
    using value_type = T;
    /// What `result()` gives.
    using Reference = typename Future<T>::Reference;

    /// An empty handle, which tests false; its use throws RuntimeError.
    ConcurrentFuture() noexcept = default;
    explicit operator bool() const noexcept { return static_cast<bool>(state_); }
    friend bool operator==(const ConcurrentFuture& a, const ConcurrentFuture& b) noexcept {
        return a.state_ == b.state_;
    }

    /// Waits for the result, at most for `timeout`. Throws what the coroutine threw, CancelledError, or TimeoutError.
    Reference result(std::optional<Seconds> timeout = std::nullopt) const& {
        state().wait_for_result(timeout);
        return state().slot().get();
    }
    /// The same by value: a copy, or for a type that cannot be copied the value itself.
    T result(std::optional<Seconds> timeout = std::nullopt) && {
        state().wait_for_result(timeout);
        return state().copy_result();
    }
    /// The exception that the coroutine ended with, or null. Waits and throws as `result()` does.
    std::exception_ptr exception(std::optional<Seconds> timeout = std::nullopt) const {
        return state().exception(timeout);
    }

    /// Cancels the future at once, and the task soon. False if it is finished already.
    bool cancel(std::source_location where = std::source_location::current()) const { return state().cancel(where); }
    /// Whether it was cancelled. Python: future.cancelled().
    bool cancelled() const { return state().cancelled(); }
    /// Whether it has ended, in whatever way. Python: future.done().
    bool done() const { return state().done(); }
    /// Only while the outcome is being set, as in Python.
    bool running() const { return state().running(); }

    /// Calls `callback(future)` in the thread that ends the future, or at once if it is done, in the order of
    /// registration. What it throws is logged.
    template <class Callback>
    void add_done_callback(Callback callback) const {
        static_assert(std::is_invocable_v<Callback&, ConcurrentFuture<T>>,
                      "add_done_callback() calls its callback with the future that is done");
        detail::check_gives_no_coroutine<Callback&, ConcurrentFuture<T>>();
        state().add_callback(new detail::ConcurrentCallbackOf<T, Callback>(std::move(callback)));
    }
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method>
    void add_done_callback(Method method, Object&& object) const {
        add_done_callback(detail::bound_method(method, static_cast<Object&&>(object)));
    }

    /// Waits without blocking, in any loop, and gives the result by value. Cancelling the task cancels the future.
    auto operator co_await() const {
        return detail::ThreadAwaiter<T>(detail::Ref<detail::FutureBase>(wrap().state_or_null()));
    }
    /// For the library: what `wrap_future()` returns.
    Future<T> wrap() const {
        detail::LoopCore& loop = detail::running_core();
        detail::Ref<detail::FutureBase> future(new detail::FutureState<T>(loop));
        (new detail::ConcurrentWaitOf<T>(detail::Ref<detail::ConcurrentFutureBase>(&state())))->start(loop, future);
        return Future<T>(std::move(future));
    }
    /// For the library: a handle to an existing state, which is of this type.
    explicit ConcurrentFuture(detail::Ref<detail::ConcurrentFutureBase> state) noexcept : state_(std::move(state)) {}
    /// `<Future at 0x7f5c state=finished returned int>`, as Python prints it.
    friend std::string repr(const ConcurrentFuture& future) { return future.state().repr(); }

private:
    detail::ConcurrentFutureState<T>& state() const {
        if (!state_) [[unlikely]]
            detail::throw_empty_handle();
        return static_cast<detail::ConcurrentFutureState<T>&>(*state_);
    }
    detail::Ref<detail::ConcurrentFutureBase> state_;
};

/// A future of the running loop that ends as the other does; cancelling it cancels the other. `co_await future` is the
/// same without the name. Python: asyncio.wrap_future.
template <class T>
Future<T> wrap_future(const ConcurrentFuture<T>& future) {
    return future.wrap();
}
/// A future of a loop is that future already.
template <class T>
Future<T> wrap_future(Future<T> future) {
    return future;
}

}  // namespace asyncio
