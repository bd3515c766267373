#pragma once

namespace asyncio::detail {

/// A copy of an object of this type is as good as the object: both name the same thing.
template <class T>
inline constexpr bool is_handle = false;

/// A block of such a manager is of no use to a future that leaves it unfinished.
template <class Manager>
inline constexpr bool is_for_what_it_awaits = false;

/// Its aexit() sees itself to the contexts of what it throws.
template <class Manager>
inline constexpr bool notes_contexts = false;

}  // namespace asyncio::detail
