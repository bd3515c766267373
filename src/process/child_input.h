#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/stream_writer.h>

namespace asyncio::detail {

/// Writes all of it to a child, and closes. That the child does not read it is no error, but all else by which the pipe
/// was lost is. CPython: subprocess.py, Process._feed_stdin.
Coro<> feed(StreamWriter in, BytesLike input);

}  // namespace asyncio::detail
