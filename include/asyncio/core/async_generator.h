#pragma once

#include <asyncio/core/generator_base.h>
#include <asyncio/detail/ref.h>

#include <coroutine>
#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

template <class T>
class AsyncGenerator;

namespace detail {

/// What a step gives: an optional, or for a generator of references a pointer, null at the end.
template <class T>
struct GeneratorItem {
    using type = std::optional<T>;
    template <class U>
    static void put(void* item, U&& value) {
        auto& place = *static_cast<type*>(item);
        if constexpr (std::is_same_v<std::remove_cvref_t<U>, T>) {
            place.emplace(static_cast<U&&>(value));
        } else {
            place.emplace(implicitly<T>(static_cast<U&&>(value)));
        }
    }
};
template <class T>
struct GeneratorItem<T&> {
    using type = T*;
    static void put(void* item, T& value) noexcept { *static_cast<type*>(item) = address_of(value); }
};

template <class T>
class GeneratorPromise final : public PromiseBase {
    static_assert(std::is_object_v<T> || std::is_lvalue_reference_v<T>, "a generator yields objects or references");
    static_assert(std::is_reference_v<T> || alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                  "a generator cannot yield an over-aligned type");

public:
    template <IsFunctionLocation Place = FunctionLocation>
    explicit GeneratorPromise(Place function = {std::source_location::current()}) noexcept : PromiseBase(function) {}
    AsyncGenerator<T> get_return_object();

    template <class U = T>
    requires(std::is_object_v<T>&& std::is_convertible_v<U&&, T>) YieldAwaiter
        yield_value(U&& value, std::source_location where = std::source_location::current()) {
        return yield(static_cast<U&&>(value), where);
    }
    /// Converted where the co_yield stands, so that a temporary lives until the generator goes on.
    YieldAwaiter yield_value(T value, std::source_location where = std::source_location::current()) requires(
        std::is_reference_v<T>) {
        return yield(value, where);
    }
    void return_void() const noexcept {}

private:
    template <class U>
    YieldAwaiter yield(U&& value, const std::source_location& where) {
        set_await_at(where);
        if (generator_->item() != nullptr) GeneratorItem<T>::put(generator_->item(), static_cast<U&&>(value));
        return YieldAwaiter(*generator_);
    }

    GeneratorBase* generator_ = nullptr;
};

/// A step of a generator under way. It lives in the await of a GeneratorOperation, which keeps the generator alive.
template <class T>
class [[nodiscard]] [[gnu::warn_unused]] NextAwaiter : public NativeAwaitable {
public:
    using Item = typename GeneratorItem<T>::type;
    explicit NextAwaiter(GeneratorBase& generator) noexcept : generator_(generator) {}
    bool await_ready() { return !generator_.begin_next(&item_); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) noexcept {
        return generator_.resume(*parent.promise().task(), parent);
    }
    Item await_resume() {
        generator_.end_step();
        return std::move(item_);
    }

protected:
    GeneratorBase& generator_;
    Item item_{};
};

template <class T>
class [[nodiscard]] [[gnu::warn_unused]] ThrowAwaiter final : public NextAwaiter<T> {
public:
    ThrowAwaiter(GeneratorBase& generator, std::exception_ptr exception) noexcept
        : NextAwaiter<T>(generator), exception_(std::move(exception)) {}
    bool await_ready() { return !this->generator_.begin_throw(std::move(exception_), &this->item_); }

private:
    std::exception_ptr exception_;
};

/// What `next()` and `aclose()` return: it can be moved, and begins where it is awaited.
template <class Awaiter>
class [[nodiscard("it is done only where it is awaited")]] GeneratorOperation : public NativeAwaitable {
public:
    explicit GeneratorOperation(Ref<GeneratorBase> generator) noexcept : generator_(std::move(generator)) {}
    Awaiter operator co_await() const noexcept { return Awaiter(*generator_); }

private:
    Ref<GeneratorBase> generator_;
};

/// What `athrow()` returns.
template <class T>
class [[nodiscard("it is done only where it is awaited")]] ThrowOperation : public NativeAwaitable {
public:
    ThrowOperation(Ref<GeneratorBase> generator, std::exception_ptr exception) noexcept
        : generator_(std::move(generator)), exception_(std::move(exception)) {}
    ThrowAwaiter<T> operator co_await() const noexcept { return ThrowAwaiter<T>(*generator_, exception_); }

private:
    Ref<GeneratorBase> generator_;
    std::exception_ptr exception_;
};

}  // namespace detail

