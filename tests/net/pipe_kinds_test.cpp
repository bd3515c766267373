// What may stand under the transport of a pipe, and how it is left.
#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/net_support.h"
#include "net/pipe_support.h"
#include "net/stream_support.h"
#include "os/fork_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::NetTest;
using support::NotingPipe;
using support::PipeEnds;
using support::run_each_pass;
using support::run_net;

namespace {

using PipeKinds = NetTest;
using Events = std::vector<std::string>;

bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

// CPython: test_events.py, UnixPipeObjectSupportTests.test_read_socket
// CPython: test_events.py, UnixPipeObjectSupportTests.test_write_socket
TEST_F(PipeKinds, SocketsAreTakenToo) {
    run_net([]() -> Coro<> {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        Events events;
        Events written;
        auto factory = [&] { return NotingPipe(events); };
        auto other_factory = [&] { return NotingPipe(written); };
        auto reader = co_await connect_read_pipe(factory, ends[0]);
        auto writer = co_await connect_write_pipe(other_factory, ends[1]);
        writer.transport.write("text");
        co_await sleep(2ms);
        writer.transport.close();
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "data text", "eof", "lost"}));
        EXPECT_EQ(written, (Events{"made", "lost"}));
    });
}

// CPython: test_events.py, UnixPipeObjectSupportTests.test_read_regular_file
// CPython: test_events.py, UnixPipeObjectSupportTests.test_write_regular_file
// The recipe for a stream to a pipe. CPython takes None for the reader.
TEST_F(PipeKinds, AStreamWriterStandsOnAWritePipeWithoutAReader) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        auto factory = [] { return StreamReaderProtocol(StreamReader()); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        StreamWriter writer(connected.transport, connected.protocol);
        StreamWriter same(connected.transport, connected.protocol, nullptr);
        EXPECT_EQ(writer, same);
        EXPECT_FALSE(writer < same || same < writer);
        EXPECT_EQ(std::hash<StreamWriter>()(writer), std::hash<StreamWriter>()(same));
        writer.write("hello");
        co_await writer.drain();
        EXPECT_EQ(pipe.read(), "hello");
        pipe.fill();
        writer.write(std::string(200'000, 'x'));
        Task<> draining = create_task([](StreamWriter to) -> Coro<> { co_await to.drain(); }, writer);
        co_await sleep(2ms);
        EXPECT_FALSE(draining.done());
        pipe.close_reader();
        co_await sleep(2ms);
        EXPECT_TRUE(draining.done());
        EXPECT_TRUE(draining.exception());
        writer.close();
        std::string how = co_await support::outcome_of(writer.wait_closed());
        EXPECT_EQ(how.substr(0, how.find('(')), "BrokenPipeError");
    });
}

