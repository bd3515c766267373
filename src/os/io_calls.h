#pragma once

#include <asyncio/loop/io_operation.h>

#include <sys/socket.h>

namespace asyncio::detail {

/// Makes the system call of an operation, which never blocks. True: it is over, and `result` is set. False: it would
/// have to wait for its descriptor.
bool perform(IoOperation& operation) noexcept;

/// Whether a send that is over could not hand over all of its bytes: there is no room for more.
bool was_cut_short(const IoOperation& operation) noexcept;

/// Whether an accept failed for want of a descriptor or of memory, which the kernel looks for before it looks for a
/// connection.
bool lacked_means_to_accept(const IoOperation& operation) noexcept;
bool is_lack_of_means_to_accept(int error) noexcept;

/// Whose connection it is, also if the peer has reset it already. Zero if that is not known.
socklen_t peer_name(int fd, void* address, socklen_t room) noexcept;

}  // namespace asyncio::detail
