#include "os/choose_backend.h"

#include "os/epoll_backend.h"

namespace asyncio::detail {

std::unique_ptr<IoBackend> make_io_backend(IoBackendKind) { return std::make_unique<EpollBackend>(); }

}  // namespace asyncio::detail
