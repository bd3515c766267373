#include "loop/choose_backend.h"

#include "os/epoll_backend.h"

#include <asyncio/errors/exceptions.h>
#ifdef ASYNCIO_HAS_IO_URING
#include "os/uring_backend.h"
#endif

#include <cstdlib>
#include <string_view>

namespace asyncio::detail {
namespace {

IoBackendKind kind_by_environment() {
    const char* value = std::getenv("ASYNCIO_IO_BACKEND");
    return value != nullptr && std::string_view(value) == "io_uring" ? IoBackendKind::io_uring : IoBackendKind::epoll;
}

}  // namespace

std::unique_ptr<IoBackend> make_io_backend(IoBackendKind kind) {
    if (kind == IoBackendKind::automatic) kind = kind_by_environment();
#ifdef ASYNCIO_HAS_IO_URING
    if (kind == IoBackendKind::io_uring && UringRing::is_usable()) {
        try {
            return std::make_unique<UringBackend>();
        } catch (const OSError&) {
        }
    }
#endif
    return std::make_unique<EpollBackend>();
}

}  // namespace asyncio::detail
