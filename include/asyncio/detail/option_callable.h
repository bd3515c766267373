#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>

namespace asyncio::detail {

template <class Signature>
class OptionCallable;

/// A callable in a struct of options, which must not have a destructor: g++ 12 would run it twice beside a co_await.
///
/// One that needs no destructor is kept, with captures of up to four pointers; of others it takes variables only, and
/// refers to them until the call has made its copy.
template <class Result, class... Args>
class OptionCallable<Result(Args...)> {
public:
    constexpr OptionCallable() noexcept = default;
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, OptionCallable>) explicit OptionCallable(F&& callable) {
        using Kept = std::decay_t<F>;
        if constexpr (fits<Kept>) {
            ::new (static_cast<void*>(room_)) Kept(callable);
            copy_ = [](const std::byte* room) { return Function(*std::launder(reinterpret_cast<const Kept*>(room))); };
        } else {
            static_assert(std::is_lvalue_reference_v<F>,
                          "a callable whose captures have a destructor, or are many, is gone before the call: name it "
                          "first, in a variable that lives until then");
            ::new (static_cast<void*>(room_)) const Kept*(&callable);
            copy_ = [](const std::byte* room) {
                return Function(**std::launder(reinterpret_cast<Kept const* const*>(room)));
            };
        }
    }
    /// Empty where none was given.
    std::function<Result(Args...)> copy() const { return copy_ != nullptr ? copy_(room_) : nullptr; }

private:
    using Function = std::function<Result(Args...)>;
    static constexpr std::size_t capacity = 4 * sizeof(void*);
    template <class F>
    static constexpr bool fits = std::is_trivially_copyable_v<F>&& std::is_trivially_destructible_v<F> &&
                                 sizeof(F) <= capacity && alignof(F) <= alignof(void*);

    alignas(void*) std::byte room_[capacity] = {};
    Function (*copy_)(const std::byte* room) = nullptr;
};

}  // namespace asyncio::detail
