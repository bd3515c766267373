#pragma once

#include "detail/kept_by_thread.h"

#include <cstddef>
#include <memory>
#include <utility>

namespace asyncio::detail {

/// Memory for what is deciphered and handed on at once, or put together and enciphered. A thread keeps one of them.
class ClearText {
public:
    static constexpr std::size_t size = 64 * 1024;

    ClearText() {
        if (Bytes* kept = KeptByThread<Bytes>::get_or_null()) bytes_ = std::move(*kept);
        if (!bytes_) bytes_.reset(new char[size]);
    }
    ~ClearText() {
        if (Bytes* kept = KeptByThread<Bytes>::get_or_null()) *kept = std::move(bytes_);
    }
    ClearText(const ClearText&) = delete;
    ClearText& operator=(const ClearText&) = delete;
    char* bytes() const noexcept { return bytes_.get(); }

private:
    using Bytes = std::unique_ptr<char[]>;
    Bytes bytes_;
};

}  // namespace asyncio::detail
