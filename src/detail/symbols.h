#pragma once

#include <cstdint>
#include <string>

namespace asyncio::detail {

/// The symbol of the function that begins at this address, from the file of the program or library that it is in;
/// src/os has it. Empty if there is none, or the file is another one by now. Reads the file each time: for errors.
std::string symbol_at(std::uintptr_t code);

}  // namespace asyncio::detail
