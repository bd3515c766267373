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

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::NetTest;
using support::PipeEnds;
using support::run_each_pass;
using support::run_net;

namespace {

using Pipes = NetTest;

/// Notes what it is told.
class Noting : public Protocol {
public:
    explicit Noting(std::vector<std::string>& events) : events_(events) {}
    void connection_made(Transport) override { events_.push_back("made"); }
    void data_received(std::string_view data) override { events_.push_back("data " + std::string(data)); }
    bool eof_received() override {
        events_.push_back("eof");
        return false;
    }
    void pause_writing() override { events_.push_back("pause"); }
    void resume_writing() override { events_.push_back("resume"); }
    void connection_lost(std::exception_ptr error) override {
        events_.push_back(error ? "lost " + repr(error).substr(0, repr(error).find('(')) : "lost");
    }

private:
    std::vector<std::string>& events_;
};

using Events = std::vector<std::string>;

bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

// CPython: test_events.py, EventLoopTestsMixin.test_read_pipe
// CPython: test_events.py, UnixPipeObjectSupportTests.test_read_pipe
TEST_F(Pipes, AReadersProtocolIsToldOfAllThatComesAndOfTheEnd) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_read_pipe(factory, pipe.give_reader());
        EXPECT_EQ(events, (Events{"made"}));
        EXPECT_TRUE(connected.transport.is_reading());
        pipe.write("1");
        co_await sleep(2ms);
        pipe.write("2345");
        co_await sleep(2ms);
        pipe.close_writer();
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "data 1", "data 2345", "eof", "lost"}));
        EXPECT_TRUE(connected.transport.is_closing());
        connected.transport.close();
        EXPECT_FALSE(connected.transport.get_protocol());
    });
}

/// The passes in which CPython's does the same.
TEST_F(Pipes, AllHappensInThePassInWhichItHappensInCPython) {
    run_each_pass([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto pass = [&](int count) -> Coro<> {
            for (int i = 0; i < count; ++i) {
                co_await sleep(0s);
                events.push_back(std::to_string(i));
            }
        };
        auto connecting = create_task(connect_read_pipe(factory, pipe.give_reader()));
        connecting.add_done_callback([&](const auto&) { events.push_back("connected"); });
        co_await pass(4);
        EXPECT_EQ(events, (Events{"0", "made", "1", "2", "connected", "3"}));
        events.clear();
        pipe.write("x");
        co_await pass(3);
        EXPECT_EQ(events, (Events{"0", "data x", "1", "2"}));
        events.clear();
        pipe.close_writer();
        co_await pass(4);
        EXPECT_EQ(events, (Events{"0", "1", "eof", "lost", "2", "3"}));
    });
}

