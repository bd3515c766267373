#pragma once

namespace asyncio::detail {

/// Whether a sanitizer wants to see each block's life, so that `allocate` takes them from `operator new`.
bool every_block_is_watched() noexcept;

}  // namespace asyncio::detail
