#pragma once

#include <asyncio/detail/slot.h>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// Contiguous bytes of any name: std::string, std::vector<std::byte>, std::span<unsigned char> …
template <class Range>
concept ByteRange = requires(Range& range) {
    range.data();
    { range.size() } -> std::convertible_to<std::size_t>;
}
&&sizeof(*std::declval<Range&>().data()) == 1 &&
    std::is_trivially_copyable_v<std::remove_reference_t<decltype(*std::declval<Range&>().data())>>;

template <class Range>
concept WritableByteRange =
    ByteRange<Range> && !std::is_const_v<std::remove_reference_t<decltype(*std::declval<Range&>().data())>>;

}  // namespace detail

/// Bytes to be read: a string, a vector or span of a type of one byte, a string literal. Refers to them, like a
/// std::string_view. Python: a bytes-like object.
class BytesLike {
public:
    constexpr BytesLike() noexcept = default;
    constexpr BytesLike(const char* text) : bytes_(text) {}
    constexpr BytesLike(std::string_view bytes) noexcept : bytes_(bytes) {}
    BytesLike(const void* data, std::size_t size) noexcept : bytes_(static_cast<const char*>(data), size) {}
    template <class Range>
    requires(detail::ByteRange<const Range> && !std::is_array_v<Range> && !std::convertible_to<Range, std::string_view>)
        BytesLike(const Range& range)
    noexcept : BytesLike(static_cast<const void*>(range.data()), range.size()) {}
    BytesLike(const std::string& bytes) noexcept : bytes_(bytes) {}
    /// All of an array of bytes that are no text.
    template <class Byte, std::size_t size>
    requires(sizeof(Byte) == 1 && std::is_trivially_copyable_v<Byte> && !std::same_as<Byte, char>)
        BytesLike(const Byte (&array)[size])
    noexcept : BytesLike(static_cast<const void*>(array), size) {}

    /// Where they are; may be null if there are none.
    const char* data() const noexcept { return bytes_.data(); }
    /// How many bytes.
    std::size_t size() const noexcept { return bytes_.size(); }
    /// Whether there are none.
    bool empty() const noexcept { return bytes_.empty(); }
    /// As a std::string_view.
    std::string_view view() const noexcept { return bytes_; }

private:
    std::string_view bytes_;
};

/// Bytes to be filled: a std::span, a std::string, a vector or array, or a pointer and a size. Refers to them.
/// Python: a writable bytes-like object.
class WritableBytes {
public:
    constexpr WritableBytes() noexcept = default;
    WritableBytes(void* data, std::size_t size) noexcept : data_(static_cast<char*>(data)), size_(size) {}
    template <class Byte, std::size_t size>
    requires(sizeof(Byte) == 1 && !std::is_const_v<Byte>) WritableBytes(Byte (&array)[size])
    noexcept : WritableBytes(static_cast<void*>(array), size) {}
    template <class Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, WritableBytes> && detail::WritableByteRange<Range>)
        WritableBytes(Range&& range)
    noexcept : WritableBytes(static_cast<void*>(range.data()), range.size()) {}

    /// Where they are to be written; may be null if there is no room.
    char* data() const noexcept { return data_; }
    /// The room, in bytes.
    std::size_t size() const noexcept { return size_; }
    /// What is left behind the first `count` bytes.
    WritableBytes from(std::size_t count) const noexcept { return {data_ + count, size_ - count}; }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

template <>
inline constexpr bool is_argument<BytesLike> = true;

/// Bytes that an operation sends while it waits: kept if they were given away, else referred to.
class KeptBytes {
public:
    KeptBytes(BytesLike bytes) noexcept : bytes_(bytes) {}
    explicit KeptBytes(std::string&& bytes) noexcept : kept_(std::move(bytes)), is_kept_(true) {}
    KeptBytes(KeptBytes&&) noexcept = default;
    KeptBytes(const KeptBytes&) = default;
    BytesLike get() const noexcept { return is_kept_ ? BytesLike(kept_) : bytes_; }

private:
    std::string kept_;
    BytesLike bytes_;
    bool is_kept_ = false;
};

}  // namespace detail
}  // namespace asyncio
