#pragma once

namespace asyncio::detail {

/// A copy of an object of this type is as good as the object: both name the same thing.
template <class T>
inline constexpr bool is_handle = false;

}  // namespace asyncio::detail