TEST_F(Pipes, AWritersEndComesInThePassInWhichItComesInCPython) {
    run_each_pass([]() -> Coro<> {
        Events events;
        auto factory = [&] { return Noting(events); };
        auto pass = [&](int count) -> Coro<> {
            for (int i = 0; i < count; ++i) {
                co_await sleep(0s);
                events.push_back(std::to_string(i));
            }
        };
        {
            PipeEnds pipe;
            co_await connect_write_pipe(factory, pipe.give_writer());
            events.clear();
            pipe.close_reader();
            co_await pass(4);
            EXPECT_EQ(events, (Events{"0", "1", "lost", "2", "3"}));
        }
        {
            PipeEnds pipe;
            auto writer = co_await connect_write_pipe(factory, pipe.give_writer());
            events.clear();
            writer.transport.close();
            co_await pass(4);
            EXPECT_EQ(events, (Events{"lost", "0", "1", "2", "3"}));
        }
        {
            PipeEnds pipe;
            auto writer = co_await connect_write_pipe(factory, pipe.give_writer());
            events.clear();
            writer.transport.write(std::string(140'000, 'x'));
            writer.transport.close();
            co_await pass(1);
            for (int i = 0; i < 2; ++i) {
                pipe.read();
                events.push_back("emptied");
                co_await pass(4);
            }
            Events wanted = {"pause",   "0", "emptied", "0",    "1", "2", "3",
                             "emptied", "0", "resume",  "lost", "1", "2", "3"};
            EXPECT_EQ(events, wanted);
        }
        {
            PipeEnds pipe;
            auto writer = co_await connect_write_pipe(factory, pipe.give_writer());
            events.clear();
            writer.transport.write(std::string(140'000, 'x'));
            pipe.close_reader();
            co_await pass(4);
            EXPECT_EQ(events, (Events{"pause", "0", "1", "lost BrokenPipeError", "2", "3"}));
        }
        {
            PipeEnds pipe;
            auto writer = co_await connect_write_pipe(factory, pipe.give_writer());
            events.clear();
            pipe.close_reader();
            writer.transport.write("x");
            co_await pass(4);
            EXPECT_EQ(events, (Events{"lost BrokenPipeError", "0", "1", "2", "3"}));
        }
    });
}

TEST_F(Pipes, AReaderThatIsPausedReadsNothing) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_read_pipe(factory, pipe.give_reader());
        connected.transport.pause_reading();
        connected.transport.pause_reading();
        EXPECT_FALSE(connected.transport.is_reading());
        pipe.write("kept");
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made"}));
        connected.transport.resume_reading();
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "data kept"}));
        connected.transport.close();
        co_await sleep(1ms);
        EXPECT_EQ(events.back(), "lost");
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_write_pipe
// CPython: test_events.py, UnixPipeObjectSupportTests.test_write_pipe
TEST_F(Pipes, AWriterWritesAndEnds) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        connected.transport.write("1");
        EXPECT_EQ(pipe.read(), "1");
        std::vector<std::string> lines = {"23", "45"};
        connected.transport.writelines(lines);
        EXPECT_EQ(pipe.read(), "2345");
        EXPECT_TRUE(connected.transport.can_write_eof());
        connected.transport.write_eof();
        EXPECT_TRUE(connected.transport.is_closing());
        co_await sleep(1ms);
        EXPECT_EQ(pipe.read(), "");
        EXPECT_EQ(events, (Events{"made", "lost"}));
    });
}

TEST_F(Pipes, WhatFindsNoRoomIsKeptAndItsWriterPaused) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        std::string text(300'000, 'x');
        connected.transport.write(text);
        EXPECT_GT(connected.transport.get_write_buffer_size(), 200'000u);
        EXPECT_EQ(events, (Events{"made", "pause"}));
        connected.transport.write_eof();
        std::size_t got = 0;
        while (true) {
            co_await readable(pipe.reader());
            std::string some = pipe.read();
            if (some.empty()) break;
            got += some.size();
        }
        EXPECT_EQ(got, text.size());
        EXPECT_EQ(events, (Events{"made", "pause", "resume", "lost"}));
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_write_pipe_disconnect_on_close
TEST_F(Pipes, AReaderThatGoesEndsItsWriter) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        connected.transport.write("1");
        pipe.close_reader();
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "lost"}));

        PipeEnds full;
        events.clear();
        auto other = co_await connect_write_pipe(factory, full.give_writer());
        other.transport.write(std::string(300'000, 'x'));
        full.close_reader();
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "pause", "lost BrokenPipeError"}));
        for (int i = 0; i < 3; ++i) other.transport.write("in vain");
    });
}

TEST_F(Pipes, AWriteThatFailsAtOnceSendsNoSignal) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        pipe.close_reader();
        connected.transport.write("in vain");  // SIGPIPE would end the process
        co_await sleep(1ms);
        EXPECT_EQ(events, (Events{"made", "lost BrokenPipeError"}));
    });
}

TEST_F(Pipes, AnAbortDropsWhatIsKept) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        connected.transport.write(std::string(300'000, 'x'));
        connected.transport.abort();
        EXPECT_EQ(connected.transport.get_write_buffer_size(), 0u);
        co_await sleep(1ms);
        EXPECT_EQ(events, (Events{"made", "pause", "lost"}));
    });
}

