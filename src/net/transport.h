#pragma once

#include "net/kept_address.h"
#include "net/write_buffer.h"

#include <asyncio/loop/io_operation.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/reader_state.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/stream_writer.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace asyncio::detail {

class ServerState;
struct ServerClients;  // the tag of a server's list of its connections

/// A connection under a stream: what CPython's `_SelectorSocketTransport` and `StreamReaderProtocol` are together.
///
/// Lives as long as it is connected, or a StreamWriter names it. It reads all the time, unless its reader has told it
/// to pause, and sends at once what it can. When it is over, by `close()`, `abort()` or an error, that is told to
/// reader and waiters in a pass of its own, as in CPython.
class Transport final : public LoopResource, public DescriptorUser, public ListHook<ServerClients>, public Pooled {
public:
    Transport(LoopCore& loop, Socket socket, Ref<ReaderState> reader, const SocketAddress& peer,
              Ref<ServerState> server);

    // Handles of it. When the last is gone it is closed.
    void add_handle() noexcept { ++handles_; }
    void drop_handle() noexcept;
    /// Keeps the object, but not the connection.
    void pin() noexcept { ++pins_; }
    void unpin() noexcept {
        --pins_;
        die_if_unused();
    }

    /// Connected, and begins to read, after so many passes. Then wakes `waiter`, or tells the server.
    void begin(int passes, Waiter* waiter) noexcept;
    void forget_waiter() noexcept {
        if (beginning_) beginning_->waiter = nullptr;
    }

    void write(std::string_view data);
    void writelines(std::span<const BytesLike> lines);
    void write_eof();
    void close() noexcept;
    void abort() noexcept { force_close(nullptr); }
    bool is_closing() const noexcept { return closing_; }
    bool is_reading() const noexcept { return !closing_ && !paused_; }
    void pause_reading() noexcept;
    void resume_reading() noexcept;
    /// Receives, now, what was offered to the reader a pass ago.
    void receive_late();

    std::size_t write_buffer_size() const noexcept { return backlog_ ? backlog_->buffer.size() : 0; }
    WriteBufferLimits write_buffer_limits() const noexcept { return {high_, low_}; }
    void set_write_buffer_limits(std::optional<std::size_t> high, std::optional<std::size_t> low);

    // For those who wait for it.
    bool is_lost() const noexcept { return lost_; }
    bool is_writing_paused() const noexcept { return writing_paused_; }
    const std::exception_ptr& lost_by() const noexcept { return lost_by_; }
    IntrusiveList<TransportWaiter, TransportWaiters>& drain_waiters() noexcept { return drain_waiters_; }
    IntrusiveList<TransportWaiter, TransportWaiters>& close_waiters() noexcept { return close_waiters_; }

    ReaderState& reader() const noexcept { return *reader_; }
    const Ref<ReaderState>& reader_ref() const noexcept { return reader_; }
    LoopCore& loop() const noexcept { return *loop_; }
    int fileno() const noexcept { return socket_->fd; }
    ExtraInfo get_extra_info(std::string_view name) const;
    std::string repr() const override;
    void loop_is_closing() noexcept override;

private:
    static void one_pass_less(ReadyNode& node);
    /// The passes that it takes to begin.
    struct Beginning : ReadyNode, Pooled {
        explicit Beginning(Transport& its_transport) noexcept
            : ReadyNode(&Transport::one_pass_less), transport(its_transport) {}
        Transport& transport;
        int passes_left = 0;
        Waiter* waiter = nullptr;
    };
    struct Operation : IoOperation {
        Operation(IoCall what, Run on_report, Transport& its_transport) noexcept
            : IoOperation(what, on_report), transport(its_transport) {}
        Transport& transport;
    };
    /// What could not be sent yet, and who waits for room for it. Most connections never have any.
    struct Backlog : Pooled {
        explicit Backlog(Transport& transport) noexcept : send(IoCall::send, &Transport::is_writable, transport) {
            send.descriptor = transport.receive_.descriptor;
        }
        WriteBuffer buffer;  // not empty
        Operation send;
    };
    ~Transport();

    static void is_readable(ReadyNode& node);
    static void is_writable(ReadyNode& node);
    static void connection_is_lost(ReadyNode& node);
    bool receive();
    void start_receiving() noexcept;
    void receive_offered() noexcept;
    void check_can_write(const char* function) const;
    bool note_vain_write() noexcept;
    std::size_t send_now(std::span<IoBuffer> parts) noexcept;
    static void set_parts(IoOperation& send, std::span<IoBuffer> parts) noexcept;
    void keep(std::string_view data);
    void wait_for_room() noexcept;
    void send_buffer(bool at_once);
    void pause_if_above_high() noexcept;
    void resume_if_below_low() noexcept;
    void fail(int error) noexcept;
    void schedule_end() noexcept;
    void force_close(std::exception_ptr error) noexcept;
    void leave_descriptor() noexcept;
    void lose_connection(std::exception_ptr error) noexcept;
    void disconnect() noexcept;
    void die_if_unused() noexcept;
    static void wake(IntrusiveList<TransportWaiter, TransportWaiters>& waiters,
                     const std::exception_ptr& error) noexcept;

    LoopCore* loop_;
    Ref<SocketState> socket_;
    Ref<ReaderState> reader_;
    Ref<ServerState> server_;
    std::unique_ptr<Beginning> beginning_;  // null when it has begun
    Operation receive_;  // its descriptor stays when the socket is closed; tells of the end when all was received
    std::unique_ptr<Backlog> backlog_;
    IntrusiveList<TransportWaiter, TransportWaiters> drain_waiters_;
    IntrusiveList<TransportWaiter, TransportWaiters> close_waiters_;
    std::exception_ptr lost_by_;
    KeptAddress sockname_;
    KeptAddress peername_;
    std::size_t high_ = 65536;
    std::size_t low_ = 16384;
    unsigned handles_ = 0;
    unsigned pins_ = 0;
    int conn_lost_ = 0;         // not zero: its end is scheduled, or over; counts vain writes, too
    bool offered_ = false;      // there is something to receive, and who waits for it will do it
    bool alive_ : 1 = true;     // the loop has it
    bool closing_ : 1 = false;  // close() was called, or it failed
    bool lost_ : 1 = false;     // its end was told
    bool read_to_end_ : 1 = false;
    bool eof_written_ : 1 = false;
    bool paused_ : 1 = false;          // reading
    bool writing_paused_ : 1 = false;  // the buffer went above the high-water mark
};

}  // namespace asyncio::detail
