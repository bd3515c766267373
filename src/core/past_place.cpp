#include "core/past_place.h"

#include "errors/function_name.h"
#include "loop/signal_thread.h"

#include <asyncio/errors/exceptions.h>

#include <cstdint>
#include <cstring>
#include <source_location>
#include <string_view>

namespace asyncio::detail {

namespace {

/// Something else may be where the module was.
bool is_printable(std::string text) {
    if (text.empty()) return false;
    std::erase_if(text,
                  [](char letter) { return letter == '\\' || letter == '\''; });  // for these, too, a \ is written
    return detail::quoted(text).find('\\') == text.npos;
}

/// To its end, page by page: what lies behind a text is not looked at.
std::string text_of_past(const char* from) {
    constexpr std::size_t longest = 64 * 1024;
    constexpr std::uintptr_t page = 4096;
    std::string text;
    while (text.size() < longest) {
        std::size_t left_in_page = page - reinterpret_cast<std::uintptr_t>(from) % page;
        char first;
        if (!read_safely(from, &first, sizeof first)) return "?";
        std::size_t length = ::strnlen(from, left_in_page);
        text.append(from, length);
        if (length < left_in_page) break;
        from += length;
    }
    return is_printable(text) ? text : "?";
}

}  // namespace

PastSource::PastSource(const std::source_location& location) {
    struct {
        const char* file;
        const char* function;
        std::uint_least32_t line;
        std::uint_least32_t column;
    } content;  // what a source_location points to, in both compilers
    const void* at;
    static_assert(sizeof at == sizeof location);
    std::memcpy(&at, &location, sizeof at);
    if (at == nullptr || !read_safely(at, &content, sizeof content)) return;
    signature = text_of_past(content.function);
    file = text_of_past(content.file);
    if (file != "?") line = static_cast<int>(content.line);
}

StackEntry past_stack_entry(const FramePlace& place) {
    PastSource function(place.function);
    PastSource at(place.await_at);
    return {function.signature == "?" ? "?" : function_name(function.signature), at.file, at.line, place.has_awaited()};
}

}  // namespace asyncio::detail