// CPython: test_events.py, UnixPipeObjectSupportTests.test_read_socket
// CPython: test_events.py, UnixPipeObjectSupportTests.test_write_socket
TEST_F(Pipes, SocketsAreTakenToo) {
    run_net([]() -> Coro<> {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        Events events;
        Events written;
        auto factory = [&] { return Noting(events); };
        auto other_factory = [&] { return Noting(written); };
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
TEST_F(Pipes, AFileIsRefusedAndClosed) {
    run_net([]() -> Coro<> {
        Events events;
        auto factory = [&] { return Noting(events); };
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
TEST_F(Pipes, FifosAreTakenToo) {
    support::Folder folder;
    std::string path = folder.path("sock");
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    run_net([&]() -> Coro<> {
        Events events;
        Events written;
        auto factory = [&] { return Noting(events); };
        auto other_factory = [&] { return Noting(written); };
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
TEST_F(Pipes, UnreadDataInAFifoIsNoHangUp) {
    support::Folder folder;
    std::string path = folder.path("sock");
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    run_net([&]() -> Coro<> {
        Events events;
        auto factory = [&] { return Noting(events); };
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
TEST_F(Pipes, BothSidesOfAPseudoTerminalAreReadAndWritten) {
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
        auto outer_factory = [&] { return Noting(read_outside); };
        auto inner_factory = [&] { return Noting(read_inside); };
        auto writing_factory = [&] { return Noting(written); };
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

TEST_F(Pipes, WhatCannotBeWaitedForIsReadAllTheSame) {
    run_net([]() -> Coro<> {
        Events events;
        auto factory = [&] { return Noting(events); };
        co_await connect_read_pipe(factory, ::open("/dev/null", O_RDONLY | O_CLOEXEC));
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "eof", "lost"}));
    });
}

TEST_F(Pipes, ADescriptorBlocksAgainAtTheEnd) {
    PipeEnds pipe(0);
    int other = ::dup(pipe.reader());
    run_net([&]() -> Coro<> {
        Events events;
        auto factory = [&] { return Noting(events); };
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

TEST_F(Pipes, CancelledWhileItConnectsNothingStaysOpen) {
    run_net([]() -> Coro<> {
        support::have_loop_opened();
        PipeEnds pipe;
        int before = support::count_open_fds();
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connecting = create_task(connect_read_pipe(factory, ::dup(pipe.reader())));
        co_await sleep(0s);
        connecting.cancel();
        co_await wait(connecting);
        co_await sleep(1ms);
        EXPECT_EQ(support::count_open_fds(), before);
        static_cast<void>(connect_read_pipe(factory, ::dup(pipe.reader())));  // and never awaited
        EXPECT_EQ(support::count_open_fds(), before);
    });
}

class Throwing : public Protocol {
    void data_received(std::string_view) override { throw ValueError("what comes is bad"); }
};

TEST_F(Pipes, AProtocolThatThrowsIsToldOfAndReadsOn) {
    run_net([]() -> Coro<> {
        std::vector<std::string> told;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& context) { told.push_back(repr(context.exception)); });
        PipeEnds pipe;
        auto connected = co_await connect_read_pipe([] { return Throwing(); }, pipe.give_reader());
        pipe.write("1");
        co_await sleep(2ms);
        pipe.write("2");
        co_await sleep(2ms);
        EXPECT_EQ(told.size(), 2u);
        EXPECT_FALSE(connected.transport.is_closing());
    });
}

TEST_F(Pipes, ReprIsThatOfPython) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        int number = pipe.reader();
        auto connected = co_await connect_read_pipe(factory, pipe.give_reader());
        std::string fd = "fd=" + std::to_string(number);
        EXPECT_EQ(repr(connected.transport), "<_UnixReadPipeTransport " + fd + " polling>");
        connected.transport.close();
        EXPECT_EQ(repr(connected.transport), "<_UnixReadPipeTransport closing " + fd + " idle>");
        co_await sleep(1ms);
        EXPECT_EQ(repr(connected.transport), "<_UnixReadPipeTransport closed " + fd + " closed>");
        fd = "fd=" + std::to_string(pipe.writer());
        auto writer = co_await connect_write_pipe(factory, pipe.give_writer());
        EXPECT_EQ(repr(writer.transport), "<_UnixWritePipeTransport " + fd + " idle bufsize=0>");
        writer.transport.abort();
        co_await sleep(1ms);
    });
}

}  // namespace
