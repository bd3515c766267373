#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio {

namespace detail {

/// What all copies of a SharedBytes share.
class SharedBytesState : public Pooled {
public:
    explicit SharedBytesState(std::string&& text) noexcept : bytes(std::move(text)) {}
    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
    }

    const std::string bytes;

private:
    unsigned references_ = 0;
};

}  // namespace detail

/// Bytes that never change, and that all copies share: for what many connections are sent, such as a message of a chat
/// or a file that is in memory. `write()` keeps such a copy and not one of the bytes. Copies may be in several threads.
///
/// Python: bytes, of which a reference is kept.
class SharedBytes {
public:
    SharedBytes() noexcept = default;
    /// Takes the string over.
    explicit SharedBytes(std::string bytes) : state_(new detail::SharedBytesState(std::move(bytes))) {}

    /// Valid as long as a copy is there.
    std::string_view view() const noexcept { return state_ ? std::string_view(state_->bytes) : std::string_view(); }
    /// Where they are; valid as long as a copy is there.
    const char* data() const noexcept { return view().data(); }
    /// How many bytes.
    std::size_t size() const noexcept { return view().size(); }
    /// Whether there are none.
    bool empty() const noexcept { return view().empty(); }
    friend bool operator==(const SharedBytes& a, const SharedBytes& b) noexcept { return a.view() == b.view(); }

private:
    detail::Ref<detail::SharedBytesState> state_;
};

}  // namespace asyncio
