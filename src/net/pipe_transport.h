#pragma once

#include "net/pipe_file.h"
#include "net/transport_state.h"
#include "net/water_marks.h"
#include "net/write_buffer.h"

#include <asyncio/context/context.h>
#include <asyncio/core/future.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/handle.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/loop/scheduling.h>
#include <asyncio/net/protocols.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

namespace asyncio::detail {

/// What the transports of both ends of a pipe have in common: how they begin, wait and end.
///
/// The descriptor is watched as by `add_reader()`, so all happens in the pass in which CPython's does it.
class PipeTransport : public TransportState, public LoopResource {
public:
    /// Connected, in the current context, and begins, in the next pass. Then ends `begun`.
    void begin(Future<> begun) noexcept;

    void set_protocol(Ref<BaseProtocol> protocol) override;
    BaseProtocol* protocol() const noexcept override { return protocol_.get(); }
    int fileno() const noexcept override { return fd_; }
    ExtraInfo get_extra_info(std::string_view name) const override {
        return name == "pipe" && protocol_ ? ExtraInfo::of_pipe(fd_) : ExtraInfo();
    }
    LoopCore& loop() const noexcept override { return *loop_; }
    void loop_is_closing() noexcept override;

protected:
    PipeTransport(LoopCore& loop, PipeFile file, Ref<BaseProtocol> protocol);
    ~PipeTransport() override;

    /// Connected, and not closed meanwhile.
    virtual void has_begun() = 0;
    /// The descriptor is ready, or would be if it could be waited for.
    virtual void is_ready(Direction direction) = 0;
    /// In the pass of the end, before it is told.
    virtual void before_end(BaseProtocol&) {}

    bool is_stream() const noexcept { return protocol_->kind() == BaseProtocol::Kind::stream; }
    void watch(Direction direction);
    void unwatch(Direction direction) noexcept;
    /// What is watched already is told in the current context from now on.
    void renew_context(Direction direction);
    bool end_is_scheduled() const noexcept { return end_is_scheduled_; }
    bool is_watched(Direction direction) const noexcept { return watched_[static_cast<int>(direction)]; }
    void schedule_end(std::exception_ptr error) noexcept;
    void lose_connection(std::exception_ptr error);
    /// `<name fd=5 polling>`.
    std::string repr_of(const char* name, const std::string& more) const;

    LoopCore* loop_;
    PipeFile file_;
    Ref<BaseProtocol> protocol_;  // null when it is over

private:
    struct Step : ReadyNode {
        Step(Run what, PipeTransport& its_transport) noexcept : ReadyNode(what), transport(its_transport) {}
        PipeTransport& transport;
    };
    static void begins(ReadyNode& node);
    void end_of_beginning();
    static void is_over(ReadyNode& node);
    static void is_always_ready(ReadyNode& node);
    void call_ready(Direction direction);
    void disconnect() noexcept;

    const int fd_;
    bool has_begun_ = false;
    bool end_is_scheduled_ = false;
    bool watched_[2] = {false, false};
    Ref<HandleBase> handles_[2];  // that are called
    HandleBase* running_ = nullptr;
    bool never_waits_ = false;  // what it is of cannot be waited for: it has a turn in each pass
    Step step_;                 // to begin, then to end
    Step turn_;                 // of one that never waits
    Future<> begun_;
    ContextSlot context_;
    std::exception_ptr lost_by_;
};

/// CPython: unix_events.py, _UnixReadPipeTransport.
class ReadPipeTransport final : public PipeTransport {
public:
    ReadPipeTransport(LoopCore& loop, PipeFile file, Ref<BaseProtocol> protocol)
        : PipeTransport(loop, std::move(file), std::move(protocol)) {}

    void close() noexcept override;
    void force_close(std::exception_ptr error) noexcept override;
    bool is_reading() const override { return !paused_ && !closing_; }
    void pause_reading() override;
    void resume_reading() override;
    std::string repr() const override;

private:
    ~ReadPipeTransport() override = default;
    void has_begun() override;
    void is_ready(Direction direction) override;
    void before_end(BaseProtocol& protocol) override;
    void read_and_tell();

    bool paused_ = false;
    bool ended_ = false;
};

/// CPython: unix_events.py, _UnixWritePipeTransport.
class WritePipeTransport final : public PipeTransport {
public:
    WritePipeTransport(LoopCore& loop, PipeFile file, Ref<BaseProtocol> protocol)
        : PipeTransport(loop, std::move(file), std::move(protocol)) {}

    void write(std::string_view data) override { write_or_keep(data, nullptr); }
    void write_given(const GivenBytes& data) override { write_or_keep(data.view(), &data); }
    void writelines(std::span<const BytesLike> lines) override;
    void write_eof() override;
    bool can_write_eof() const override { return true; }
    void close() noexcept override;
    void force_close(std::exception_ptr error) noexcept override;
    std::size_t write_buffer_size() const override { return buffer_ ? buffer_->size() : 0; }
    WriteBufferLimits write_buffer_limits() const override { return marks_.limits(); }
    void set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) override;
    std::string repr() const override;

private:
    static constexpr int writes_before_warning = 5;  // CPython: LOG_THRESHOLD_FOR_CONNLOST_WRITES
    static constexpr std::size_t most_parts = 16;    // in one turn
    ~WritePipeTransport() override = default;
    void has_begun() override;
    void is_ready(Direction direction) override;
    void write_or_keep(std::string_view data, const GivenBytes* given);
    void send_buffer();
    void buffer_was_sent();
    std::ptrdiff_t write_now(std::string_view data) noexcept;
    void fail(int error) noexcept;
    void pause_protocol_if_full();

    std::optional<WriteBuffer> buffer_;  // not empty
    WaterMarks marks_;
    std::uint8_t conn_lost_ = 0;  // counts vain writes
};

}  // namespace asyncio::detail
