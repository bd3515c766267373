#include "core/past_place.h"

#include "core/function_name.h"
#include "loop/signal_thread.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <string_view>

namespace asyncio::detail {

namespace {

/// As far as it can be read.
std::string text_of_past(const char* from) {
    constexpr std::size_t longest = 4096;
    constexpr std::uintptr_t page = 4096;
    std::string text;
    while (text.size() < longest) {
        char part[64];
        std::uintptr_t left_in_page = page - reinterpret_cast<std::uintptr_t>(from) % page;
        std::size_t size = std::min(sizeof part, static_cast<std::size_t>(left_in_page));
        if (!read_safely(from, part, size)) return "?";
        std::size_t length = std::string_view(part, size).find('\0');
        text.append(part, std::min(length, size));
        if (length != std::string_view::npos) break;
        from += size;
    }
    return text;
}

}  // namespace

PastPlace::PastPlace(const FramePlace& place) {
    struct {
        const char* file;
        const char* function;
        std::uint_least32_t line;
        std::uint_least32_t column;
    } content;  // what a source_location points to, in both compilers
    auto read = [&](const std::source_location& location) {
        const void* at;
        static_assert(sizeof at == sizeof location);
        std::memcpy(&at, &location, sizeof at);
        return at != nullptr && read_safely(at, &content, sizeof content);
    };
    if (read(place.function)) signature = text_of_past(content.function);
    if (!read(place.await_at)) return;
    file = text_of_past(content.file);
    line = static_cast<int>(content.line);
}

StackEntry PastPlace::entry() const { return {signature == "?" ? "?" : function_name(signature), file, line}; }

}  // namespace asyncio::detail
