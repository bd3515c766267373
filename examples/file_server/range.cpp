#include "range.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace {

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool is_number = !text.empty() && text[0] != '-' && error == std::errc() && end == text.data() + text.size();
    return is_number ? std::optional(value) : std::nullopt;
}

}  // namespace

RangeAnswer range_of(std::string_view header, std::int64_t file_size) {
    constexpr std::string_view unit = "bytes=";
    std::size_t dash = header.find('-');
    if (header.substr(0, unit.size()) != unit || dash == header.npos) return {};
    std::string_view before = header.substr(unit.size(), dash - unit.size());
    std::string_view after = header.substr(dash + 1);
    std::optional<std::int64_t> first = number(before);
    std::optional<std::int64_t> last = number(after);
    if ((!before.empty() && !first) || (!after.empty() && !last) || (!first && !last)) return {};
    if (first && last && *last < *first) return {};
    if (!first) {  // the last so many bytes
        if (*last == 0 || file_size == 0) return {416, 0, 0};
        std::int64_t size = std::min(*last, file_size);
        return {206, file_size - size, size};
    }
    if (*first >= file_size) return {416, 0, 0};
    std::int64_t end = last ? std::min(*last, file_size - 1) : file_size - 1;
    return {206, *first, end - *first + 1};
}
