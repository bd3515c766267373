#pragma once

#include <asyncio/loop/io_operation.h>

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// Bytes that could not be sent yet, in blocks that never move: many small writes go out in one system call.
class WriteBuffer {
public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    void append(std::string_view data);
    /// Names the first bytes in up to `parts.size()` pieces, and gives how many.
    std::size_t front(std::span<IoBuffer> parts) noexcept;
    void drop(std::size_t size) noexcept;
    void clear() noexcept;

private:
    std::deque<std::string> blocks_;
    std::size_t begin_ = 0;  // in the first
    std::size_t size_ = 0;
};

}  // namespace asyncio::detail
