#pragma once

#include <asyncio/core/done_callback.h>
#include <asyncio/core/future_base.h>
#include <asyncio/core/task_base.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/slot.h>
#include <asyncio/detail/view_of_temporary.h>
#include <asyncio/errors/repr.h>

#include <concepts>
#include <exception>
#include <optional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {

class EventLoop;
template <class T>
class Future;

namespace detail {

/// A FutureBase or TaskBase with room for its result.
template <class T, class Base>
class ResultState : public Base {
public:
    Slot<T>& slot() noexcept { return slot_; }
    const std::type_info& result_type() const noexcept override { return typeid(T); }
    std::string result_repr() const override {
        if constexpr (std::is_void_v<T>) {
            return "None";
        } else {
            return repr_of(slot_.get());
        }
    }

protected:
    using Base::Base;

private:
    [[no_unique_address]] Slot<T> slot_;
};

template <class T>
class FutureState : public ResultState<T, FutureBase> {
public:
    explicit FutureState(LoopCore& loop, FutureBase::Kind kind = FutureBase::Kind::future) noexcept
        : ResultState<T, FutureBase>(loop, kind) {}
};

template <class T>
Slot<T>& slot_of(FutureBase& state) noexcept {
    if (state.kind() == FutureBase::Kind::task) return static_cast<ResultState<T, TaskBase>&>(state).slot();
    return static_cast<ResultState<T, FutureBase>&>(state).slot();
}

[[noreturn]] void throw_empty_handle();
EventLoop& loop_of(FutureBase* state);
/// As make_cancel_request(), by the task that runs, or by the one that is given, or by nobody.
Ref<CancelRequest> request_cancel(LoopCore& loop, std::optional<std::string_view> message, std::source_location where);
Ref<CancelRequest> request_cancel(const TaskBase* asker, std::optional<std::string_view> message,
                                  std::source_location where);

/// A wait on a future or a task: one of the future's callbacks, in order with the others.
class FutureWaiter : public Waiter {
public:
    bool cancel(const Ref<CancelRequest>& request) override;
    void tell(WaitStory& story) const override;
    TaskBase* awaited_task() const noexcept override;
    bool ended_cancelled() const noexcept override { return is_pending() && future_->ended_cancelled(); }

protected:
    explicit FutureWaiter(Ref<FutureBase> future, WaitKind kind = WaitKind::future) noexcept
        : Waiter(kind, &future_), future_(std::move(future)) {}
    ~FutureWaiter() = default;
    void suspend_on_future(TaskBase& task, std::coroutine_handle<> frame) noexcept;
    void check_outcome() {
        if (has_waited_in_vain()) [[unlikely]]
            std::rethrow_exception(error_of_wait());
        future_->check_result();
    }
    FutureBase& future() const noexcept { return *future_; }
    bool is_done() const noexcept { return future_->done(); }

private:
    /// The task was cancelled after the future was done, or it may not wait for this future.
    bool has_waited_in_vain() const noexcept { return was_cancelled() || state_ == State::woken; }
    std::exception_ptr error_of_wait();
    Ref<FutureBase> future_;
};

/// `Take`: the result is moved out, since the handle that was awaited is about to go.
template <class T, bool Take, class Wait = FutureWaiter>
class [[nodiscard]] [[gnu::warn_unused]] FutureAwaiter final : public Wait {
public:
    explicit FutureAwaiter(Ref<FutureBase> future) : Wait(std::move(future)) {}
    bool await_ready() const noexcept { return this->is_done(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        this->suspend_on_future(*frame.promise().task(), frame);
    }
    [[gnu::always_inline]] decltype(auto) await_resume() {
        this->check_outcome();
        Slot<T>& slot = slot_of<T>(this->future());
        if constexpr (Take) {
            return slot.take();
        } else {
            return slot.get();
        }
    }
};

/// For handles without a type, and for ends that have no value: waits and drops the value.
template <class Wait = FutureWaiter>
class [[nodiscard]] [[gnu::warn_unused]] DroppingFutureAwaiter final : public Wait {
public:
    template <class... What>
    explicit DroppingFutureAwaiter(Ref<FutureBase> future, const What&... what) : Wait(std::move(future), what...) {}
    bool await_ready() const noexcept { return this->is_done(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        this->suspend_on_future(*frame.promise().task(), frame);
    }
    void await_resume() { this->check_outcome(); }
};

}  // namespace detail

/// Names a callback that was added to a future, so that it can be removed.
enum class CallbackId : std::uint64_t {};

/// The keyword arguments of `add_done_callback()`.
struct CallbackOptions {
    ContextRef context = {};  ///< none: a copy of the current context
};

namespace detail {

/// Whether what follows a callback are options, or nothing, and not its argument.
template <class F>
concept PlainCallback = Callback<F> || !Callback<F, CallbackOptions>;
/// Whether it is its arguments.
template <class F, class First, class... Rest>
concept BoundCallback = Callback<F, First, Rest...> || !std::is_same_v<std::remove_cvref_t<First>, CallbackOptions>;

struct NotOptions {};
/// Whether it takes options behind its arguments, and means it: one that takes `...` would take anything.
template <class F, class... Args>
concept TakesOptions = Callback<F, Args..., CallbackOptions> && !Callback<F, Args..., NotOptions>;

/// Options behind more arguments than there are functions for.
template <class F>
void refuse_options() {
    static_assert(never<F>,
                  "options can stand behind six arguments at most: give a lambda that captures them, [=] { f(a, b); }, "
                  "in the place of f and its arguments");
}

}  // namespace detail

/// A future or task whatever its result type is. Copies name the same future.
///
/// Not thread-safe: belongs to its loop's thread. Python: what all asyncio.Future objects can do.
class AnyFuture : public detail::NativeAwaitable {
public:
    /// An empty handle, which tests false; its use throws RuntimeError.
    AnyFuture() noexcept = default;

