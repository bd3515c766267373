#pragma once

#include <string>

namespace asyncio::detail {

/// The name of a type as it is written; that of one that is local to a coroutine, too.
std::string demangled(const char* mangled);

}  // namespace asyncio::detail
