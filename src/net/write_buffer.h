#pragma once

#include <asyncio/loop/io_operation.h>
#include <asyncio/net/shared_bytes.h>

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// Bytes that may be taken instead of copied, if they have to be kept: a string that was given away, which is left
/// alone otherwise, or what is shared. Refers to them.
class GivenBytes {
public:
    explicit GivenBytes(std::string& text) noexcept : text_(&text), held_(text.capacity()) {}
    explicit GivenBytes(const SharedBytes& bytes) noexcept : shared_(&bytes), held_(bytes.size()) {}
    std::string_view view() const noexcept { return text_ != nullptr ? std::string_view(*text_) : shared_->view(); }
    /// Whether it is better to keep all of them than to copy the last `size`.
    bool are_worth_keeping(std::size_t size) const noexcept { return size >= 4096 && size >= held_ / 4; }

private:
    friend class WriteBuffer;
    std::string* text_ = nullptr;
    const SharedBytes* shared_ = nullptr;
    std::size_t held_;
};

/// Bytes that could not be sent yet, in pieces that never move: many small writes go out in one system call, and what
/// was given away goes from where it is.
class WriteBuffer {
public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    void append(std::string_view data);
    /// All but the first `sent` bytes, which are none unless the buffer is empty. If it throws nothing was taken.
    void append(const GivenBytes& data, std::size_t sent);
    /// Names the first bytes in up to `parts.size()` pieces, and gives how many.
    std::size_t front(std::span<IoBuffer> parts) noexcept;
    void drop(std::size_t size) noexcept;
    void clear() noexcept;

private:
    struct Piece {
        std::string own;
        SharedBytes shared;  // or this
        std::string_view view() const noexcept { return shared.empty() ? std::string_view(own) : shared.view(); }
        std::size_t room() const noexcept { return shared.empty() ? own.capacity() - own.size() : 0; }
    };
    std::deque<Piece> pieces_;
    std::size_t begin_ = 0;  // in the first
    std::size_t size_ = 0;
};

}  // namespace asyncio::detail
