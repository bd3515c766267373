#include "os/descriptor_lines.h"

#include <cerrno>

namespace asyncio::detail {

void Reports::close(DescriptorLine& direction) noexcept {
    direction.ready = false;
    while (!direction.line.empty()) {
        IoOperation& operation = direction.line.pop_front();
        operation.closed = true;
        operation.result = -EBADF;
        closed_.push_back(operation);
        add(operation);
    }
}

void Reports::orphan(IoOperation::Line& line) noexcept {
    while (!line.empty()) line.front().orphan();
}

}  // namespace asyncio::detail
