#pragma once

#include <cstdint>
#include <string_view>

/// What is to be sent of a file: with status 206 a part, with 200 the whole, with 416 nothing.
struct RangeAnswer {
    int status = 200;
    std::int64_t first = 0;
    std::int64_t size = 0;
};

/// Understands one range, `bytes=2-5`, `bytes=2-` or `bytes=-3`. Several, and what is no range at all, mean the whole
/// file, as RFC 9110 allows.
RangeAnswer range_of(std::string_view header, std::int64_t file_size);