TEST_F(PipeKinds, AFileIsRefusedAndClosed) {
    run_net([]() -> Coro<> {
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        std::string text;
        try {
            co_await connect_read_pipe(factory, ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
        } catch (const ValueError& error) {
            text = error.what();
        }
        EXPECT_EQ(text, "Pipe transport is for pipes/sockets only.");
        text.clear();
        try {
            co_await connect_write_pipe(factory, ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
        } catch (const ValueError& error) {
            text = error.what();
        }
        EXPECT_EQ(text, "Pipe transport is only for pipes, sockets and character devices");
        int error = 0;
        try {
            co_await connect_read_pipe(factory, -1);
        } catch (const OSError& failure) {
            error = failure.errno_value();
        }
        EXPECT_EQ(error, EBADF);
        EXPECT_EQ(events, Events());
    });
}

// CPython: test_events.py, UnixPipeObjectSupportTests.test_read_fifo
// CPython: test_events.py, UnixPipeObjectSupportTests.test_write_fifo
TEST_F(PipeKinds, FifosAreTakenToo) {
    support::Folder folder;
    std::string path = folder.path("sock");
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    run_net([&]() -> Coro<> {
        Events events;
        Events written;
        auto factory = [&] { return NotingPipe(events); };
        auto other_factory = [&] { return NotingPipe(written); };
        int reader_end = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        int writer_end = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        auto reader = co_await connect_read_pipe(factory, reader_end);
        auto writer = co_await connect_write_pipe(other_factory, writer_end);
        writer.transport.write("text");
        co_await sleep(2ms);
        reader.transport.close();
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "data text", "lost"}));
        EXPECT_EQ(written, (Events{"made", "lost"}));
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_write_named_fifo_unread_data
TEST_F(PipeKinds, UnreadDataInAFifoIsNoHangUp) {
    support::Folder folder;
    std::string path = folder.path("sock");
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    run_net([&]() -> Coro<> {
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        auto writer = co_await connect_write_pipe(factory, ::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        writer.transport.write("unread");
        co_await sleep(5ms);
        EXPECT_FALSE(writer.transport.is_closing());
        ::close(reader);
        co_await sleep(5ms);
        EXPECT_EQ(events, (Events{"made", "lost"}));
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_read_pty_output
// CPython: test_events.py, EventLoopTestsMixin.test_write_pty
// CPython: test_events.py, EventLoopTestsMixin.test_bidirectional_pty
// CPython: test_events.py, UnixPipeObjectSupportTests.test_read_character_device
// CPython: test_events.py, UnixPipeObjectSupportTests.test_write_character_device
TEST_F(PipeKinds, BothSidesOfAPseudoTerminalAreReadAndWritten) {
    run_net([]() -> Coro<> {
        int outside = -1;
        int inside = -1;
        EXPECT_EQ(::openpty(&outside, &inside, nullptr, nullptr, nullptr), 0);
        termios raw = {};
        ::cfmakeraw(&raw);
        ::tcsetattr(inside, TCSANOW, &raw);
        Events read_outside;
        Events read_inside;
        Events written;
        auto outer_factory = [&] { return NotingPipe(read_outside); };
        auto inner_factory = [&] { return NotingPipe(read_inside); };
        auto writing_factory = [&] { return NotingPipe(written); };
        auto outer_writer = co_await connect_write_pipe(writing_factory, ::dup(outside));
        auto inner_writer = co_await connect_write_pipe(writing_factory, ::dup(inside));
        auto outer = co_await connect_read_pipe(outer_factory, outside);
        auto inner = co_await connect_read_pipe(inner_factory, inside);
        outer_writer.transport.write("in");
        inner_writer.transport.write("out");
        co_await sleep(5ms);
        EXPECT_EQ(read_inside, (Events{"made", "data in"}));
        EXPECT_EQ(read_outside, (Events{"made", "data out"}));
        inner_writer.transport.close();
        inner.transport.close();
        co_await sleep(5ms);
        EXPECT_EQ(read_inside, (Events{"made", "data in", "lost"}));
        EXPECT_EQ(read_outside, (Events{"made", "data out", "lost OSError"}));  // EIO, of which nobody else is told
        outer_writer.transport.close();
        co_await sleep(1ms);
    });
}

TEST_F(PipeKinds, WhatCannotBeWaitedForIsReadAllTheSame) {
    run_net([]() -> Coro<> {
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        co_await connect_read_pipe(factory, ::open("/dev/null", O_RDONLY | O_CLOEXEC));
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "eof", "lost"}));
    });
}

TEST_F(PipeKinds, ADescriptorBlocksAgainAtTheEnd) {
    PipeEnds pipe(0);
    int other = ::dup(pipe.reader());
    run_net([&]() -> Coro<> {
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        auto connected = co_await connect_read_pipe(factory, ::dup(other));
        EXPECT_FALSE(blocks(other));
        connected.transport.close();
        co_await sleep(1ms);
        EXPECT_TRUE(blocks(other));
        co_await connect_read_pipe(factory, ::dup(other));
        EXPECT_FALSE(blocks(other));
        co_return;  // the loop's end does it, too
    });
    EXPECT_TRUE(blocks(other));
    ::close(other);
}

TEST_F(PipeKinds, AChildThatClosesTheLoopLeavesTheParentsDescriptorAsItIs) {
    PipeEnds pipe(0);
    int other = ::fcntl(pipe.writer(), F_DUPFD_CLOEXEC, 0);
    EventLoop loop;
    Events events;
    auto factory = [&] { return NotingPipe(events); };
    auto connected = loop.run_until_complete(connect_write_pipe(factory, pipe.give_writer()));
    EXPECT_FALSE(blocks(other));
    int code = in_child([&] {
        loop.close();
        return 0;
    });
    EXPECT_EQ(code, 0);
    EXPECT_FALSE(blocks(other));
    loop.close();
    EXPECT_TRUE(blocks(other));
    ::close(other);
}

}  // namespace
