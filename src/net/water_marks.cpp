#include "net/water_marks.h"

#include <asyncio/errors/exceptions.h>

#include <memory>
#include <string>

namespace asyncio::detail {

WriteBufferLimits write_buffer_limits_of(std::optional<Count> high, std::optional<Count> low, std::ptrdiff_t usual) {
    std::ptrdiff_t new_high = usual;
    if (high) {
        new_high = high->get();
    } else if (low) {
        new_high = low->get() > PTRDIFF_MAX / 4 ? PTRDIFF_MAX : 4 * low->get();
    }
    std::ptrdiff_t new_low = low ? low->get() : new_high < 0 ? -1 : new_high / 4;
    if (new_high < new_low || new_low < 0) {
        throw ValueError("high (" + std::to_string(new_high) + ") must be >= low (" + std::to_string(new_low) +
                         ") must be >= 0");
    }
    return {static_cast<std::size_t>(new_high), static_cast<std::size_t>(new_low)};
}

void WaterMarks::set(std::optional<Count> high, std::optional<Count> low) {
    limits_ = std::make_unique<const WriteBufferLimits>(write_buffer_limits_of(high, low, 64 * 1024));
}

}  // namespace asyncio::detail
