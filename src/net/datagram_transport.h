#pragma once

#include "net/datagram_batch.h"
#include "net/kept_addresses.h"
#include "net/transport_state.h"
#include "net/water_marks.h"

#include <asyncio/context/context.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/io_operation.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/net/datagrams.h>
#include <asyncio/net/socket.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>

namespace asyncio::detail {

/// A transport over a datagram socket. CPython: selector_events.py, _SelectorDatagramTransport.
///
/// It receives all the time, one datagram a pass, or as many as a DatagramBatchProtocol takes, and sends at once what
/// it can. An error of one datagram is told, and ends nothing.
class DatagramTransportState final : public TransportState, public LoopResource {
public:
    /// `target` is the only address that may be sent to; none: any.
    DatagramTransportState(LoopCore& loop, Socket socket, Ref<DatagramProtocol> protocol, const SocketAddress& target);

    /// Connected, in the current context, and begins to receive, in the next pass. Then wakes `waiter`.
    void begin(Waiter* waiter) noexcept;
    void forget_waiter() noexcept {
        if (beginning_) beginning_->waiter = nullptr;
    }

    void close() noexcept override;
    void force_close(std::exception_ptr error) noexcept override;
    void set_protocol(Ref<BaseProtocol> protocol) override;
    BaseProtocol* protocol() const noexcept override { return protocol_.get(); }

    void sendto(std::string_view data, const SocketAddress* address) override;
    void send_batch(std::span<const Datagram> datagrams) override;
    void send_segments(std::string_view data, std::size_t segment_size, const SocketAddress* address) override;

    bool is_reading() const noexcept override { return !closing_ && !paused_; }
    void pause_reading() noexcept override;
    void resume_reading() noexcept override;

    std::size_t write_buffer_size() const noexcept override { return backlog_ ? backlog_->size : 0; }
    WriteBufferLimits write_buffer_limits() const noexcept override { return marks_.limits(); }
    void set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) override;

    int fileno() const noexcept override { return socket_->fd; }
    ExtraInfo get_extra_info(std::string_view name) const override;
    std::string repr() const override;
    LoopCore& loop() const noexcept override { return *loop_; }
    void loop_is_closing() noexcept override;

private:
    static void begins(ReadyNode& node);
    struct Beginning : ReadyNode, Pooled {
        explicit Beginning(DatagramTransportState& its_transport) noexcept
            : ReadyNode(&DatagramTransportState::begins), transport(its_transport) {}
        DatagramTransportState& transport;
        Waiter* waiter = nullptr;
        ContextSlot context;
    };
    struct Operation : IoOperation {
        Operation(IoCall what, Run on_report, DatagramTransportState& its_transport) noexcept
            : IoOperation(what, on_report), transport(its_transport) {}
        DatagramTransportState& transport;
    };
    /// After many errors in a row: so that one that does not end leaves time for others.
    struct Retry : TimerNode, Pooled {
        explicit Retry(DatagramTransportState& its_transport) noexcept
            : TimerNode(&DatagramTransportState::try_again), transport(its_transport) {}
        DatagramTransportState& transport;
    };
    struct Kept {
        std::string data;
        SocketAddress address;  // none: the socket is connected
    };
    /// What could not be sent yet. Empty for a pass after an error, as in CPython.
    struct Backlog : Pooled {
        explicit Backlog(DatagramTransportState& transport)
            : send(IoCall::send_many, &DatagramTransportState::is_writable, transport) {
            send.descriptor = transport.receive_.descriptor;
            send.at_once = false;
        }
        std::deque<Kept> datagrams;
        std::size_t size = 0;
        Operation send;
    };
    static constexpr std::size_t header_size = 8;  // CPython: what a datagram counts beside its bytes
    ~DatagramTransportState() override;

    void take_protocol(Ref<DatagramProtocol> protocol);

    // Its life.
    void end_of_beginning() noexcept;
    void fail(int error) noexcept;
    void schedule_end() noexcept;
    static void connection_is_lost(ReadyNode& node);
    void lose_connection(std::exception_ptr error);
    void disconnect() noexcept;
    void leave_descriptor() noexcept;
    bool is_over() const noexcept { return !protocol_; }

    /// The context of the protocol's calls, while one is under way: if the endpoint is closed in it, that has another.
    class CallContext {
    public:
        explicit CallContext(DatagramTransportState& transport) noexcept
            : transport_(transport), slot(std::move(transport.context_)) {}
        ~CallContext() {
            if (transport_.conn_lost_ == 0) transport_.context_ = std::move(slot);
        }
        CallContext(const CallContext&) = delete;

    private:
        DatagramTransportState& transport_;

    public:
        ContextSlot slot;
    };

    // Receiving.
    static void is_readable(ReadyNode& node);
    void start_receiving() noexcept;
    void receive_one();
    void receive_many();
    bool is_end(std::size_t size) const noexcept;
    void tell_error(std::int64_t result);
    void tell_receive_error(std::int64_t result);
    static void try_again(ReadyNode& node);
    void stop_trying() noexcept;

    // Sending.
    static void is_writable(ReadyNode& node);
    const SocketAddress* check_address(const SocketAddress* given) const;
    bool note_vain_send() noexcept;
    bool has_to_wait() const noexcept { return backlog_ && !backlog_->datagrams.empty(); }
    SendBatch::To where_all_go() const noexcept { return {is_connected_, target_ ? &target_ : nullptr}; }
    std::size_t send_now(std::span<const Datagram> datagrams);
    void keep(std::string_view data, const SocketAddress* address);
    void wait_for_room() noexcept;
    void flush();
    void end_of_flush();
    void drop_first(std::size_t count) noexcept;
    void pause_protocol_if_full();

    LoopCore* loop_;
    Ref<SocketState> socket_;
    Ref<DatagramProtocol> protocol_;  // null when it is over
    DatagramBatchProtocol* batch_protocol_ = nullptr;
    std::unique_ptr<Beginning> beginning_;  // null when it has begun
    Operation receive_;                     // its descriptor stays when the socket is closed; tells of the end
    SocketAddress sender_;
    std::unique_ptr<BatchRoom> room_;  // for a batch protocol
    std::unique_ptr<Retry> retry_;     // while it does not receive
    int errors_in_a_row_ = 0;
    std::unique_ptr<Backlog> backlog_;
    std::exception_ptr lost_by_;
    [[no_unique_address]] WaterMarks marks_;
    KeptAddresses names_;         // the socket's and its peer's
    const SocketAddress target_;  // the only one that may be sent to; none: any
    ContextSlot context_;         // of the calls of its protocol
    const bool is_connected_;     // the kernel knows where to send
    const bool can_cut_;          // ... and can send many datagrams as one message
    bool paused_ = false;         // receiving
    std::uint8_t conn_lost_ = 0;  // not zero: its end is scheduled, or over; counts vain sends, too
};

}  // namespace asyncio::detail
