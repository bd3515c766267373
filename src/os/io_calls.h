#pragma once

#include <asyncio/loop/io_operation.h>

namespace asyncio::detail {

/// Makes the system call of an operation, which never blocks. True: it is over, and `result` is set. False: it would
/// have to wait for its descriptor.
bool perform(IoOperation& operation) noexcept;

/// Whether a send that is over could not hand over all of its bytes: there is no room for more.
bool was_cut_short(const IoOperation& operation) noexcept;

}  // namespace asyncio::detail
