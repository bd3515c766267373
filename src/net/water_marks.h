#pragma once

#include <asyncio/detail/count.h>
#include <asyncio/net/transports.h>

#include <cstddef>
#include <memory>
#include <optional>

namespace asyncio::detail {

/// What `set_write_buffer_limits()` asks for; `usual` is the higher mark if it names none. Throws ValueError if `low`
/// is above `high`.
WriteBufferLimits write_buffer_limits_of(std::optional<Count> high, std::optional<Count> low, std::ptrdiff_t usual);

/// When a protocol is told to pause its writing, and when to go on. CPython: transports.py, _FlowControlMixin.
class WaterMarks {
public:
    const WriteBufferLimits& limits() const noexcept { return limits_ ? *limits_ : normal; }
    /// Throws ValueError if `low` is above `high`.
    void set(std::optional<Count> high, std::optional<Count> low);
    /// So much is kept now. True: the protocol is to be told.
    bool has_risen(std::size_t size) noexcept {
        if (paused_ || size <= limits().high) [[likely]]
            return false;
        return paused_ = true;
    }
    bool has_fallen(std::size_t size) noexcept {
        if (!paused_ || size > limits().low) return false;
        paused_ = false;
        return true;
    }

private:
    static constexpr WriteBufferLimits normal = {65536, 16384};
    std::unique_ptr<const WriteBufferLimits> limits_;  // null: the normal ones
    bool paused_ = false;
};

}  // namespace asyncio::detail
