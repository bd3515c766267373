#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// What refers to elements that something else owns: a std::string_view, a std::span, or an optional one.
template <class T>
inline constexpr bool is_view = std::ranges::enable_borrowed_range<std::remove_cv_t<T>>;
template <class T>
requires(requires(T optional) {
    typename T::value_type;
    optional.has_value();
}) inline constexpr bool is_view<T> = is_view<typename T::value_type>;

/// What owns its elements. Other libraries' views do not say what they are, but have no destructor.
template <class T>
concept OwnsElements = std::is_class_v<T> && !is_view<T> && requires(T & range) {
    range.begin();
    range.end();
}
&&(!std::is_trivially_destructible_v<T> || requires { sizeof(std::tuple_size<T>); });

/// Whether a `T` made of a `U` refers to what is in a temporary, or in something that is given away.
template <class T, class U>
concept ViewsTemporary = is_view<T> && !std::is_lvalue_reference_v<U> && OwnsElements<std::remove_cvref_t<U>>;

}  // namespace asyncio::detail
