#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace asyncio::detail {

/// `<asyncio.locks.Lock object at 0x7f5c [locked, waiters:2]>`: Python's repr of what is in asyncio/locks.py.
inline std::string describe(const char* type, const void* object, std::string extra) {
    char address[32];
    std::snprintf(address, sizeof address, "%p", object);
    return std::string("<asyncio.locks.") + type + " object at " + address + " [" + extra + "]>";
}

inline std::string with_waiters(std::string extra, std::size_t waiters) {
    if (waiters > 0) extra += ", waiters:" + std::to_string(waiters);
    return extra;
}

}  // namespace asyncio::detail
