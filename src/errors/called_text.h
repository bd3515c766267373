#pragma once

#include <asyncio/detail/invoke.h>

#include <string>

namespace asyncio::detail {

/// A callback as a reader knows it: the name of a plain function or method, where the program has its symbols, or its
/// type.
std::string text_of_called(const Called& called);

}  // namespace asyncio::detail
