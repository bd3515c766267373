#include "process/subprocess_streams.h"

#include <utility>

namespace asyncio::detail {

void SubprocessStreams::connection_made(SubprocessTransport transport) {
    transport_ = std::move(transport);
    try {
        make_streams();
    } catch (...) {  // no memory
        failed_by_ = std::current_exception();
    }
}

void SubprocessStreams::make_streams() {
    for (int fd : {1, 2}) {
        Transport pipe = transport_.get_pipe_transport(fd);
        if (!pipe) continue;
        StreamReader reader(StreamReaderOptions{.limit = limit_});
        reader.state()->set_transport(pipe.handle().get());
        readers_[fd - 1] = std::move(reader);
        ++readers_open_;
    }
    if (Transport pipe = transport_.get_pipe_transport(0)) {
        stdin_protocol_ = make_protocol<StreamReaderProtocol>(StreamReader());
        stdin_ = StreamWriter(pipe, stdin_protocol_, StreamReader());
    }
}

void SubprocessStreams::pipe_data_received(int fd, std::string_view data) {
    if (const StreamReader& its = reader(fd)) its.state()->feed_data(data);
}

void SubprocessStreams::pipe_data_given(int fd, std::string&& data) {
    if (const StreamReader& its = reader(fd)) its.state()->feed_given(std::move(data));
}

void SubprocessStreams::pipe_connection_lost(int fd, std::exception_ptr error) {
    if (fd == 0) {
        if (stdin_) stdin_.close();
        if (stdin_protocol_) stdin_protocol_->connection_lost(std::move(error));
        return;
    }
    if (const StreamReader& its = reader(fd)) {
        leave_reader(fd);
        if (error) {
            its.state()->set_exception(std::move(error));
        } else {
            its.state()->feed_eof();
        }
        --readers_open_;
    }
    close_if_all_is_read();
}

void SubprocessStreams::process_exited() {
    has_exited_ = true;
    close_if_all_is_read();
}

void SubprocessStreams::close_if_all_is_read() const {
    if (readers_open_ == 0 && has_exited_ && transport_) transport_.close();
}

void SubprocessStreams::pause_writing() {
    if (stdin_protocol_) stdin_protocol_->pause_writing();
}

void SubprocessStreams::resume_writing() {
    if (stdin_protocol_) stdin_protocol_->resume_writing();
}

void SubprocessStreams::connection_lost(std::exception_ptr error) {
    if (stdin_protocol_ && !stdin_protocol_->is_lost()) stdin_protocol_->connection_lost(std::move(error));
}

/// The transport may be gone before the reader is.
void SubprocessStreams::leave_reader(int fd) noexcept {
    if (const StreamReader& its = reader(fd)) its.state()->set_transport(nullptr);
}

void SubprocessStreams::detached() noexcept {
    leave_reader(1);
    leave_reader(2);
    SubprocessTransport transport = std::move(transport_);
    StreamWriter in = std::move(stdin_);
}

}  // namespace asyncio::detail
