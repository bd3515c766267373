#pragma once

#include "net/kept_addresses.h"
#include "net/transport_state.h"
#include "net/water_marks.h"
#include "net/write_buffer.h"

#include <asyncio/context/context.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/io_operation.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/socket.h>

#include <cstdint>
#include <memory>

namespace asyncio::detail {

class ServerState;
struct ServerClients;  // the tag of a server's list of its connections

/// The operation by which a connection receives. A base, so that the transport is found from it without a pointer.
struct ReceivingPart {
    IoOperation receive_;  // its descriptor stays when the socket is closed; tells of the end when all was received
};
static_assert(sizeof(ReceivingPart) == sizeof(IoOperation));

/// A transport over a stream socket. CPython: selector_events.py, _SelectorSocketTransport.
///
/// It reads all the time, unless its protocol has told it to pause, and sends at once what it can. When it is over, by
/// `close()`, `abort()` or an error, that is told to the protocol in a pass of its own.
class SocketTransport final : public TransportState,
                              public LoopResource,
                              public ListHook<ServerClients>,
                              private ReceivingPart {
public:
    SocketTransport(LoopCore& loop, Socket socket, Ref<BaseProtocol> protocol, const SocketAddress& peer,
                    Ref<ServerState> server);

    /// Connected, in the current context, and begins to read, in the next pass. Then wakes `waiter`.
    void begin(Waiter* waiter) noexcept;
    /// The same a pass later, after its protocol was made in the next.
    void begin_with(Ref<ProtocolMaker> maker) noexcept;
    void forget_waiter() noexcept {
        if (beginning_) beginning_->waiter = nullptr;
    }

    void write(std::string_view data) override { write_or_keep(data, nullptr, is_closing_under_tls()); }
    void write_given(const GivenBytes& data) override { write_or_keep(data.view(), &data, is_closing_under_tls()); }
    void write_records(const GivenBytes& data) override { write_or_keep(data.view(), &data, false); }
    void writelines(std::span<const BytesLike> lines) override;
    void write_eof() override;
    bool can_write_eof() const override { return true; }
    bool can_start_tls() const override { return true; }
    Coro<std::size_t> sendfile(int file, std::int64_t offset, std::optional<std::int64_t> count,
                               SendfileOptions options) override;
    void close() noexcept override;
    void force_close(std::exception_ptr error) noexcept override;
    void set_protocol(Ref<BaseProtocol> protocol) override;
    BaseProtocol* protocol() const noexcept override { return protocol_.get(); }

    bool is_reading() const override { return !closing_ && !paused_; }
    void pause_reading() override;
    void resume_reading() override;
    void receive_late() noexcept override;

    std::size_t write_buffer_size() const override { return backlog_ ? backlog_->buffer.size() : 0; }
    WriteBufferLimits write_buffer_limits() const override { return marks_.limits(); }
    void set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) override;

    int fileno() const noexcept override { return socket_->fd; }
    ExtraInfo get_extra_info(std::string_view name) const override;
    std::string repr() const override;
    LoopCore& loop() const noexcept override { return *loop_; }
    void loop_is_closing() noexcept override;

private:
    static void begins(ReadyNode& node);
    /// Whose `receive_` the node is.
    static SocketTransport& receiver(ReadyNode& node) noexcept {
        return static_cast<SocketTransport&>(reinterpret_cast<ReceivingPart&>(static_cast<IoOperation&>(node)));
    }
    /// The passes that it takes to begin.
    struct Beginning : ReadyNode, Pooled {
        explicit Beginning(SocketTransport& its_transport) noexcept
            : ReadyNode(&SocketTransport::begins), transport(its_transport) {}
        SocketTransport& transport;
        Ref<ProtocolMaker> maker;  // until it has made the protocol
        Waiter* waiter = nullptr;
        ContextSlot context;
        bool is_told = false;  // to the protocol: what comes to an end now is a connection
    };
    /// What could not be sent yet, and who waits for room for it. Most connections never have any.
    struct Backlog : Pooled {
        struct Send : IoOperation {
            explicit Send(SocketTransport& its_transport) noexcept
                : IoOperation(IoCall::send, &SocketTransport::is_writable), transport(its_transport) {
                descriptor = transport.receive_.descriptor;
            }
            SocketTransport& transport;
        };
        explicit Backlog(SocketTransport& transport) : send(transport) {}
        ~Backlog() {
            if (until_sent != nullptr) until_sent->wake();
        }
        WriteBuffer buffer;  // not empty
        Send send;
        ContextSlot context = ContextSlot::copy_current();  // in which it is told that there is room
        Waiter* until_sent = nullptr;                       // who waits for it to go
    };
    ~SocketTransport() override;
    bool is_stream() const noexcept { return protocol_->kind() == BaseProtocol::Kind::stream; }

    // Its life.
    bool make_protocol();
    void connection_made();
    void end_of_beginning() noexcept;
    void fail(int error) noexcept;
    void schedule_end() noexcept;
    void leave_descriptor() noexcept;
    static void connection_is_lost(ReadyNode& node);
    void lose_connection(std::exception_ptr error);
    void fatal_error(const char* message, BaseProtocol& protocol);
    void disconnect() noexcept;

    // Reading.
    static void is_readable(ReadyNode& node);
    class CallContext;
    void start_receiving() noexcept;
    void renew_context() noexcept;
    void receive_offered() noexcept;
    bool receive_for_stream() noexcept;
    bool try_to_receive_for_stream();
    void receive_for_protocol();
    void receive_and_tell(BaseProtocol& protocol, const char*& message);

    // Writing.
    static void is_writable(ReadyNode& node);
    void check_can_write(const char* function) const;
    class FileTurn;
    static Coro<std::size_t> send_file_behind(Ref<SocketTransport> transport, int file, std::int64_t offset,
                                              std::optional<std::int64_t> count, SendfileOptions options);
    bool note_vain_write() noexcept;
    std::size_t send_now(std::span<IoBuffer> parts) noexcept;
    static void set_parts(IoOperation& send, std::span<IoBuffer> parts) noexcept;
    void write_or_keep(std::string_view data, const GivenBytes* given, bool is_dropped);
    void keep(std::string_view data, const GivenBytes* given = nullptr);
    void write_lines(std::span<const BytesLike> lines, bool& some_were_sent);
    void wait_for_room() noexcept;
    void send_buffer(bool at_once);
    void buffer_was_sent();
    void pause_protocol_if_full();

    LoopCore* loop_;
    Ref<SocketState> socket_;
    Ref<BaseProtocol> protocol_;  // null when it is over, and before it was made
    Ref<ServerState> server_;
    std::unique_ptr<Beginning> beginning_;  // null when it has begun
    std::unique_ptr<Backlog> backlog_;
    std::exception_ptr lost_by_;  // until it was told
    ContextSlot context_;         // in which a protocol that is no stream is told what comes, and then of the end
    [[no_unique_address]] WaterMarks marks_;
    KeptAddresses names_;   // the socket's and its peer's
    bool offered_ = false;  // there is something to receive, and who waits for it will do it
    bool read_to_end_ : 1 = false;
    bool eof_written_ : 1 = false;
    bool sending_file_ : 1 = false;
    bool paused_ : 1 = false;          // reading
    bool asking_ : 1 = false;          // get_buffer() is called: nothing is stopped meanwhile
    bool context_is_new_ : 1 = false;  // since the protocol was called
    std::uint8_t conn_lost_ = 0;       // not zero: its end is scheduled, or over; counts vain writes, too
};

}  // namespace asyncio::detail
