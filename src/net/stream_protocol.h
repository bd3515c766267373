#pragma once

#include "net/protocol.h"
#include "net/transport.h"

#include <asyncio/core/task.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/reader_state.h>
#include <asyncio/net/server.h>
#include <asyncio/net/stream_writer.h>

#include <cstdint>
#include <exception>

namespace asyncio::detail {

/// Between a transport and the StreamReader and StreamWriter of it: what both sides' waits stand in line at.
/// CPython: streams.py, StreamReaderProtocol.
///
/// It keeps its transport, also when that is over, for the writers to ask. When the last writer is gone the transport
/// is closed.
class StreamProtocol final : public Protocol {
public:
    /// The callback is called with a reader and a writer when the connection is made; null: for none.
    StreamProtocol(Ref<ReaderState> reader, Ref<ClientCallback> callback) noexcept
        : reader_(std::move(reader)), callback_(std::move(callback)) {}

    // StreamWriters.
    void add_handle() noexcept {
        inc_ref();
        ++handles_;
    }
    void drop_handle() noexcept;

    void connection_made(Transport& transport) override;
    bool offer() noexcept override { return reader_->offer(); }
    WritableBytes get_buffer() noexcept override { return reader_->room(); }
    void buffer_updated(std::size_t size) override { reader_->put_directly(size); }
    void data_received(std::string_view data) override { reader_->feed_data(data); }
    bool eof_received() noexcept override;
    void pause_writing() noexcept override { writing_paused_ = true; }
    void resume_writing() noexcept override;
    void connection_lost(std::exception_ptr error) noexcept override;
    void detached() noexcept override;

    /// Null before the connection is made.
    Transport* transport() const noexcept { return transport_.get(); }
    ReaderState& reader() const noexcept { return *reader_; }
    const Ref<ReaderState>& reader_ref() const noexcept { return reader_; }
    std::string repr() const;

    // For those who wait.
    bool is_lost() const noexcept { return lost_; }
    bool is_writing_paused() const noexcept { return writing_paused_; }
    const std::exception_ptr& lost_by() const noexcept { return lost_by_; }
    IntrusiveList<StreamWaiter, StreamWaiters>& waiters() noexcept { return waiters_; }

private:
    ~StreamProtocol() override = default;
    void call_back();
    void report_failed_callback(std::exception_ptr error, const AnyTask& task);
    static void client_task_is_done(const AnyTask& task, StreamProtocol& stream);
    void warn_of_unclosed() const noexcept;
    void wake_all(StreamWaiter::For what) noexcept;

    bool lost_ : 1 = false;
    bool writing_paused_ : 1 = false;
    unsigned handles_ : 30 = 0;
    Ref<ReaderState> reader_;
    Ref<Transport> transport_;
    Ref<ClientCallback> callback_;  // until it was called
    std::exception_ptr lost_by_;
    IntrusiveList<StreamWaiter, StreamWaiters> waiters_;
};

/// For the connections of `start_server()`.
class StreamProtocolFactory final : public ProtocolFactory {
public:
    /// Throws ValueError if the limit is not positive.
    StreamProtocolFactory(Ref<ClientCallback> callback, std::int64_t limit);
    Protocol* make(LoopCore& loop) override;

private:
    Ref<ClientCallback> callback_;
    std::int64_t limit_;
};

}  // namespace asyncio::detail
