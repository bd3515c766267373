#pragma once

#include <asyncio/detail/object.h>

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

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

/// For what holds values: `shortened(value)` and `whole(value)`.
template <class T>
struct Shown {};

/// A value as Python would print it, as far as its type lets us; a long one is shortened as reprlib does.
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
    } else if constexpr (requires { Shown<T>::shortened(value); }) {
        return Shown<T>::shortened(value);
    } else if constexpr (HasRepr<T>) {
        return repr(value);
    } else {
        return repr_of_object(typeid(T), address_of(value));
    }
}

std::string repr_of_whole_string(std::string_view text);

template <class T>
concept IsText =
    (std::is_convertible_v<const T&, std::string_view> && !std::is_null_pointer_v<T>) || std::is_same_v<T, char>;

/// The same, but nothing is shortened.
template <class T>
std::string whole_repr_of(const T& value) {
    if constexpr (std::is_same_v<T, char>) {
        return repr_of_whole_string({&value, 1});
    } else if constexpr (IsText<T>) {
        return repr_of_whole_string(value);
    } else if constexpr (requires { Shown<T>::whole(value); }) {
        return Shown<T>::whole(value);
    } else {
        return repr_of(value);
    }
}

/// `[1, 'a']`, of which reprlib shows six.
template <bool is_whole>
class ListText {
public:
    template <class T>
    void add(const T& value) {
        if (++count_ > most && !is_whole) return;
        text_ += count_ == 1 ? "" : ", ";
        text_ += is_whole ? whole_repr_of(value) : repr_of(value);
    }
    std::string text() const { return "[" + text_ + (count_ > most && !is_whole ? ", ...]" : "]"); }

private:
    static constexpr std::size_t most = 6;
    std::string text_;
    std::size_t count_ = 0;
};
template <class T>
struct Shown<std::vector<T>> {
    template <bool is_whole>
    static std::string list(const std::vector<T>& values) {
        ListText<is_whole> text;
        for (const T& value : values) text.add(value);
        return text.text();
    }
    static std::string shortened(const std::vector<T>& values) { return list<false>(values); }
    static std::string whole(const std::vector<T>& values) { return list<true>(values); }
};
template <class... T>
struct Shown<std::tuple<T...>> {
    template <bool is_whole>
    static std::string list(const std::tuple<T...>& values) {
        ListText<is_whole> text;
        std::apply([&](const T&... value) { (text.add(value), ...); }, values);
        return text.text();
    }
    static std::string shortened(const std::tuple<T...>& values) { return list<false>(values); }
    static std::string whole(const std::tuple<T...>& values) { return list<true>(values); }
};
template <class A, class B>
struct Shown<std::pair<A, B>> {
    static std::string shortened(const std::pair<A, B>& pair) {
        return "(" + repr_of(pair.first) + ", " + repr_of(pair.second) + ")";
    }
    static std::string whole(const std::pair<A, B>& pair) {
        return "(" + whole_repr_of(pair.first) + ", " + whole_repr_of(pair.second) + ")";
    }
};

}  // namespace detail

/// A number, a bool, a string or None as Python prints it: `-1`, `0.5`, `True`, `'a\n'`, `None`. A `char` is a string
/// of one. Python: repr(x).
template <class T>
requires(std::is_arithmetic_v<T> || detail::IsText<T> || std::is_same_v<T, std::nullopt_t>) std::string
    repr(const T& value) {
    return detail::whole_repr_of(value);
}
/// `(1, 'a')`
template <class A, class B>
std::string repr(const std::pair<A, B>& pair) {
    return detail::whole_repr_of(pair);
}
/// The results of `gather()` as Python prints the list that it gives: `[1, 'a', ValueError('boom')]`.
template <class... T>
std::string repr(const std::tuple<T...>& results) {
    return detail::whole_repr_of(results);
}
template <class T>
std::string repr(const std::vector<T>& results) {
    return detail::whole_repr_of(results);
}
/// What is in it, or `None`.
template <class T>
std::string repr(const std::optional<T>& value) {
    return value ? detail::whole_repr_of(*value) : "None";
}

}  // namespace asyncio
