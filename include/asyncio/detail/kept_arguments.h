#pragma once

#include <concepts>
#include <tuple>
#include <type_traits>

namespace asyncio::detail {

template <class... Parameter>
struct Parameters {};

/// The parameters of a callable that has one signature; `void` for an overloaded or generic one.
template <class F>
struct ParametersOf {
    using type = void;
};
template <class R, class... P>
struct ParametersOf<R(P...)> {
    using type = Parameters<P...>;
};
template <class R, class... P>
struct ParametersOf<R(P...) const> : ParametersOf<R(P...)> {};
template <class R, class... P>
struct ParametersOf<R(P...) noexcept> : ParametersOf<R(P...)> {};
template <class R, class... P>
struct ParametersOf<R(P...) const noexcept> : ParametersOf<R(P...)> {};
template <class Signature>
requires std::is_function_v<Signature>
struct ParametersOf<Signature*> : ParametersOf<Signature> {
};
template <class Signature, class Object>
requires std::is_function_v<Signature>
struct ParametersOf<Signature Object::*> : ParametersOf<Signature> {
};
template <class F>
requires requires { &F::operator(); }
struct ParametersOf<F> : ParametersOf<decltype(&F::operator())> {};

/// std::reference_wrapper, by its looks: <functional> is a large header.
template <class A>
inline constexpr bool is_reference_wrapper = requires(A a) {
    { a.get() } -> std::same_as<typename A::type&>;
};

/// Whether an `A` is converted to a temporary when it is given for a parameter `P` that is a reference.
template <class P, class A>
inline constexpr bool makes_temporary =
    std::is_reference_v<P> && !is_reference_wrapper<A> &&
    !std::is_convertible_v<A*, const volatile std::remove_reference_t<P>*> &&
    !std::is_convertible_v<A&, std::remove_cvref_t<P>&> && std::is_constructible_v<std::remove_cvref_t<P>, A>;

/// As what the arguments of a coroutine function are kept until the coroutine has ended: where a parameter is a
/// reference to something that would have to be made first, as `const std::string&` is for a `"literal"`, that is made
/// and kept.
template <class Known, class... A>
struct KeptArguments {
    using type = std::tuple<A...>;
    static constexpr bool are_converted = false;
};
template <class... P, class... A>
requires(sizeof...(P) == sizeof...(A)) struct KeptArguments<Parameters<P...>, A...> {
    using type = std::tuple<std::conditional_t<makes_temporary<P, A>, std::remove_cvref_t<P>, A>...>;
    static constexpr bool are_converted = true;
};
template <class... P, class Object, class... A>
requires(sizeof...(P) == sizeof...(A)) struct KeptArguments<Parameters<P...>, Object, A...> {  // a member function's
    using type = std::tuple<Object, std::conditional_t<makes_temporary<P, A>, std::remove_cvref_t<P>, A>...>;
    static constexpr bool are_converted = true;
};

template <class Function, class... A>
using kept_arguments_t = typename KeptArguments<typename ParametersOf<Function>::type, A...>::type;

/// Whether no call with what is kept makes a temporary that a parameter of the function may refer to. Not so where its
/// parameters are unknown, as those of an overloaded function object, or where there are more than arguments.
template <class Function, class... A>
inline constexpr bool are_kept_as_taken = KeptArguments<typename ParametersOf<Function>::type, A...>::are_converted;

}  // namespace asyncio::detail
