#include "net/write_buffer.h"

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {
constexpr std::size_t block_size = 16 * 1024;
}

void WriteBuffer::append(std::string_view data) {
    if (data.empty()) return;
    bool fits = !pieces_.empty() && pieces_.back().room() >= data.size();
    if (fits) {
        pieces_.back().own.append(data);
    } else {
        std::string block;
        block.reserve(std::max(data.size(), block_size));
        block.append(data);
        pieces_.emplace_back().own = std::move(block);
    }
    size_ += data.size();
}

void WriteBuffer::append(const GivenBytes& data, std::size_t sent) {
    std::string_view rest = data.view().substr(sent);
    if (!data.are_worth_keeping(rest.size())) return append(rest);
    Piece& piece = pieces_.emplace_back();
    if (data.text_ != nullptr) {
        piece.own = std::move(*data.text_);
    } else {
        piece.shared = *data.shared_;
    }
    if (empty()) begin_ = sent;
    size_ += rest.size();
}

std::size_t WriteBuffer::front(std::span<IoBuffer> parts) noexcept {
    std::size_t count = std::min(parts.size(), pieces_.size());
    for (std::size_t i = 0; i < count; ++i) {
        std::string_view piece = pieces_[i].view().substr(i == 0 ? begin_ : 0);
        parts[i] = {const_cast<char*>(piece.data()), piece.size()};
    }
    return count;
}

void WriteBuffer::drop(std::size_t size) noexcept {
    size_ -= size;
    begin_ += size;
    while (!pieces_.empty() && begin_ >= pieces_.front().view().size()) {
        begin_ -= pieces_.front().view().size();
        pieces_.pop_front();
    }
    if (pieces_.empty()) begin_ = 0;
}

void WriteBuffer::clear() noexcept {
    pieces_.clear();
    begin_ = size_ = 0;
}

}  // namespace asyncio::detail
