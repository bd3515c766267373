#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <type_traits>
#include <typeinfo>
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

template <class F, class Object, class... Args>
concept LacksNothing = requires(F&& f, Object&& object, Args&&... args) {
    (pointee(static_cast<Object&&>(object)).*f)(static_cast<Args&&>(args)...);
};
/// Whether a member function wants its caller's place last, and perhaps an option before it, and was given all else. A
/// pointer to a member has no default arguments: `&Task<>::cancel` would want them all. One that takes `...` lacks
/// nothing.
template <class F, class Object, class... Args>
concept LacksPlace = !LacksNothing<F, Object, Args...> && requires(F && f, Object&& object, Args&&... args) {
    (pointee(static_cast<Object&&>(object)).*f)(static_cast<Args&&>(args)..., std::source_location());
};
template <class F, class Object, class... Args>
concept LacksOptionAndPlace = !LacksNothing<F, Object, Args...> && requires(F && f, Object&& object, Args&&... args) {
    (pointee(static_cast<Object&&>(object)).*f)(static_cast<Args&&>(args)..., std::nullopt, std::source_location());
};
template <class F, class Object, class... Args>
requires std::is_member_function_pointer_v<std::remove_cvref_t<F>> && LacksPlace<F, Object, Args...>
constexpr decltype(auto) invoke(F&& function, Object&& object, Args&&... args) {
    return (pointee(static_cast<Object&&>(object)).*function)(static_cast<Args&&>(args)..., std::source_location());
}
template <class F, class Object, class... Args>
requires std::is_member_function_pointer_v<std::remove_cvref_t<F>> && LacksOptionAndPlace<F, Object, Args...>
constexpr decltype(auto) invoke(F&& function, Object&& object, Args&&... args) {
    return (pointee(static_cast<Object&&>(object)).*function)(static_cast<Args&&>(args)..., std::nullopt,
                                                              std::source_location());
}

/// A method of an object, which may be given by a pointer, a `std::ref` or as a handle, to be called with the rest.
template <class Method, class Object>
class BoundMethod {
public:
    template <class O>
    BoundMethod(Method method, O&& object) : method_(method), object_(static_cast<O&&>(object)) {}
    template <class... Args>
    auto operator()(Args&&... args)
        -> decltype(invoke(std::declval<Method&>(), std::declval<Object&>(), static_cast<Args&&>(args)...)) {
        return invoke(method_, object_, static_cast<Args&&>(args)...);
    }
    const Method& called() const noexcept { return method_; }

private:
    Method method_;
    Object object_;
};

/// The callable by which a user knows a callback.
template <class F>
inline const std::type_info& known_type = typeid(F);
template <class Method, class Object>
inline const std::type_info& known_type<BoundMethod<Method, Object>> = typeid(Method);
/// Whether it keeps the function that it calls, and gives it by `called()`: a class of the user's may have one of that
/// name, too.
template <class F>
inline constexpr bool keeps_called = false;
template <class Method, class Object>
inline constexpr bool keeps_called<BoundMethod<Method, Object>> = true;
/// What a callback calls: its type, and where its code begins, if it is a plain function or a method that is not
/// virtual; 0: that is not known.
struct Called {
    const std::type_info& type;
    std::uintptr_t code = 0;
};
template <class F>
std::uintptr_t code_of(const F& function) noexcept {
    if constexpr (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) {
        return reinterpret_cast<std::uintptr_t>(function);
    } else if constexpr (std::is_member_function_pointer_v<F>) {
        std::uintptr_t words[2] = {};  // the code, or an odd place in the virtual table; then what is added to `this`
        static_assert(sizeof(F) <= sizeof words);
        __builtin_memcpy(words, &function, sizeof function);
        bool is_virtual = ((words[0] | words[1]) & 1) != 0;
        return is_virtual ? 0 : words[0];
    } else if constexpr (keeps_called<F>) {
        return code_of(function.called());
    } else {
        return 0;
    }
}

/// A copy that is kept, as it is given on.
template <class T>
using KeptCopy = std::decay_t<T>&;

template <class F, class... Args>
concept Invocable = requires(F&& function, Args&&... args) {
    invoke(static_cast<F&&>(function), static_cast<Args&&>(args)...);
};
/// What a loop can keep, with copies of its arguments, and call.
template <class F, class... Args>
concept Callback = Invocable<KeptCopy<F>, KeptCopy<Args>...>;

template <class R, class Class, class... P>
constexpr bool is_changing(R (Class::*)(P...)) noexcept {
    return true;
}
template <class R, class Class, class... P>
constexpr bool is_changing(R (Class::*)(P...) &) noexcept {
    return true;
}
constexpr bool is_changing(...) noexcept { return false; }
/// Whether a method that may change its object would be called on a copy of one that the caller goes on to use.
template <class F, class... Args>
inline constexpr bool changes_a_copy = false;
template <class F, class Object, class... Args>
requires(std::is_member_function_pointer_v<std::decay_t<F>>&& std::is_lvalue_reference_v<Object>&& std::is_same_v<
         decltype(pointee(std::declval<Object>())), Object>) inline constexpr bool changes_a_copy<F, Object, Args...> =
    is_changing(std::decay_t<F>());
/// For callbacks, whose results are dropped: nothing would come of the call.
template <class... Given>
constexpr void check_is_no_copy() noexcept {
    static_assert(!changes_a_copy<Given...>,
                  "the method would change a copy of this object: give &object or std::ref(object), which has to be "
                  "there when it is called, or std::move(object)");
}

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

template <class Method, class Object>
BoundMethod<Method, std::decay_t<Object>> bound_method(Method method, Object&& object) {
    check_can_keep<Object>();
    check_is_no_copy<Method, Object>();
    return BoundMethod<Method, std::decay_t<Object>>(method, static_cast<Object&&>(object));
}

}  // namespace asyncio::detail
