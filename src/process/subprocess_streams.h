#pragma once

#include <asyncio/detail/ref.h>
#include <asyncio/net/stream_reader.h>
#include <asyncio/net/stream_reader_protocol.h>
#include <asyncio/net/stream_writer.h>
#include <asyncio/process/subprocess_protocol.h>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// Puts streams on the pipes of a child. CPython: subprocess.py, SubprocessStreamProtocol.
class SubprocessStreams final : public SubprocessProtocol {
public:
    explicit SubprocessStreams(std::int64_t limit) noexcept : limit_(limit) {}

    const StreamWriter& stdin() const noexcept { return stdin_; }
    /// No copy: with the last but one handle a reader is thought to have no reader any more.
    const StreamReader& reader(int fd) const noexcept { return readers_[fd - 1]; }

    /// Null if it has its streams.
    const std::exception_ptr& failed_by() const noexcept { return failed_by_; }

    void connection_made(SubprocessTransport transport) override;
    void pipe_data_received(int fd, std::string_view data) override;
    /// The same, of bytes that it may keep.
    void pipe_data_given(int fd, std::string&& data);
    void pipe_connection_lost(int fd, std::exception_ptr error) override;
    void process_exited() override;
    void pause_writing() override;
    void resume_writing() override;
    void connection_lost(std::exception_ptr error) override;
    void detached() noexcept override;

private:
    void make_streams();
    void leave_reader(int fd) noexcept;
    void close_if_all_is_read() const;

    const std::int64_t limit_;
    SubprocessTransport transport_;
    StreamWriter stdin_;
    ProtocolRef<StreamReaderProtocol> stdin_protocol_;  // on no transport: it is told by this
    StreamReader readers_[2];
    int readers_open_ = 0;
    bool has_exited_ = false;
    std::exception_ptr failed_by_;
};

}  // namespace asyncio::detail
