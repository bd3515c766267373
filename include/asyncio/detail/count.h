#pragma once

#include <concepts>
#include <cstddef>
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

/// How many, given in any integral type: one that is too large for memory does not become a negative one.
class Count {
public:
    constexpr Count(std::ptrdiff_t number) noexcept : number_(number) {}
    template <std::integral Number>
    constexpr Count(Number number) noexcept : number_(saturate<std::ptrdiff_t>(number)) {}
    constexpr std::ptrdiff_t get() const noexcept { return number_; }

private:
    std::ptrdiff_t number_;
};

}  // namespace asyncio::detail