/// What an asynchronous function that contains `co_yield` returns: gives values one by one, and may wait in between.
///
/// ```cpp
/// AsyncGenerator<int> ticks(int count) {
///     for (int i = 0; i < count; ++i) {
///         co_yield i;
///         co_await sleep(1s);
///     }
/// }
/// auto gen = ticks(3);
/// while (auto tick = co_await gen.next()) std::printf("%d\n", *tick);
/// ```
/// It runs only while somebody awaits one of its steps, inside that task, without a trip through the loop: its frames
/// are on that task's stack, and a cancellation of the task arrives at what the generator waits for. `co_yield` copies
/// an lvalue and moves an rvalue; `AsyncGenerator<T&>` yields references, which are good until the next step.
///
/// One that has begun and is dropped before its end is closed by a task of its own, as `aclose()` would, in a later
/// pass of the loop that it began in; `run()` closes what is left open at its end. So what it takes by reference must
/// outlive that. Await `aclose()` to have it closed here and now. One handle owns it; not thread-safe.
///
/// Python: an asynchronous generator, `async def` with `yield`. `asend()` is not there: co_yield gives nothing.
template <class T>
class [[nodiscard("a generator runs only while somebody awaits next()")]] AsyncGenerator {
public:
    using promise_type = detail::GeneratorPromise<T>;
    using value_type = T;
    /// What next() gives: `std::optional<T>`; for `AsyncGenerator<T&>`, `T*`. Either tests false at the end.
    using Item = typename detail::GeneratorItem<T>::type;

    AsyncGenerator() noexcept = default;
    AsyncGenerator(AsyncGenerator &&) noexcept = default;
    AsyncGenerator& operator=(AsyncGenerator&&) noexcept = default;

    /// Whether there is a generator; also true when it has ended.
    explicit operator bool() const noexcept { return static_cast<bool>(generator_); }

    /// Runs it to its next `co_yield` and gives what it yields; nothing when it ends or has ended. Throws what it
    /// throws, and that ends it; RuntimeError if another task is in a step of it. Python: `anext(gen)`,
    /// `gen.__anext__()`.
    detail::GeneratorOperation<detail::NextAwaiter<T>> next() const {
        return detail::GeneratorOperation<detail::NextAwaiter<T>>(generator());
    }
    /// next(), but its `co_yield` throws the exception, an object or a `std::exception_ptr`. One that has not begun
    /// ends with it. Python: `gen.athrow(exception)`.
    template <class Exception>
    detail::ThrowOperation<T> athrow(Exception exception) const {
        if constexpr (std::is_same_v<Exception, std::exception_ptr>) {
            if (!exception) detail::throw_null_exception();
            return detail::ThrowOperation<T>(generator(), std::move(exception));
        } else {
            return detail::ThrowOperation<T>(generator(), std::make_exception_ptr(std::move(exception)));
        }
    }
    /// Ends it: its `co_yield` throws GeneratorExit, and this waits until its clean-up is over. Throws RuntimeError if
    /// it yields once more, and whatever else it throws. Nothing if it has ended or not begun. Python: `gen.aclose()`.
    detail::GeneratorOperation<detail::CloseAwaiter> aclose() const {
        return detail::GeneratorOperation<detail::CloseAwaiter>(generator());
    }

    /// `<async_generator object ticks at 0x7f5c>`
    friend std::string repr(const AsyncGenerator& generator) { return generator.generator()->repr(); }

private:
    friend promise_type;
    explicit AsyncGenerator(detail::Ref<detail::GeneratorBase> generator) noexcept : generator_(std::move(generator)) {}
    const detail::Ref<detail::GeneratorBase>& generator() const {
        if (!generator_) [[unlikely]]
            detail::throw_no_generator();
        return generator_;
    }

    detail::Ref<detail::GeneratorBase> generator_;
};

namespace detail {

template <class T>
AsyncGenerator<T> GeneratorPromise<T>::get_return_object() {
    generator_ = new GeneratorBase(std::coroutine_handle<GeneratorPromise>::from_promise(*this));
    return AsyncGenerator<T>(Ref<GeneratorBase>(generator_));
}

}  // namespace detail
}  // namespace asyncio
