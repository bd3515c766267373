#pragma once

#include <string>
#include <string_view>

namespace asyncio::detail {

/// `asyncio::Coro<int> ns::f(int) [with T = int]` is shown as `ns::f`, and a coroutine of the library as what the user
/// has called: `asyncio::with`.
std::string function_name(std::string_view whole_signature);
/// Whether it is a coroutine of the library's own, between the user's.
bool is_of_library(std::string_view whole_signature);

}  // namespace asyncio::detail
