#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/detail/count.h>
#include <asyncio/detail/counted.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/transports.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace asyncio::detail {

class GivenBytes;
class LoopCore;

/// What all handles of one transport share: bytes to and from elsewhere, for the protocol that stands on it.
///
/// It has a share of itself until the connection is over; who asks it something later still gets an answer. What it
/// cannot do throws NotImplementedError. CPython: transports.py, Transport.
class TransportState : public Counted {
public:
    /// Sends what is kept, then ends. `connection_lost()` comes in a later pass.
    virtual void close() noexcept = 0;
    /// Drops what is kept.
    void abort() noexcept { force_close(nullptr); }
    /// The same because of an error, which `connection_lost()` is given.
    virtual void force_close(std::exception_ptr error) noexcept = 0;
    bool is_closing() const noexcept { return closing_; }
    /// Nothing when it is over. Throws TypeError for a protocol of another kind.
    virtual void set_protocol(Ref<BaseProtocol> protocol) = 0;
    /// Null when it is over.
    virtual BaseProtocol* protocol() const noexcept = 0;

    /// Sends at once what goes and keeps the rest. Throws RuntimeError after `write_eof()`.
    virtual void write(std::string_view data);
    /// The same; what has to be kept may be taken instead of copied.
    virtual void write_given(const GivenBytes& data);
    virtual void writelines(std::span<const BytesLike> lines);
    virtual void write_eof();
    virtual bool can_write_eof() const;
    virtual Coro<std::size_t> sendfile(int file, std::int64_t offset, std::optional<std::int64_t> count,
                                       SendfileOptions options);
    virtual void sendto(std::string_view data, const SocketAddress* address);
    virtual void send_batch(std::span<const Datagram> datagrams);
    virtual void send_segments(std::string_view data, std::size_t segment_size, const SocketAddress* address);

    virtual bool is_reading() const;
    virtual void pause_reading();
    virtual void resume_reading();
    /// Receives, now, what was offered to a stream a pass ago.
    virtual void receive_late() noexcept {}

    /// Whether TLS can be put on it later.
    virtual bool can_start_tls() const { return false; }
    /// Whether `start_tls()` of it is under way, or is over and TLS writes to it.
    enum class Tls : std::uint8_t { none, begins, carries };
    Tls tls() const noexcept { return tls_; }
    void set_tls(Tls tls) noexcept { tls_ = tls; }
    /// For what the program writes. Throws RuntimeError if it would go out in the clear.
    void check_is_not_under_tls() const {
        if (tls_ != Tls::none && !closing_) refuse_clear_text();
    }

    virtual std::size_t write_buffer_size() const;
    virtual WriteBufferLimits write_buffer_limits() const;
    virtual void set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low);

    virtual int fileno() const noexcept = 0;
    virtual ExtraInfo get_extra_info(std::string_view name) const = 0;
    virtual std::string repr() const = 0;
    virtual LoopCore& loop() const noexcept = 0;

    /// Whether what it stands on is closing: then it will be over, too.
    virtual bool is_closing_below() const noexcept { return false; }
    /// What the TLS that stands on it writes: it is no clear text.
    virtual void write_records(const GivenBytes& data) { write_given(data); }

protected:
    TransportState() noexcept : Counted(1) {}  // its own
    ~TransportState() override = default;

    /// What the program writes is dropped, since what is still sent is a part of TLS.
    bool is_closing_under_tls() const noexcept { return closing_ && tls_ != Tls::none; }

    bool closing_ = false;  // close() was called, or it failed

private:
    [[noreturn]] void refuse_clear_text() const;

    Tls tls_ = Tls::none;
};

/// What a transport is lost by.
std::exception_ptr os_error_or_lack_of_memory(int error) noexcept;

/// Its representation; nothing if there is no memory for it, where there is more to do than to tell.
std::string repr_or_nothing(const TransportState& transport) noexcept;

}  // namespace asyncio::detail
