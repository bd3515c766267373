#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/client_callback.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/stream_reader.h>
#include <asyncio/net/stream_writer.h>
#include <asyncio/net/transports.h>

#include <exception>
#include <string>
#include <string_view>

namespace asyncio {

/// A protocol that feeds a StreamReader, and on which a StreamWriter waits: it puts a stream on any transport.
///
/// It keeps its transport, also when that is over, for the writers to ask. When the last writer is gone the transport
/// is closed.
/// ```cpp
/// asyncio::StreamReader reader(asyncio::StreamReaderOptions{});
/// auto factory = [&] { return asyncio::StreamReaderProtocol(reader); };
/// auto [transport, protocol] = co_await asyncio::create_connection(factory, "127.0.0.1", 8080);
/// asyncio::StreamWriter writer(transport, protocol, reader);
/// ```
/// Python: asyncio.StreamReaderProtocol.
class StreamReaderProtocol : public Protocol {
public:
    /// For the running loop. An empty reader: what comes is thrown away.
    explicit StreamReaderProtocol(StreamReader reader);
    /// Calls back with the reader and a writer when the connection is made, as `start_server()` does.
    template <ClientConnectedCallback F>
    StreamReaderProtocol(StreamReader reader, F&& client_connected_cb) : StreamReaderProtocol(std::move(reader)) {
        callback_ = detail::client_callback(static_cast<F&&>(client_connected_cb));
        is_servers_ = true;
    }
    ~StreamReaderProtocol() override;

    /// Keeps the transport, and calls back.
    void connection_made(Transport transport) override;
    /// Feeds the reader.
    void data_received(std::string_view data) override;
    /// Ends what the reader reads. True: one can still write.
    bool eof_received() override;
    /// `drain()` waits from now on.
    void pause_writing() override;
    /// `drain()` goes on.
    void resume_writing() override;
    /// Gives the reader, and who waits in `drain()` and `wait_closed()`, this error, or an end.
    void connection_lost(std::exception_ptr error) override;

    // For the library.

    /// The reader is not null. Its tasks receive what comes themselves.
    StreamReaderProtocol(detail::Ref<detail::ReaderState> reader, detail::Ref<detail::ClientCallback> callback) noexcept
        : Protocol(Kind::stream), is_servers_(callback), reader_(std::move(reader)), callback_(std::move(callback)) {}
    /// StreamWriters.
    void add_handle() noexcept {
        inc_ref();
        ++handles_;
    }
    void drop_handle() noexcept;
    /// For a writer: what the protocol has not got yet it has from now on.
    void adopt(const WriteTransport& transport, const StreamReader& reader);
    detail::TransportState& transport() const noexcept { return *transport_.get(); }
    detail::ReaderState* reader() const noexcept { return reader_.get(); }
    std::string repr() const;
    void detached() noexcept override;
    /// From now on it stands on this one, and its reader reads from it. True if the reader has paused the one before.
    bool replace_transport(const Transport& transport) noexcept;
    /// It calls back when a connection is made, or has done so.
    bool is_servers() const noexcept { return is_servers_; }
    bool is_lost() const noexcept { return lost_; }
    bool is_writing_paused() const noexcept { return writing_paused_; }
    const std::exception_ptr& lost_by() const noexcept { return lost_by_; }
    void add_waiter(detail::StreamWaiter& waiter) noexcept { waiters_.push(waiter); }

private:
    void leave_reader() noexcept;
    void call_back();
    void report_failed_callback(std::exception_ptr error, const AnyTask& task);
    static void client_task_is_done(const AnyTask& task, StreamReaderProtocol& stream);
    void warn_of_unclosed() const noexcept;
    void wake_all(detail::StreamWaiter::For what) noexcept;

    bool lost_ : 1 = false;
    bool writing_paused_ : 1 = false;
    bool is_servers_ : 1 = false;
    unsigned handles_ : 29 = 0;
    detail::Ref<detail::ReaderState> reader_;
    detail::TransportHandle transport_;
    detail::Ref<detail::ClientCallback> callback_;  // until it was called
    std::exception_ptr lost_by_;
    detail::IntrusiveStack<detail::StreamWaiter, detail::StreamWaiters> waiters_;
};

}  // namespace asyncio
