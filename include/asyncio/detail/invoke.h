#pragma once

#include <type_traits>
#include <utility>

namespace asyncio::detail {

template <class T>
T& pointee(T* object) noexcept {
    return *object;
}
template <class T>
requires(!std::is_pointer_v<std::remove_reference_t<T>>) decltype(auto) pointee(T&& object) noexcept {
    if constexpr (requires { object.operator->(); }) {
        return *object;
    } else if constexpr (requires { object.get(); }) {
        return object.get();  // std::reference_wrapper
    } else {
        return static_cast<T&&>(object);
    }
}

/// Calls a function object with its arguments, or a member function on the object that comes first.
template <class F, class... Args>
requires(!std::is_member_pointer_v<std::remove_cvref_t<F>>) constexpr auto invoke(F&& function, Args&&... args)
    -> decltype(static_cast<F&&>(function)(static_cast<Args&&>(args)...)) {
    return static_cast<F&&>(function)(static_cast<Args&&>(args)...);
}
template <class F, class Object, class... Args>
requires std::is_member_function_pointer_v<std::remove_cvref_t<F>>
constexpr auto invoke(F&& function, Object&& object, Args&&... args)
    -> decltype((pointee(static_cast<Object&&>(object)).*function)(static_cast<Args&&>(args)...)) {
    return (pointee(static_cast<Object&&>(object)).*function)(static_cast<Args&&>(args)...);
}

/// A copy that is kept, as it is given on.
template <class T>
using KeptCopy = std::decay_t<T>&;

/// What a loop can keep, with copies of its arguments, and call.
template <class F, class... Args>
concept Callback = std::is_invocable_v<KeptCopy<F>, KeptCopy<Args>...>;

/// Whether all can be copied, or are given away.
template <class... Given>
constexpr bool can_keep = (std::is_constructible_v<std::decay_t<Given>, Given> && ...);
/// Says so where that is wanted.
template <class... Given>
constexpr void check_can_keep() noexcept {
    static_assert(can_keep<Given...>,
                  "copies of the function and of the arguments are kept, and one of these cannot be copied: give it by "
                  "std::move, or by std::ref if it is to stay where it is");
}

}  // namespace asyncio::detail
