#pragma once

#include <cstddef>

namespace asyncio::detail {

// What the pool wants of the operating system; src/os has it.

/// Zeroed memory, aligned to its size, which is a power of two. Null where there is no more.
void* map_memory(std::size_t size) noexcept;

/// Gives back what `map_memory(size)` gave. False, and nothing is done, if the system has no memory for that.
bool unmap_memory(void* begin, std::size_t size) noexcept;

/// Gives the whole pages in [begin, begin + size) back to the system, which has zeros there for the next who writes.
/// False if it does not take them, as those that are locked.
bool discard_memory(void* begin, std::size_t size) noexcept;

std::size_t memory_page_bytes() noexcept;

/// Has the functions called by each fork(): before it, and after it in the parent and in the child. False if there is
/// no memory for that.
bool call_at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

}  // namespace asyncio::detail
