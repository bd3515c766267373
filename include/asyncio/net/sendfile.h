#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/transports.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace asyncio {

/// Sends a file, given by its descriptor, over a transport, behind what was written before: as `sock_sendfile()` does,
/// and gives how many bytes it sent.
///
/// Meanwhile nothing is received, and `write()` throws RuntimeError. Throws RuntimeError if the transport is closing or
/// cannot do it; ConnectionError and the like when the connection is lost. Cancelled, a part of the file may have been
/// sent. Python: loop.sendfile.
Coro<std::size_t> sendfile(const WriteTransport& transport, int file, std::int64_t offset = 0,
                           std::optional<std::int64_t> count = std::nullopt, SendfileOptions options = {});

}  // namespace asyncio
