#include "os/descriptor_lines.h"

#include <algorithm>
#include <cerrno>
#include <new>

namespace asyncio::detail {

/// Only the first is named.
void DescriptorLine::add_first(IoOperation& operation) noexcept {
    if (!line.empty() && line.front().reported) {
        line.front().reported = false;
        line.front().ReadyNode::unlink();
    }
    line.push_front(operation);
}

bool make_room(std::vector<IoEvent>& events, std::size_t count) noexcept {
    try {
        events.reserve(events.size() + std::max(count, events.size() + 4));
        return true;
    } catch (...) {
        return false;
    }
}

void check_some_are_told(const std::vector<IoEvent>& events) {
    if (events.empty()) throw std::bad_alloc();
}

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
