#pragma once

#include <cstddef>

namespace asyncio::detail {

/// write(), without the signal SIGPIPE where nobody reads. Gives what it gives, or a negative errno.
std::ptrdiff_t quiet_write(int fd, const void* data, std::size_t size) noexcept;

}  // namespace asyncio::detail
