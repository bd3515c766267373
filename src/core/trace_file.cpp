#include "core/trace_file.h"

#include <asyncio/errors/os_errors.h>

#include <cerrno>
#include <cstdio>
#include <memory>

namespace asyncio::detail {

namespace {

/// How many bytes the character at the beginning has; 0 if it is no UTF-8.
std::size_t length_of_character(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    std::size_t length = byte(0) < 0x80   ? 1
                         : byte(0) < 0xC2 ? 0
                         : byte(0) < 0xE0 ? 2
                         : byte(0) < 0xF0 ? 3
                         : byte(0) < 0xF5 ? 4
                                          : 0;
    if (length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    }
    bool is_overlong = (byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xF0 && byte(1) < 0x90);
    bool is_no_character = (byte(0) == 0xED && byte(1) > 0x9F) || (byte(0) == 0xF4 && byte(1) > 0x8F);
    return is_overlong || is_no_character ? 0 : length;
}

std::string microseconds(std::chrono::steady_clock::duration duration) {
    auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
    char text[40];
    std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(nanoseconds / 1000),
                  static_cast<long long>(nanoseconds % 1000));
    return text;
}

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void failed(const std::string& path) { throw_os_error(errno, {}, path); }

void write_all(File file, const std::string& path, std::string_view before, const std::string& events) {
    std::string text = std::string(before) + events + "\n]\n";
    if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) failed(path);
    if (std::fclose(file.release()) != 0) failed(path);
}

}  // namespace

std::string json_string(std::string_view text) {
    std::string json = "\"";
    while (!text.empty()) {
        auto first = static_cast<unsigned char>(text[0]);
        std::size_t length = length_of_character(text);
        if (text[0] == '"' || text[0] == '\\') {
            json += {'\\', text[0]};
        } else if (length == 0 || first < 0x20 || first == 0x7F) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(first));
            json += escape;
        } else {
            json += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return json + "\"";
}

std::string trace_events(const TracePage& page) {
    std::string tid = ",\"pid\":1,\"tid\":" + std::to_string(page.loop);
    std::string text = "{\"name\":\"thread_name\",\"ph\":\"M\"" + tid + ",\"args\":{\"name\":\"loop " +
                       std::to_string(page.loop) + "\"}}";
    if (page.dropped > 0 && !page.steps.empty()) {
        text += ",\n{\"name\":\"" + std::to_string(page.dropped) +
                " earlier steps were dropped\",\"ph\":\"i\",\"s\":\"t\",\"ts\":" +
                microseconds(page.steps.front()->begin.time_since_epoch()) + tid + "}";
    }
    std::vector<std::string> names;
    std::vector<std::string> places;
    for (const TracedFunction& function : page.functions) {
        names.push_back(json_string(function.name));
        places.push_back(json_string(function.place));
    }
    for (const TracedStep* step : page.steps) {
        bool is_callback = step->task.empty();
        text += ",\n{\"name\":" + (is_callback ? std::string("\"callback\"") : names[step->function]) +
                ",\"ph\":\"X\",\"ts\":" + microseconds(step->begin.time_since_epoch()) +
                ",\"dur\":" + microseconds(step->taken) + tid;
        if (!is_callback) {
            text += ",\"args\":{\"task\":" + json_string(step->task) + ",\"at\":" + places[step->function] + "}";
        }
        text += "}";
    }
    return text;
}

void write_trace(const std::string& path, const std::string& events) {
    File file(std::fopen(path.c_str(), "we"));
    if (!file) failed(path);
    write_all(std::move(file), path, "[\n", events);
}

void add_to_trace(const std::string& path, const std::string& events) {
    File file(std::fopen(path.c_str(), "r+e"));
    if (!file) failed(path);
    if (std::fseek(file.get(), -3, SEEK_END) != 0) failed(path);
    write_all(std::move(file), path, ",\n", events);
}

}  // namespace asyncio::detail
