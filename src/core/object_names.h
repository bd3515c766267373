#pragma once

#include <string>

namespace asyncio::detail {

/// Of a `Named` object; else empty, or if the names are just being changed, as a debugger may find them.
std::string name_of_object(const void* object);

}  // namespace asyncio::detail
