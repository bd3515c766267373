#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace asyncio::detail {

template <class... Parameter>
struct Parameters {};
struct ItsObject {};  // the first parameter of a member function

template <class Signature, class... First>
struct SignatureParameters {
    using type = void;
};
template <class R, class... P, class... First>
struct SignatureParameters<R(P...), First...> {
    using type = Parameters<First..., P...>;
};
template <class R, class... P, class... First>
struct SignatureParameters<R(P...) const, First...> : SignatureParameters<R(P...), First...> {};
template <class R, class... P, class... First>
struct SignatureParameters<R(P...) noexcept, First...> : SignatureParameters<R(P...), First...> {};
template <class R, class... P, class... First>
struct SignatureParameters<R(P...) const noexcept, First...> : SignatureParameters<R(P...), First...> {};

template <class Member, class... First>
struct MemberParameters {};
template <class Signature, class Object, class... First>
struct MemberParameters<Signature Object::*, First...> : SignatureParameters<Signature, First...> {};

/// std::reference_wrapper, by its looks: <functional> is a large header.
template <class A>
inline constexpr bool is_reference_wrapper = requires(A a) {
    { a.get() } -> std::same_as<typename A::type&>;
};

/// Whether `F` is what std::bind_front() gives, by the name that the standard library has for that.
template <class F>
constexpr bool is_bind_front() noexcept {
    std::string_view name = __PRETTY_FUNCTION__;
    name = name.substr(name.find("= ") + 2);
    return name.starts_with("std::") && name.substr(0, name.find('<')).find("ind_front") != name.npos;
}

template <std::size_t Count, class Known>
struct WithoutFirst {
    using type = Known;
};
template <std::size_t Count, class P, class... Rest>
requires(Count > 0) struct WithoutFirst<Count, Parameters<P, Rest...>> : WithoutFirst<Count - 1, Parameters<Rest...>> {
};

/// The parameters of a callable that has one signature; `void` for an overloaded or generic one.
template <class F>
struct ParametersOf {
    using type = void;
};
template <class F>
requires std::is_function_v<F>
struct ParametersOf<F> : SignatureParameters<F> {
};
template <class F>
requires std::is_function_v<F>
struct ParametersOf<F*> : SignatureParameters<F> {
};
template <class F>
requires std::is_member_function_pointer_v<F>
struct ParametersOf<F> : MemberParameters<F, ItsObject> {
};
template <class F>
requires requires { &F::operator(); }
struct ParametersOf<F> : MemberParameters<decltype(&F::operator())> {};
template <class F>
requires is_reference_wrapper<F>
struct ParametersOf<F> : ParametersOf<typename F::type> {
};
template <template <class...> class BindFront, class F, class... Bound>
requires(is_bind_front<BindFront<F, Bound...>>()) struct ParametersOf<BindFront<F, Bound...>>
    : WithoutFirst<sizeof...(Bound), typename ParametersOf<F>::type> {
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
};
template <class First, class Others>
struct Prepended;
template <class First, class... Others>
struct Prepended<First, std::tuple<Others...>> {
    using type = std::tuple<First, Others...>;
};
template <class P, class... Rest, class A, class... More>
struct KeptArguments<Parameters<P, Rest...>, A, More...>
    : Prepended<std::conditional_t<makes_temporary<P, A>, std::remove_cvref_t<P>, A>,
                typename KeptArguments<Parameters<Rest...>, More...>::type> {};

template <class Function, class... A>
using kept_arguments_t = typename KeptArguments<typename ParametersOf<Function>::type, A...>::type;

/// Whether a call with the kept arguments may convert one of them to a temporary that the coroutine refers to, and so
/// has to be held: where the parameters are unknown. g++ 12 would destroy an aggregate that is a default argument twice
/// then, so there it is done only for the text of literals.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
template <class A>
inline constexpr bool may_be_converted = std::is_same_v<A, const char*>;
#else
template <class A>
inline constexpr bool may_be_converted = true;
#endif
template <class Function, class... A>
inline constexpr bool may_make_temporaries = std::is_void_v<typename ParametersOf<Function>::type> &&
                                             (may_be_converted<A> || ...);

}  // namespace asyncio::detail
