#pragma once

#include <asyncio/loop/io_backend.h>

#include <memory>

namespace asyncio::detail {

/// One of the library's backends.
std::unique_ptr<IoBackend> make_io_backend(IoBackendKind kind);

}  // namespace asyncio::detail
