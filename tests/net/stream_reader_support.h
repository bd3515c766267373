#pragma once

#include <asyncio/net/stream_reader.h>

#include <cstdint>
#include <string>

#include "support/run_test.h"

namespace support {

inline const std::string data = "line1\nline2\nline3\n";

inline std::string rest(const asyncio::StreamReader& reader) { return std::string(reader.state()->available()); }

inline asyncio::StreamReader new_reader(std::int64_t limit = 65536) {
    return asyncio::StreamReader(asyncio::StreamReaderOptions{.limit = limit});
}

/// Awaits it, and gives what it gives, or what it throws as Python would show it.
template <class Read>
asyncio::Coro<std::string> result_of(Read read) {
    std::string result;
    try {
        result = co_await read;
    } catch (...) {
        result = caught();
    }
    co_return result;
}

}  // namespace support
