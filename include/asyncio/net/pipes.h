#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/stream_reader.h>
#include <asyncio/net/stream_writer.h>
#include <asyncio/net/transports.h>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace asyncio {

/// The reading end of a pipe, and the protocol that stands on it.
template <class P = BaseProtocol>
struct ReadPipe {
    ReadTransport transport;
    ProtocolRef<P> protocol;
};

/// The same of the writing end.
template <class P = BaseProtocol>
struct WritePipe {
    WriteTransport transport;
    ProtocolRef<P> protocol;
};

/// The keyword arguments of `stdin_stream()`.
struct StandardStreamOptions {
    std::int64_t limit = 65536;  ///< see `open_connection()`
};

namespace detail {

/// An open descriptor until it is somebody's.
class OwnedDescriptor {
public:
    explicit OwnedDescriptor(int fd) noexcept : fd_(fd) {}
    OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~OwnedDescriptor();
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

Coro<ReadPipe<>> connect_read_pipe(Ref<ProtocolMaker> maker, OwnedDescriptor descriptor);
Coro<WritePipe<>> connect_write_pipe(Ref<ProtocolMaker> maker, OwnedDescriptor descriptor);

}  // namespace detail

/// Puts a protocol on the reading end of a pipe, or on a FIFO, a socket, a terminal or another character device.
///
/// The descriptor is taken over at once, whatever comes of it: it does not block from then on, and is closed with the
/// transport; what it was is put back before, for others who have the same open file. Throws ValueError for a file. A
/// terminal whose other end is gone is lost by OSError, EIO; a pipe that nobody writes any more has an end.
/// Cancelling closes it.
/// Python: loop.connect_read_pipe.
template <class F>
Coro<ReadPipe<detail::PipeProtocolOf<F>>> connect_read_pipe(F&& factory, int fd) {
    detail::OwnedDescriptor owned(fd);
    return detail::with_protocol_of<ReadPipe, F>(
        detail::connect_read_pipe(detail::protocol_maker(static_cast<F&&>(factory)), std::move(owned)));
}
/// The same for the writing end. When a pipe's reader has gone it is closed, with BrokenPipeError if something is kept.
/// No SIGPIPE comes of it. Python: loop.connect_write_pipe.
template <class F>
Coro<WritePipe<detail::PipeProtocolOf<F>>> connect_write_pipe(F&& factory, int fd) {
    detail::OwnedDescriptor owned(fd);
    return detail::with_protocol_of<WritePipe, F>(
        detail::connect_write_pipe(detail::protocol_maker(static_cast<F&&>(factory)), std::move(owned)));
}

template <class F, class File>
Coro<ReadPipe<>> connect_read_pipe(F&&, File*) {
    static_assert(detail::never<F>,
                  "a pipe is given by its descriptor, which is taken over: dup(fileno(file)) of a FILE*");
    return Coro<ReadPipe<>>();
}
template <class F, class File>
Coro<WritePipe<>> connect_write_pipe(F&&, File*) {
    static_assert(detail::never<F>,
                  "a pipe is given by its descriptor, which is taken over: dup(fileno(file)) of a FILE*");
    return Coro<WritePipe<>>();
}

/// Standard input as a stream, whatever it is: a terminal, a pipe, a file, `/dev/null`.
///
/// A terminal or pipe is opened anew, if that can be done, so that neither a shell nor `std::printf()` finds it
/// non-blocking; else it is put back at the end of the loop. A file, which never has to be waited for, is read a piece
/// in each pass of the loop. When no handle of the reader is left nothing more is read. Standard input itself stays
/// open, also when this is cancelled. Use one at a time, and no `std::cin` beside it, which reads ahead.
/// ```cpp
/// asyncio::StreamReader lines = co_await asyncio::stdin_stream();
/// while (auto line = co_await lines.next()) std::printf("%s", line->c_str());
/// ```
/// Python: the recipe of `loop.connect_read_pipe(lambda: StreamReaderProtocol(reader), sys.stdin)`.
Coro<StreamReader> stdin_stream(StandardStreamOptions options = {});
/// Standard output as a stream, of the same kinds. Close it, or `drain()` with a high-water mark of zero, before the
/// loop ends: what is kept then is lost, as with every stream. What `std::printf()` keeps itself comes when that is
/// flushed. Cancelling leaves standard output open. Python: the same recipe with `connect_write_pipe`.
Coro<StreamWriter> stdout_stream();
/// The same of the standard error output.
Coro<StreamWriter> stderr_stream();

}  // namespace asyncio
