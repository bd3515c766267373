#include <asyncio/errors/repr.h>

#include "errors/demangled.h"

#include <asyncio/errors/exceptions.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace asyncio {
namespace detail {

std::string type_text(const std::type_info& type) {
    std::string name = demangled(type.name());
    if (name.starts_with("asyncio::")) name.erase(0, 9);
    return name;
}

std::string repr_of_integer(long long value) { return std::to_string(value); }
std::string repr_of_unsigned(unsigned long long value) { return std::to_string(value); }

std::string repr_of_double(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    // Python switches to an exponent at 1e16 and below 1e-4.
    double size = std::fabs(value);
    bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    char text[64];
    auto end =
        std::to_chars(text, text + sizeof text, value, plain ? std::chars_format::fixed : std::chars_format::scientific)
            .ptr;
    std::string result(text, end);
    if (plain && result.find('.') == std::string::npos) result += ".0";
    return result;
}

std::string repr_of_string(std::string_view text) {
    // Python's reprlib keeps 30 characters of a long one: the quoted start and end.
    constexpr std::size_t most = 30;
    std::string whole = detail::quoted(text.substr(0, most));
    if (text.size() <= most && whole.size() <= most) return whole;
    std::size_t head = (most - 3) / 2;
    std::size_t tail = most - 3 - head;
    std::string all = detail::quoted(text);
    if (all.size() <= most) return all;
    return all.substr(0, head) + "..." + all.substr(all.size() - tail);
}

std::string repr_of_whole_string(std::string_view text) { return detail::quoted(text); }

std::string repr_of_object(const std::type_info& type, const void* object) {
    char address[32];
    std::snprintf(address, sizeof address, "%p", object);
    return "<" + type_text(type) + " object at " + address + ">";
}

}  // namespace detail
}  // namespace asyncio
