#pragma once

#include "net/tls_layer.h"
#include "tls/handshake_turns.h"
#include "tls/tls_engine.h"
#include "tls/waiting_records.h"

#include <asyncio/context/context.h>
#include <asyncio/core/future.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/loop/scheduling.h>
#include <asyncio/net/protocols.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::detail {

class TlsProtocol;

/// TLS on a transport: what a protocol has as its own, and what the protocol of the transport below calls.
/// CPython: sslproto.py, SSLProtocol and _SSLProtocolTransport.
class TlsTransport final : public TlsLayer, public LoopResource {
public:
    TlsTransport(LoopCore& loop, SSLContextState& context, Ref<BaseProtocol> protocol, const TlsRequest& request,
                 bool is_connected);

    // For whoever puts it on a transport.
    Ref<BaseProtocol> lower_protocol() override;
    void set_waiter(Future<> waiter) noexcept override { waiter_ = std::move(waiter); }
    void feed(std::string_view data) override { engine_->incoming().append(data); }
    void take_over_pause() noexcept override;

    // What the protocol above does.
    void write(std::string_view data) override;
    void writelines(std::span<const BytesLike> lines) override;
    Coro<std::size_t> sendfile(int file, std::int64_t offset, std::optional<std::int64_t> count,
                               SendfileOptions options) override;
    void close() noexcept override;
    bool is_closing_below() const noexcept override {
        return lower_ && (lower_->is_closing() || lower_->is_closing_below());
    }
    void force_close(std::exception_ptr error) noexcept override;
    void set_protocol(Ref<BaseProtocol> protocol) override;
    BaseProtocol* protocol() const noexcept override { return protocol_.get(); }
    bool can_start_tls() const override { return true; }
    bool is_reading() const override { return !reading_paused_; }
    void pause_reading() override { reading_paused_ = true; }
    void resume_reading() override;
    std::size_t write_buffer_size() const override {
        return waiting_.size() + engine_->outgoing().pending() + unsaid_.size();
    }
    WriteBufferLimits write_buffer_limits() const override { return write_limits_; }
    void set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) override;
    int fileno() const noexcept override { return lower_ ? lower_->fileno() : -1; }
    ExtraInfo get_extra_info(std::string_view name) const override;
    std::string repr() const override;
    LoopCore& loop() const noexcept override { return *loop_; }
    void loop_is_closing() noexcept override { finish(); }

    // What the transport below tells.
    void connection_made(TransportState& lower);
    char* room_to_receive();
    void data_received(std::string_view data);
    bool eof_received();
    void connection_lost(std::exception_ptr error);
    void pause_writing() noexcept { lower_is_full_ = true; }
    void resume_writing();
    /// Nothing more will be told.
    void detached() noexcept;
    /// Another protocol has taken the place of its own below.
    void replaced() noexcept;

