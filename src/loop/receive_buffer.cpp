#include "loop/receive_buffer.h"

#include <new>
#include <utility>

namespace asyncio::detail {

char* ReceiveBuffer::memory() {
    if (!received_) {
        std::unique_ptr<Received> fresh(new Received);
        fresh->spare.reserve(size);
        received_ = std::move(fresh);
    }
    return received_->bytes;
}

void ReceiveBuffer::take(std::string& data, std::size_t length) noexcept {
    try {
        data.assign(received_->bytes, length);
    } catch (const std::bad_alloc&) {
        data = std::move(received_->spare);
        data.assign(received_->bytes, length);
        received_.reset();  // the next who receives needs memory for both, before the kernel is asked
    }
}

std::string ReceiveBuffer::take_spare(std::size_t wanted) noexcept {
    bool fits = wanted >= least_spare && wanted <= spare_.capacity() && wanted >= spare_.capacity() / 4;
    return fits ? std::exchange(spare_, {}) : std::string();
}

void ReceiveBuffer::keep_spare(std::string&& buffer) noexcept {
    if (buffer.capacity() < least_spare || buffer.capacity() > most_spare) return;
    if (buffer.capacity() <= spare_.capacity()) return;
    spare_ = std::move(buffer);
    spare_.clear();
}

}  // namespace asyncio::detail
