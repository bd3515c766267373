#pragma once

#include <asyncio/detail/count.h>
#include <asyncio/detail/counted.h>
#include <asyncio/net/stream_writer.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// Bytes to and from elsewhere, for the protocol that stands on it. CPython: transports.py, Transport.
///
/// It has a share of itself until the connection is over; who asks it something later still gets an answer.
class Transport : public Counted {
public:
    /// Sends at once what goes and keeps the rest. Throws RuntimeError after `write_eof()`.
    virtual void write(std::string_view data) = 0;
    virtual void writelines(std::span<const BytesLike> lines) = 0;
    virtual void write_eof() = 0;
    /// Sends what is kept, then ends. `connection_lost()` comes in a later pass.
    virtual void close() noexcept = 0;
    /// Drops what is kept.
    virtual void abort() noexcept = 0;
    bool is_closing() const noexcept { return closing_; }

    virtual bool is_reading() const noexcept = 0;
    virtual void pause_reading() noexcept = 0;
    virtual void resume_reading() noexcept = 0;
    /// Receives, now, what was offered to the protocol a pass ago.
    virtual void receive_late() noexcept = 0;

    virtual std::size_t write_buffer_size() const noexcept = 0;
    virtual WriteBufferLimits write_buffer_limits() const noexcept = 0;
    virtual void set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) = 0;

    virtual int fileno() const noexcept = 0;
    virtual ExtraInfo get_extra_info(std::string_view name) const = 0;
    virtual std::string repr() const = 0;

protected:
    Transport() noexcept : Counted(1) {}  // its own
    ~Transport() override = default;

    bool closing_ = false;  // close() was called, or it failed
};

/// Its representation; nothing if there is no memory for it, where there is more to do than to tell.
std::string repr_or_nothing(const Transport& transport) noexcept;

}  // namespace asyncio::detail
