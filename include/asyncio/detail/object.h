#pragma once

namespace asyncio::detail {

/// std::addressof, without its header: an object's own `operator&` is none of our business.
template <class T>
constexpr T* address_of(T& object) noexcept {
    return __builtin_addressof(object);
}

/// Converts as `return value;` does in a function that returns a T: by no explicit constructor or conversion.
template <class T, class U>
constexpr T implicitly(U&& value) {
    return static_cast<U&&>(value);
}

}  // namespace asyncio::detail
