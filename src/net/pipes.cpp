#include <asyncio/net/pipes.h>

#include "core/meant_future.h"
#include "loop/loop_core.h"
#include "net/new_connection.h"
#include "net/pipe_file.h"
#include "net/pipe_transport.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/net/stream_reader_protocol.h>

#include <unistd.h>

#include <string>
#include <utility>

namespace asyncio {
namespace detail {
namespace {

std::string text_of_pipe_beginning(const void*, int fd) {
    return "<file descriptor " + std::to_string(fd) + " in the beginning of its transport>";
}

template <class Handle, class PipeEnd>
Coro<Handle> begun_pipe(PipeFile file, Ref<BaseProtocol> protocol) {
    LoopCore& loop = running_core();
    Future<> connected(Ref<FutureBase>(new FutureState<void>(loop)));
    NewTransport<PipeEnd> transport(new PipeEnd(loop, std::move(file), std::move(protocol)));
    transport->begin(connected);
    co_await MeantFuture(connected, WaitKind::file_descriptor, text_of_pipe_beginning, nullptr, transport->fileno());
    transport.has_begun();
    co_return Handle(transport.get());
}

/// Of two transports that have one number the first to end would close the other's file.
void check_is_free(OwnedDescriptor& descriptor) {
    try {
        running_core().descriptors().check_has_no_user(descriptor.get());
    } catch (...) {
        descriptor.release();  // it is the other's
        throw;
    }
}

PipeFile checked_pipe(OwnedDescriptor descriptor, const char* message) {
    PipeFile file(std::move(descriptor));
    if (file.is_file()) throw ValueError(message);
    return file;
}

/// The arguments, kept.
struct PipeArguments {
    Ref<ProtocolMaker> maker;
    OwnedDescriptor descriptor;
};

Coro<ReadPipe<>> connect_to_read(PipeArguments args) {
    check_is_free(args.descriptor);
    Ref<BaseProtocol> protocol = made_protocol(*args.maker);
    PipeFile file = checked_pipe(std::move(args.descriptor), "Pipe transport is for pipes/sockets only.");
    ReadTransport transport = co_await begun_pipe<ReadTransport, ReadPipeTransport>(std::move(file), protocol);
    co_return ReadPipe<>{std::move(transport), std::move(protocol)};
}

Coro<WritePipe<>> connect_to_write(PipeArguments args) {
    check_is_free(args.descriptor);
    Ref<BaseProtocol> protocol = made_protocol(*args.maker);
    PipeFile file =
        checked_pipe(std::move(args.descriptor), "Pipe transport is only for pipes, sockets and character devices");
    WriteTransport transport = co_await begun_pipe<WriteTransport, WritePipeTransport>(std::move(file), protocol);
    co_return WritePipe<>{std::move(transport), std::move(protocol)};
}

Coro<StreamWriter> stream_to(int fd) {
    Ref<ReaderState> nothing(new ReaderState(running_core(), 65536));
    Ref<StreamReaderProtocol> protocol(new StreamReaderProtocol(std::move(nothing), nullptr));
    PipeFile file = PipeFile::of_standard_stream(fd, Direction::writing);
    co_await begun_pipe<WriteTransport, WritePipeTransport>(std::move(file), protocol);
    co_return StreamWriter(protocol.get());
}

}  // namespace

Coro<ReadPipe<>> connect_read_pipe(Ref<ProtocolMaker> maker, OwnedDescriptor descriptor) {
    return connect_to_read(PipeArguments{std::move(maker), std::move(descriptor)});
}

Coro<WritePipe<>> connect_write_pipe(Ref<ProtocolMaker> maker, OwnedDescriptor descriptor) {
    return connect_to_write(PipeArguments{std::move(maker), std::move(descriptor)});
}

}  // namespace detail

Coro<StreamReader> stdin_stream(StandardStreamOptions options) {
    detail::Ref<detail::ReaderState> state(new detail::ReaderState(detail::running_core(), options.limit));
    StreamReader reader(state);
    detail::Ref<StreamReaderProtocol> protocol(new StreamReaderProtocol(std::move(state), nullptr));
    detail::PipeFile file = detail::PipeFile::of_standard_stream(STDIN_FILENO, detail::Direction::reading);
    co_await detail::begun_pipe<ReadTransport, detail::ReadPipeTransport>(std::move(file), std::move(protocol));
    co_return reader;
}

Coro<StreamWriter> stdout_stream() { return detail::stream_to(STDOUT_FILENO); }
Coro<StreamWriter> stderr_stream() { return detail::stream_to(STDERR_FILENO); }

}  // namespace asyncio
