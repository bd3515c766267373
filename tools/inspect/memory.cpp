#include "memory.h"

#include <algorithm>
#include <cstdio>

namespace inspect {

const unsigned char* Memory::page(Address address) {
    Address block_at = address / block_bytes * block_bytes;
    std::size_t index = (address - block_at) / page_bytes;
    auto place = blocks_.find(block_at);
    if (place == blocks_.end()) {
        if (blocks_.size() >= most_blocks) blocks_.clear();
        place = blocks_.emplace(block_at, new Block).first;  // its bytes are not cleared
    }
    Block& block = *place->second;
    std::uint32_t bit = std::uint32_t(1) << index;
    if ((block.is_known & bit) == 0) {
        std::size_t wanted = block_pages - index;
        std::size_t got =
            std::min(fetch(block_at + index * page_bytes, &block.bytes[index * page_bytes], wanted), wanted);
        for (std::size_t i = 0; i < got; ++i) block.is_there |= bit << i;
        for (std::size_t i = 0; i < std::min(got + 1, wanted); ++i) block.is_known |= bit << i;
    }
    return (block.is_there & bit) != 0 ? &block.bytes[index * page_bytes] : nullptr;
}

bool Memory::read(Address address, void* to, std::size_t size) {
    if (address + size < address) return false;
    auto* out = static_cast<unsigned char*>(to);
    while (size > 0) {
        const unsigned char* from = page(address);
        if (from == nullptr) return false;
        std::size_t skip = address % page_bytes;
        std::size_t part = std::min(size, page_bytes - skip);
        std::memcpy(out, from + skip, part);
        out += part;
        address += part;
        size -= part;
    }
    return true;
}

void Memory::forget(Address address, std::size_t size) noexcept {
    for (Address at = address / block_bytes * block_bytes; at < address + size; at += block_bytes) blocks_.erase(at);
}

std::string Memory::text(Address address, std::size_t most) {
    std::string found;
    while (address != 0 && found.size() < most) {
        const unsigned char* from = page(address);
        if (from == nullptr) return {};
        std::size_t skip = address % page_bytes;
        std::size_t part = std::min(most - found.size(), page_bytes - skip);
        const void* end = std::memchr(from + skip, 0, part);
        if (end != nullptr) part = static_cast<std::size_t>(static_cast<const unsigned char*>(end) - (from + skip));
        found.append(reinterpret_cast<const char*>(from + skip), part);
        if (end != nullptr) break;
        address += part;
    }
    return clean(found);
}

namespace {

/// How many bytes the character at `at` has; 0: none that may be printed.
std::size_t printable(const std::string& text, std::size_t at) {
    auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    unsigned first = byte(at);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    std::size_t size = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (size == 0 || first > 0xf4) return 0;
    unsigned code = first & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(at + i) & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte(at + i) & 0x3f);
    }
    constexpr unsigned least[] = {0, 0, 0xa0, 0x800, 0x10000};  // before 0xa0 are more control characters
    bool turns_writing = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[size] || code > 0x10ffff || is_surrogate || turns_writing ? 0 : size;
}

}  // namespace

std::string clean(const std::string& text) {
    std::string found;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t size = printable(text, at);
        if (size == 0) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(text[at]));
            found += escape;
            size = 1;
        } else {
            found.append(text, at, size);
        }
        at += size;
    }
    return found;
}

}  // namespace inspect
