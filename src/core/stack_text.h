#pragma once

#include <asyncio/core/stack.h>

#include <string>

namespace asyncio::detail {

/// As in format_stack(), with what is to stand behind the function.
std::string text_of_entry(const StackEntry& entry, const std::string& behind = {});

}  // namespace asyncio::detail
