#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
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
using support::NotingPipe;
using support::PipeEnds;
using support::run_each_pass;
using support::run_net;

namespace {

using Pipes = NetTest;
using Events = std::vector<std::string>;

// CPython: test_events.py, EventLoopTestsMixin.test_read_pipe
// CPython: test_events.py, UnixPipeObjectSupportTests.test_read_pipe
TEST_F(Pipes, AReadersProtocolIsToldOfAllThatComesAndOfTheEnd) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return NotingPipe(events); };
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
        auto factory = [&] { return NotingPipe(events); };
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
        auto factory = [&] { return NotingPipe(events); };
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
        auto factory = [&] { return NotingPipe(events); };
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
        auto factory = [&] { return NotingPipe(events); };
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
        auto factory = [&] { return NotingPipe(events); };
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

TEST_F(Pipes, AWriterLearnsOfRoomInTheContextOfTheWriteThatFoundNone) {
    run_net([]() -> Coro<> {
        static ContextVar<std::string> writer("writer");
        struct Noting : NotingPipe {
            explicit Noting(Events& its_events) : NotingPipe(its_events), events(its_events) {}
            void connection_made(Transport its_transport) override { transport = its_transport; }
            void resume_writing() override {
                events.push_back(writer.get("nobody"));
                if (round < 3) copy_context().run([this] { write(); });
            }
            void write() {
                auto token = writer.set(std::to_string(++round));
                transport.write(std::string(300'000, 'x'));
                EXPECT_EQ(writer.get(), std::to_string(round));
                EXPECT_NO_THROW(writer.reset(token)) << "it is another context";
                writer.set(std::to_string(round));
            }
            Events& events;
            Transport transport;
            int round = 0;
        };
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return Noting(events); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        connected.protocol->write();
        while (events.size() < 6) {
            co_await readable(pipe.reader());
            pipe.read();
        }
        EXPECT_EQ(events, (Events{"pause", "1", "pause", "2", "pause", "3"}));
        connected.transport.abort();
        co_await sleep(1ms);
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_write_pipe_disconnect_on_close
TEST_F(Pipes, AReaderThatGoesEndsItsWriter) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return NotingPipe(events); };
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
        auto factory = [&] { return NotingPipe(events); };
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
        auto factory = [&] { return NotingPipe(events); };
        auto connected = co_await connect_write_pipe(factory, pipe.give_writer());
        connected.transport.write(std::string(300'000, 'x'));
        connected.transport.abort();
        EXPECT_EQ(connected.transport.get_write_buffer_size(), 0u);
        co_await sleep(1ms);
        EXPECT_EQ(events, (Events{"made", "pause", "lost"}));
    });
}

TEST_F(Pipes, CancelledWhileItConnectsNothingStaysOpen) {
    run_net([]() -> Coro<> {
        support::have_loop_opened();
        PipeEnds pipe;
        int before = support::count_open_fds();
        Events events;
        auto factory = [&] { return NotingPipe(events); };
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

TEST_F(Pipes, ExtraInfoIsTheDescriptorUntilItIsOthers) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return NotingPipe(events); };
        int reader = pipe.reader(), writer = pipe.writer();
        auto read = co_await connect_read_pipe(factory, pipe.give_reader());
        auto written = co_await connect_write_pipe(factory, pipe.give_writer());
        EXPECT_EQ(read.transport.get_extra_info("pipe").pipe(), reader);
        EXPECT_EQ(written.transport.get_extra_info("pipe").pipe(), writer);
        EXPECT_EQ(repr(read.transport.get_extra_info("pipe")), std::to_string(reader));
        EXPECT_FALSE(read.transport.get_extra_info("socket"));
        EXPECT_EQ(read.transport.get_extra_info("peername").pipe(), -1);
        read.transport.close();
        EXPECT_TRUE(read.transport.get_extra_info("pipe"));
        co_await sleep(1ms);
        EXPECT_FALSE(read.transport.get_extra_info("pipe"));
        EXPECT_EQ(repr(read.transport.get_extra_info("pipe")), "None");
        written.transport.abort();
        co_await sleep(1ms);
    });
}

TEST_F(Pipes, ReprIsThatOfPython) {
    run_net([]() -> Coro<> {
        PipeEnds pipe;
        Events events;
        auto factory = [&] { return NotingPipe(events); };
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
