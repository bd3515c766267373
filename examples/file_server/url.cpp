#include "url.h"

#include <strings.h>

#include <algorithm>

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = static_cast<char>(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Nothing if it is not well formed.
std::optional<std::string> percent_decoded(std::string_view text) {
    std::string all;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (c == '\0') return std::nullopt;  // a path would end there
        all += c;
    }
    return all;
}

}  // namespace

std::string_view scheme_and_host(std::string_view target) {
    constexpr std::string_view scheme = "http://";
    bool is_url = target.size() >= scheme.size() && ::strncasecmp(target.data(), scheme.data(), scheme.size()) == 0;
    return is_url ? target.substr(0, target.find_first_of("/?", scheme.size())) : std::string_view();
}

std::optional<std::string> path_of(std::string_view target) {
    if (std::size_t size = scheme_and_host(target).size(); size > 0) {
        target.remove_prefix(size);
        if (target.empty() || target.front() == '?') return "/";
    }
    target = target.substr(0, target.find('?'));
    std::optional<std::string> path = percent_decoded(target);
    if (!path || path->empty() || path->front() != '/') return std::nullopt;
    path->erase(0, std::min(path->find_first_not_of('/'), path->size()) - 1);
    return path;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view marks = "-._~/", digits = "0123456789ABCDEF";
    std::string all;
    for (char c : text) {
        bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
        if (is_plain) {
            all += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            all += {'%', digits[byte / 16], digits[byte % 16]};
        }
    }
    return all;
}

std::string html_escaped(std::string_view text) {
    std::string all;
    for (char c : text) {
        switch (c) {
            case '&':
                all += "&amp;";
                break;
            case '<':
                all += "&lt;";
                break;
            case '>':
                all += "&gt;";
                break;
            case '"':
                all += "&quot;";
                break;
            default:
                all += c;
        }
    }
    return all;
}
