#include "net/write_buffer.h"

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {
constexpr std::size_t block_size = 16 * 1024;
}

void WriteBuffer::append(std::string_view data) {
    if (data.empty()) return;
    bool fits = !blocks_.empty() && blocks_.back().capacity() - blocks_.back().size() >= data.size();
    if (fits) {
        blocks_.back().append(data);
    } else {
        std::string block;
        block.reserve(std::max(data.size(), block_size));
        block.append(data);
        blocks_.push_back(std::move(block));
    }
    size_ += data.size();
}

std::size_t WriteBuffer::front(std::span<IoBuffer> parts) noexcept {
    std::size_t count = std::min(parts.size(), blocks_.size());
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t begin = i == 0 ? begin_ : 0;
        parts[i] = {blocks_[i].data() + begin, blocks_[i].size() - begin};
    }
    return count;
}

void WriteBuffer::drop(std::size_t size) noexcept {
    size_ -= size;
    begin_ += size;
    while (!blocks_.empty() && begin_ >= blocks_.front().size()) {
        begin_ -= blocks_.front().size();
        blocks_.pop_front();
    }
    if (blocks_.empty()) begin_ = 0;
}

void WriteBuffer::clear() noexcept {
    blocks_.clear();
    begin_ = size_ = 0;
}

}  // namespace asyncio::detail
