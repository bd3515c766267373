#pragma once

#include <asyncio/detail/far_ref.h>
#include <asyncio/net/bytes_like.h>

#include <cstddef>
#include <optional>
#include <string>

namespace asyncio {

namespace detail {

class TlsBytes;
void add_handle(TlsBytes& bytes) noexcept;
void drop_handle(TlsBytes& bytes) noexcept;

}  // namespace detail

/// Bytes on their way between an SSLObject and whoever carries them. A handle, for one thread. Python: ssl.MemoryBIO.
class MemoryBIO {
public:
    MemoryBIO();
    /// How many bytes are in it. Python: bio.pending.
    std::size_t pending() const noexcept;
    /// Nothing is there, and nothing will come.
    bool eof() const noexcept;
    /// At most `size` of them; none: all.
    std::string read(std::optional<std::size_t> size = {}) const;
    /// Throws SSLError after `write_eof()`.
    std::size_t write(BytesLike bytes) const;
    /// Nothing will come behind what is in it. Python: bio.write_eof().
    void write_eof() const noexcept;

    /// For the library.
    detail::TlsBytes& bytes() const noexcept { return *bytes_.get(); }

private:
    detail::FarRef<detail::TlsBytes> bytes_;
};

}  // namespace asyncio