private:
    enum class State : std::uint8_t { unwrapped, handshake, wrapped, flushing, shutdown };
    enum class Told : std::uint8_t { nothing, made, eof, lost };  // to the protocol
    using Outcome = TlsEngine::Outcome;
    struct Received {
        std::size_t size = 0;
        Outcome outcome = Outcome::done;
        std::exception_ptr failure = nullptr;
    };

    struct Timer : TimerNode {
        explicit Timer(TlsTransport& its_transport) noexcept : transport(its_transport) {}
        TlsTransport& transport;
    };
    struct Turn : ReadyNode {
        Turn(TlsTransport& its_transport, Run on_turn) noexcept : ReadyNode(on_turn), transport(its_transport) {}
        TlsTransport& transport;
        ContextSlot context;
    };
    struct Handshake : HandshakeTurn, Pooled {
        explicit Handshake(TlsTransport& its_transport) noexcept
            : HandshakeTurn(&TlsTransport::handshake_goes_on, &TlsTransport::handshake_is_given_up),
              transport(its_transport) {}
        TlsTransport& transport;
    };
    ~TlsTransport() override;

    // Its life: tls_transport.cpp.
    void wake_waiter(std::exception_ptr error) noexcept;
    void wake_waiter_of_lost(std::exception_ptr error) noexcept;
    void start_timer(Seconds timeout, ReadyNode::Run run);
    void stop_timer() noexcept;
    void take_turn(Turn& turn) noexcept;
    void do_handshake();
    static void handshake_goes_on(HandshakeTurn& turn);
    static void handshake_is_given_up(HandshakeTurn& turn);
    void handshake_is_over();
    void handshake_failed(std::exception_ptr error);
    static void handshake_takes_too_long(ReadyNode& node);
    void start_shutdown() noexcept;
    void do_flush();
    void do_shutdown();
    Outcome say_goodbye();
    void send_last_outgoing();
    void shutdown_is_over();
    static void shutdown_takes_too_long(ReadyNode& node);
    static void closes_lower(ReadyNode& node);
    static void tells_loss(ReadyNode& node);
    void abort_lower(std::exception_ptr error) noexcept;
    void fail(std::exception_ptr error, const char* message);
    void finish() noexcept;

    // With whom: tls_peer.cpp. "… (handshake with example.org, 127.0.0.1:443)"
    std::string with_peer(std::string text, const char* how = "with") const;
    std::exception_ptr with_peer(std::exception_ptr error, const char* how) const noexcept;

    // A file: tls_sendfile.cpp.
    class FileTurn;
    void check_can_write(const char* function) const;
    void check_is_ours() const;
    static Coro<std::size_t> send_file(Ref<TlsTransport> self, int file, std::int64_t offset,
                                       std::optional<std::int64_t> count, SendfileOptions options);
    void wake_who_waits_for_room() noexcept;

    // What goes out: tls_transport_writing.cpp.
    void note_vain_write() noexcept;
    void write_all(std::string_view data);
    void write_lines(std::span<const BytesLike> lines);
    void encipher(std::string_view data);
    std::string_view encipher_what_goes(std::string_view data);
    void say_rest();
    template <class Encipher>
    void send(Encipher encipher_all);
    void send_outgoing();
    void pass_on(bool even_if_full = false);
    void drop_outgoing() noexcept;
    void control_writing();

    // What comes in: tls_transport_reading.cpp.
    Received read_clear(WritableBytes room);
    void do_read();
    void read_and_tell();
    bool read_for(BufferedProtocol& protocol);
    bool read_for(Protocol& protocol);
    bool goes_on_after(const Received& received);
    void call_eof_received();
    static void reads_on(ReadyNode& node);
    void control_lower_reading();
    bool is_reading_now() const noexcept {
        return !reading_paused_ && protocol_ && (state_ == State::wrapped || state_ == State::flushing);
    }
    /// The other end is gone, and what came from it was not read yet.
    bool is_unread() const noexcept { return state_ == State::flushing && lower_has_ended_ && !timer_.is_scheduled(); }

    LoopCore* loop_;
    Ref<BaseProtocol> protocol_;  // null when it is over
    Ref<TlsEngine> engine_;
    Ref<TransportState> lower_;            // null before the connection is made
    TlsProtocol* its_protocol_ = nullptr;  // as long as it lives
    Future<> waiter_;
    Future<> room_;  // ended when there is room for more of a file
    Seconds handshake_timeout_;
    Seconds shutdown_timeout_;
    WriteBufferLimits write_limits_{512 * 1024, 128 * 1024};
    Timer timer_;
    std::unique_ptr<Handshake> handshake_;  // a server's, until it is over
    Turn reads_on_;
    Turn closes_lower_;
    Turn tells_loss_;
    std::exception_ptr lost_by_;
    WaitingRecords waiting_;   // before what is outgoing
    std::string unsaid_;       // what TLS did not take: it is in the middle of a message of the other end
    std::size_t answers_ = 0;  // of what is outgoing: what the other end has us say by what it sends
    State state_ = State::unwrapped;
    Told told_;
    bool lower_is_over_ = false;
    bool lower_is_full_ = false;
    bool lower_reading_paused_ = false;
    bool lower_has_ended_ = false;
    bool reading_paused_ = false;
    bool writing_paused_ = false;
    bool is_over_ = false;
    bool sending_file_ = false;
    std::uint8_t vain_writes_ = 0;
    friend class TlsProtocol;
};

/// The protocol of the transport below.
class TlsProtocol final : public ProtocolBelowTls {
public:
    explicit TlsProtocol(TlsTransport& transport) noexcept : transport_(&transport) {}
    ~TlsProtocol() override {
        transport_->its_protocol_ = nullptr;
        transport_->replaced();
    }
    void connection_made(Transport transport) override { transport_->connection_made(*transport.handle().get()); }
    WritableBytes get_buffer(std::ptrdiff_t) override {
        room_ = transport_->room_to_receive();
        return {room_, ReceiveBuffer::size};
    }
    void buffer_updated(std::size_t size) override { transport_->data_received({room_, size}); }
    bool eof_received() override { return transport_->eof_received(); }
    void close_above() noexcept override { close_in_order(*transport_); }
    void pause_writing() override { transport_->pause_writing(); }
    void resume_writing() override { transport_->resume_writing(); }
    void connection_lost(std::exception_ptr error) override { transport_->connection_lost(std::move(error)); }
    void detached() noexcept override { transport_->detached(); }

private:
    Ref<TlsTransport> transport_;
    char* room_ = nullptr;
};

}  // namespace asyncio::detail
