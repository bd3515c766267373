#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::detail {

/// One step of a loop.
struct TracedStep {
    std::chrono::steady_clock::time_point begin = {};
    std::chrono::steady_clock::duration taken = {};
    std::uint32_t function = 0;  // its place in a trace's functions
    std::string task;            // empty: a callback
};

/// The coroutine of a task.
struct TracedFunction {
    std::string name;
    std::string place;  // "file:line"
};

/// What a trace file has of one loop.
struct TracePage {
    unsigned loop = 0;  // its number
    std::size_t dropped = 0;
    std::vector<TracedFunction> functions;
    std::vector<const TracedStep*> steps;  // as they came
};

/// The events of a page in Chrome's JSON form, a line each, with a comma between them.
std::string trace_events(const TracePage& page);
/// A string of JSON. What is no UTF-8 is taken for Latin-1.
std::string json_string(std::string_view text);

/// Writes a file of these events, or adds them to one that was written here. Throws OSError.
void write_trace(const std::string& path, const std::string& events);
void add_to_trace(const std::string& path, const std::string& events);

}  // namespace asyncio::detail
