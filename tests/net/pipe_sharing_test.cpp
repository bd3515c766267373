// Two transports of pipes with one number, or with one open file.
#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "net/net_support.h"
#include "net/pipe_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::NetTest;
using support::NotingPipe;
using support::outcome_of;
using support::PipeEnds;
using support::run_net;

namespace {

using PipeSharing = NetTest;
using Events = std::vector<std::string>;

bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

TEST_F(PipeSharing, ASecondTransportOnANumberIsRefusedAndClosesNothing) {
    run_net([]() -> Coro<> {
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        PipeEnds pipe;
        int number = pipe.give_reader();
        auto reader = co_await connect_read_pipe(factory, number);
        const std::string refused = "RuntimeError('File descriptor " + std::to_string(number) +
                                    " is used by transport " + repr(reader.transport) + "')";
        std::string again = co_await outcome_of(connect_read_pipe(factory, number));
        std::string as_writer = co_await outcome_of(connect_write_pipe(factory, number));
        std::string waiting = co_await outcome_of(readable(number));
        std::string watching = support::outcome([&] { get_running_loop().add_reader(number, [] {}); });
        std::string ending = support::outcome([&] { get_running_loop().remove_reader(number); });
        EXPECT_EQ(again, refused);
        EXPECT_EQ(as_writer, refused);
        EXPECT_EQ(waiting, refused);
        EXPECT_EQ(watching, refused);
        EXPECT_EQ(ending, refused);
        pipe.write("text");
        co_await sleep(2ms);
        reader.transport.close();
        co_await sleep(2ms);
        EXPECT_EQ(events, (Events{"made", "data text", "lost"}));
        // The number is free again.
        PipeEnds other;
        EXPECT_EQ(::dup2(other.reader(), number), number);
        auto later = co_await connect_read_pipe(factory, number);
        later.transport.close();
        co_await sleep(2ms);
    });
}

/// A terminal by two descriptors of one open file, as a program has it that a shell has started.
TEST_F(PipeSharing, TheFirstToEndDoesNotMakeTheOthersFileBlock) {
    run_net([]() -> Coro<> {
        int ends[2];
        EXPECT_EQ(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
        int looking = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
        int second = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        auto reader = co_await connect_read_pipe(factory, ends[0]);
        auto writer = co_await connect_write_pipe(factory, second);
        EXPECT_FALSE(blocks(looking));
        reader.transport.close();
        co_await sleep(2ms);
        EXPECT_FALSE(blocks(looking));
        writer.transport.write(std::string(100'000, 'x'));  // more than a terminal keeps
        EXPECT_GT(writer.transport.get_write_buffer_size(), 0U);
        writer.transport.abort();
        co_await sleep(2ms);
        EXPECT_TRUE(blocks(looking));
        ::close(looking);
        ::close(ends[1]);
    });
}

// The ends of a pipe are files of their own.
TEST_F(PipeSharing, TheOtherEndOfAPipeIsAnotherFile) {
    run_net([]() -> Coro<> {
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        PipeEnds pipe(0);
        int looking = ::fcntl(pipe.writer(), F_DUPFD_CLOEXEC, 0);
        auto reader = co_await connect_read_pipe(factory, pipe.give_reader());
        auto writer = co_await connect_write_pipe(factory, pipe.give_writer());
        EXPECT_FALSE(blocks(looking));
        writer.transport.close();
        co_await sleep(2ms);
        EXPECT_TRUE(blocks(looking));
        reader.transport.close();
        ::close(looking);
        co_await sleep(2ms);
    });
}

}  // namespace