    explicit operator bool() const noexcept { return static_cast<bool>(state_); }
    friend bool operator==(const AnyFuture& a, const AnyFuture& b) noexcept { return a.state_ == b.state_; }
    /// For sets and maps: in any order.
    friend bool operator<(const AnyFuture& a, const AnyFuture& b) noexcept { return hash_value(a) < hash_value(b); }
    friend std::size_t hash_value(const AnyFuture& a) noexcept { return reinterpret_cast<std::size_t>(a.state_.get()); }

    /// Whether it has a result or an exception, or was cancelled. Python: fut.done().
    bool done() const { return state().done(); }
    /// Whether it was cancelled, and that is over. Python: fut.cancelled().
    bool cancelled() const { return state().cancelled(); }
    /// Cancels the future and schedules its callbacks, or asks the task to end; false if it is done already.
    /// The task that waits for it, or runs it, sees CancelledError in the loop's next pass.
    bool cancel(std::optional<std::string_view> message = std::nullopt,
                std::source_location where = std::source_location::current()) const {
        return state().cancel(detail::request_cancel(state().loop(), message, where));
    }
    /// The exception it ended with, or null. Throws InvalidStateError if it is pending, CancelledError if cancelled.
    std::exception_ptr exception() const { return state().exception(); }
    /// Its loop. Throws RuntimeError if that was destroyed. Python: fut.get_loop().
    EventLoop& get_loop() const { return detail::loop_of(state_.get()); }

    /// Calls `callback(future)` through `call_soon` when the future is done, in the order of registration.
    template <class Callback>
    CallbackId add_done_callback(Callback callback, CallbackOptions options = {}) const {
        return CallbackId{detail::add_done_callback<AnyFuture>(state(), std::move(callback), options.context)};
    }
    /// The same for a method of an object, which is given by a pointer, a `std::ref` or as a handle.
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method> CallbackId add_done_callback(Method method, Object&& object,
                                                                                    CallbackOptions options = {})
    const { return add_done_callback(detail::bound_method(method, static_cast<Object&&>(object)), options); }
    /// How many it removed: one, or none if it was called or scheduled already.
    std::size_t remove_done_callback(CallbackId id) const {
        return state().remove_done_callback(static_cast<std::uint64_t>(id));
    }

    /// The same future with its type; throws TypeError if its result is of another type.
    template <class T>
    Future<T> as() const;

    /// Waits for the future and drops its value. Throws what it ended with.
    auto operator co_await() const { return detail::DroppingFutureAwaiter<>(state_or_throw()); }

