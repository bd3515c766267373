#pragma once

#include <type_traits>

namespace asyncio::detail {

/// Whether an argument of type `F` (an lvalue reference for an lvalue) may stand in an expression with a `co_await`.
///
/// g++ 12 destroys a temporary lambda there twice if it captures by value something that has a destructor. Such a
/// closure is told by what it lacks: it can be neither default-constructed nor assigned.
template <class F>
inline constexpr bool safe_beside_co_await = true;

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
template <class F>
requires(!std::is_reference_v<F> && !std::is_trivially_destructible_v<F> && !std::is_default_constructible_v<F> &&
         !std::is_copy_assignable_v<F> &&
         !std::is_move_assignable_v<F>) inline constexpr bool safe_beside_co_await<F> = false;
#endif

}  // namespace asyncio::detail
