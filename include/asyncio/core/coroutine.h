#pragma once

#include <asyncio/core/foreign.h>
#include <asyncio/core/promise.h>
#include <asyncio/core/task_base.h>
#include <asyncio/detail/view_of_temporary.h>

#include <coroutine>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio {

template <class T = void>
class Coro;

namespace detail {

template <class T>
inline constexpr bool is_coroutine<Coro<T>> = true;

template <class T, class U>
inline constexpr bool converts_number =
    std::conjunction_v<std::is_arithmetic<T>, std::is_arithmetic<std::remove_cvref_t<U>>>;

/// Neither from a temporary nor from what has a name.
template <class T>
inline constexpr bool cannot_be_moved =
    std::is_class_v<T> && !std::is_constructible_v<T, T> && !std::is_constructible_v<T, T&>;

template <class T>
class Promise final : public PromiseBase {
public:
    template <IsFunctionLocation Place = FunctionLocation>
    explicit Promise(Place function = {std::source_location::current()}) noexcept : PromiseBase(function) {}
    Coro<T> get_return_object() noexcept;

    template <class U = T>
    requires(!converts_number<T, U> && std::is_convertible_v<U&&, T>) void return_value(U&& value) {
        static_assert(!std::is_reference_v<T> || RefersToLasting<T, U&&>,
                      "this co_return would give a reference to a temporary, which dies with this line: return an "
                      "object that lives on, or let the coroutine return a value: Coro<std::string>, say");
        static_assert(!ViewsTemporary<T, U&&>,
                      "this co_return would give a view of a temporary or a local variable, which dies with this "
                      "coroutine: let it return what owns the elements, Coro<std::string>, say");
        slot_->emplace_implicitly(static_cast<U&&>(value));
    }
    template <class U = T>
    requires(cannot_be_moved<T>&& std::is_same_v<std::remove_cvref_t<U>, T>) void return_value(U&&) {
        static_assert(!std::is_same_v<std::remove_cvref_t<U>, T>,
                      "this co_return gives an object that cannot be moved: return a std::unique_ptr of it, or what it "
                      "is made of, which makes it in its place");
    }
    /// Numbers are converted where the co_return stands: a constant without a warning, all else with one of that line.
    void return_value(T value) requires(std::is_arithmetic_v<T>) { slot_->emplace(value); }
    void set_slot(Slot<T>* slot) noexcept { slot_ = slot; }
    /// A body may end without a co_return; compilers need not say so, and g++ 12 does not.
    FinalAwaiter final_suspend() noexcept {
        if (!slot_->has_value() && !has_failed()) [[unlikely]]
            fail_without_value();
        return {};
    }

private:
    Slot<T>* slot_;  // where its awaiter or its task wants the result
};

template <>
class Promise<void> final : public PromiseBase {
public:
    template <IsFunctionLocation Place = FunctionLocation>
    explicit Promise(Place function = {std::source_location::current()}) noexcept : PromiseBase(function) {}
    Coro<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void set_slot(Slot<void>*) const noexcept {}
};

[[noreturn]] void throw_coroutine_reused();

/// Awaiting a coroutine: it runs inside the current task, at once, and its parent goes on as soon as it ends.
template <class T>
class [[nodiscard]] [[gnu::warn_unused]] CoroAwaiter : public NativeAwaitable {
public:
    explicit CoroAwaiter(std::coroutine_handle<Promise<T>> child) {
        if (!child) throw_coroutine_reused();
        link_.child = child;
        child.promise().set_slot(&slot_);
    }
    CoroAwaiter(const CoroAwaiter&) = delete;
    CoroAwaiter& operator=(const CoroAwaiter&) = delete;

    bool await_ready() const noexcept { return false; }
    template <class ParentPromise>
    bool await_suspend(std::coroutine_handle<ParentPromise> parent) noexcept {
        return link_.run_child(parent.promise().task(), parent);
    }
    T await_resume() {
        if (link_.child_failed()) [[unlikely]]
            std::rethrow_exception(link_.end_child());
        link_.destroy_child();
        return slot_.take();
    }

private:
    CoroLink link_;
    [[no_unique_address]] Slot<T> slot_;
};

/// Reports, in debug mode, a coroutine that dies without having been awaited.
void destroy_unawaited(std::coroutine_handle<> frame) noexcept;

}  // namespace detail

/// What an asynchronous function returns; `Coro<>` for one that returns nothing.
///
/// It runs nothing until it is awaited, which runs it inside the current task without a trip through the loop, or made
/// a task. It can be awaited once. Arguments that it takes by reference must outlive it.
///
/// Python: the coroutine object that calling an `async def` function gives.
template <class T>
class [[nodiscard("a coroutine does nothing until it is awaited or made a task")]] [[gnu::warn_unused]] Coro {
public:
    using promise_type = detail::Promise<T>;
    using value_type = T;

    Coro() noexcept = default;
    Coro(const Coro&) = delete;  // it is run once: hand it over, as by create_task(std::move(coro))
    Coro(Coro && other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    Coro& operator=(Coro&& other) noexcept {
        if (this != &other) {
            close();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~Coro() {
        if (frame_) detail::destroy_unawaited(frame_);
    }

    /// Whether there is a coroutine that was not awaited yet.
    explicit operator bool() const noexcept { return frame_ != nullptr; }
    /// Ends it unrun. Python: coro.close().
    void close() noexcept {
        if (frame_) std::exchange(frame_, nullptr).destroy();
    }

    detail::CoroAwaiter<T> operator co_await()& { return detail::CoroAwaiter<T>(release()); }
    detail::CoroAwaiter<T> operator co_await()&& { return detail::CoroAwaiter<T>(release()); }

    /// Gives the frame away; for the library.
    std::coroutine_handle<promise_type> release() noexcept { return std::exchange(frame_, nullptr); }

private:
    friend promise_type;
    explicit Coro(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
Coro<T> Promise<T>::get_return_object() noexcept {
    return Coro<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Coro<void> Promise<void>::get_return_object() noexcept {
    return Coro<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace detail
}  // namespace asyncio
