#include "detail/quiet_write.h"

#include "os/without_sigpipe.h"

#include <unistd.h>

#include <cerrno>

namespace asyncio::detail {

std::ptrdiff_t quiet_write(int fd, const void* data, std::size_t size) noexcept {
    WithoutSigpipe without_sigpipe;
    ssize_t written = ::write(fd, data, size);
    if (written < 0 ? errno == EAGAIN : static_cast<std::size_t>(written) == size) without_sigpipe.none_came();
    return written >= 0 ? written : -errno;
}

}  // namespace asyncio::detail
