#include <asyncio/loop/io_backend.h>

#include <atomic>

namespace asyncio {

std::uint32_t detail::next_descriptor_serial() noexcept {
    static std::atomic<std::uint32_t> last = 0;
    std::uint32_t serial = 0;
    while (serial == 0) serial = last.fetch_add(1, std::memory_order_relaxed) + 1;
    return serial;
}

bool IoOperation::start(IoBackend& backend) {
    if (backend.submit(*this)) return true;
    backend_ = &backend;
    return false;
}

bool IoOperation::finish() {
    if (!backend_->collect(*this)) return false;
    backend_ = nullptr;
    return true;
}

void IoOperation::stop() noexcept {
    if (backend_ == nullptr) return;
    ReadyNode::unlink();
    backend_->cancel(*this);
    backend_ = nullptr;
}

void IoOperation::orphan() noexcept {
    ReadyNode::unlink();
    ListHook<detail::IoLine>::unlink();
    backend_ = nullptr;
}

}  // namespace asyncio
