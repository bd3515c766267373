#pragma once

#include <asyncio/detail/count.h>
#include <asyncio/net/stream_writer.h>

#include <cstddef>
#include <memory>
#include <optional>

namespace asyncio::detail {

class Protocol;

/// When a protocol is told to pause its writing, and when to go on. CPython: transports.py, _FlowControlMixin.
class WaterMarks {
public:
    const WriteBufferLimits& limits() const noexcept { return limits_ ? *limits_ : normal; }
    /// Throws ValueError if `low` is above `high`.
    void set(std::optional<Count> high, std::optional<Count> low);
    /// So much is kept now.
    void has_risen(std::size_t size, Protocol& protocol) noexcept;
    void has_fallen(std::size_t size, Protocol& protocol) noexcept;

private:
    static constexpr WriteBufferLimits normal = {65536, 16384};
    std::unique_ptr<const WriteBufferLimits> limits_;  // null: the normal ones
    bool paused_ = false;
};

}  // namespace asyncio::detail
