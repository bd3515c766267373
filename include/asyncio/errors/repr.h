#pragma once

#include <asyncio/detail/object.h>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace asyncio {

template <class T>
class Future;

namespace detail {

std::string repr_of_integer(long long value);
std::string repr_of_unsigned(unsigned long long value);
std::string repr_of_double(double value);
std::string repr_of_string(std::string_view text);  // shortened as Python's reprlib does
std::string type_text(const std::type_info& type);  // demangled, without `asyncio::`
std::string repr_of_object(const std::type_info& type, const void* object);

template <class T>
concept HasRepr = requires(const T& value) {
    { repr(value) } -> std::convertible_to<std::string>;
};

/// A value as Python would print it, as far as its type lets us.
template <class T>
std::string repr_of(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        return value ? "True" : "False";
    } else if constexpr (std::is_same_v<T, std::nullopt_t>) {
        return "None";
    } else if constexpr (std::is_floating_point_v<T>) {
        return repr_of_double(static_cast<double>(value));
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
        return repr_of_integer(value);
    } else if constexpr (std::is_integral_v<T>) {
        return repr_of_unsigned(value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        return repr_of_string(value);
    } else if constexpr (HasRepr<T>) {
        return repr(value);
    } else {
        return repr_of_object(typeid(T), address_of(value));
    }
}

}  // namespace detail
}  // namespace asyncio
