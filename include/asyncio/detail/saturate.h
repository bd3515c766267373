#pragma once

#include <concepts>
#include <limits>
#include <type_traits>

namespace asyncio::detail {

/// The number, or the nearest that a `To` can hold.
template <std::signed_integral To, std::integral From>
constexpr To saturate(From number) noexcept {
    constexpr To least = std::numeric_limits<To>::min();
    constexpr To most = std::numeric_limits<To>::max();
    if constexpr (sizeof(From) < sizeof(To) || (sizeof(From) == sizeof(To) && std::is_signed_v<From>)) {
        return static_cast<To>(number);
    } else if constexpr (std::is_signed_v<From>) {
        return number < From{least} ? least : number > From{most} ? most : static_cast<To>(number);
    } else {
        return number > static_cast<From>(most) ? most : static_cast<To>(number);
    }
}

}  // namespace asyncio::detail
