#pragma once

#include "loop/choose_backend.h"

#include <asyncio/loop/io_backend.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace support {

/// The usual I/O backend, for a test that wants to have a hand in some of its calls.
class WrappedBackend : public asyncio::IoBackend {
public:
    std::string_view name() const noexcept override { return inner_->name(); }
    bool submit(asyncio::IoOperation& operation) noexcept override { return inner_->submit(operation); }
    bool collect(asyncio::IoOperation& operation) noexcept override { return inner_->collect(operation); }
    void cancel(asyncio::IoOperation& operation) noexcept override { inner_->cancel(operation); }
    void closing(asyncio::IoDescriptor descriptor) noexcept override { inner_->closing(descriptor); }
    void watch(int fd, bool readable, bool writable) override { inner_->watch(fd, readable, writable); }
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<asyncio::IoEvent>& events) override {
        inner_->wait(timeout, events);
    }
    void wake() noexcept override { inner_->wake(); }

private:
    std::unique_ptr<asyncio::IoBackend> inner_ = asyncio::detail::make_io_backend(asyncio::IoBackendKind::automatic);
};

}  // namespace support