    /// For the library: the shared state.
    detail::FutureBase* state_or_null() const noexcept { return state_.get(); }
    explicit AnyFuture(detail::Ref<detail::FutureBase> state) noexcept : state_(std::move(state)) {}

protected:
    detail::FutureBase& state() const {
        if (!state_) [[unlikely]]
            detail::throw_empty_handle();
        return *state_;
    }
    const detail::Ref<detail::FutureBase>& state_or_throw() const {
        if (!state_) [[unlikely]]
            detail::throw_empty_handle();
        return state_;
    }
    void require_type(const std::type_info& type) const;

private:
    detail::Ref<detail::FutureBase> state_;
};

/// A result that is not there yet. Made by `loop.create_future<T>()`; whoever has a handle can finish it.
///
/// `co_await future` waits and gives `const T&`; `co_await std::move(future)` moves the value out. It resumes one pass
/// of the loop after the future is done, or at once if it is done already.
///
/// Python: asyncio.Future.
template <class T = void>
class Future : public AnyFuture {
public:
    using value_type = T;
    /// What `result()` gives.
    using Reference =
        std::conditional_t<std::is_void_v<T> || std::is_reference_v<T>, T, std::add_lvalue_reference_t<const T>>;

    Future() noexcept = default;

    /// The result. Throws the exception that was set, CancelledError, or InvalidStateError if it is pending.
    Reference result() const {
        state().check_result();
        return slot().get();
    }
    /// Finishes it with this value, of nothing for `Future<>`; who waits goes on in the next pass. Throws
    /// InvalidStateError if it is done, RuntimeError for a task. Python: fut.set_result().
    template <class... Value>
    requires(std::is_void_v<T> ? sizeof...(Value) == 0
                               : sizeof...(Value) == 1 && (std::is_convertible_v<Value&&, T> &&
                                                           ...)) void set_result(Value&&... value) const {
        static_assert(!std::is_reference_v<T> || (detail::RefersToLasting<T, Value&&> && ...),
                      "set_result() would keep a reference to a temporary, which dies with this line: give it an "
                      "object that lives on, or make it a Future of a value");
        static_assert(!(detail::ViewsTemporary<T, Value&&> || ...),
                      "set_result() would keep a view of a temporary, which dies with this line: give it an object "
                      "that lives on, or make it a Future of what owns the elements");
        state().check_settable("set_result");
        if constexpr (std::is_void_v<T>) {
            state().finish();
        } else if constexpr (std::is_reference_v<T> || std::is_trivially_copyable_v<T> ||
                             !std::is_move_constructible_v<T>) {
            (slot().emplace_implicitly(static_cast<Value&&>(value)), ...);
            state().finish();
        } else {
            // Whatever making the value does to this future, and to this handle, has happened before it is stored.
            Future keep(*this);
            T made = (static_cast<Value&&>(value), ...);
            keep.state().check_settable("set_result");
            keep.slot().emplace(std::move(made));
            keep.state().finish();
        }
    }
    /// Takes an exception object or a `std::exception_ptr`. Throws InvalidStateError if the future is done.
    template <class Exception>
    void set_exception(Exception exception) const {
        if constexpr (std::is_same_v<Exception, std::exception_ptr>) {
            state().set_exception(std::move(exception));
        } else {
            state().set_exception(std::make_exception_ptr(std::move(exception)));
        }
    }

    /// The same with its type: calls `callback(Future<T>)`. Python: fut.add_done_callback().
    template <class Callback>
    CallbackId add_done_callback(Callback callback, CallbackOptions options = {}) const {
        return CallbackId{detail::add_done_callback<Future<T>>(state(), std::move(callback), options.context)};
    }
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method> CallbackId add_done_callback(Method method, Object&& object,
                                                                                    CallbackOptions options = {})
    const { return add_done_callback(detail::bound_method(method, static_cast<Object&&>(object)), options); }

    auto operator co_await() const& { return detail::FutureAwaiter<T, false>(state_or_throw()); }
    auto operator co_await() && { return detail::FutureAwaiter<T, true>(state_or_throw()); }

    /// For the library: a handle to an existing state.
    explicit Future(detail::Ref<detail::FutureBase> state) noexcept : AnyFuture(std::move(state)) {}

private:
    detail::Slot<T>& slot() const { return detail::slot_of<T>(state()); }
};

template <class T>
Future<T> AnyFuture::as() const {
    require_type(typeid(T));
    return Future<T>(state_);
}

/// Whether `x` is a future or task handle. Python: asyncio.isfuture.
template <class X>
constexpr bool isfuture(const X&) noexcept {
    return std::derived_from<X, AnyFuture>;
}

/// `<Future finished result=42>`, as Python prints it.
std::string repr(const AnyFuture& future);

}  // namespace asyncio

template <class Future>
requires std::is_base_of_v<asyncio::AnyFuture, Future>
struct std::hash<Future> {
    std::size_t operator()(const Future& future) const noexcept { return hash_value(future); }
};
