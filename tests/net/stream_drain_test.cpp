#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/stream_support.h"
#include "net/write_buffer.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::connect_ends;
using support::Ends;
using support::fill;
using support::NetTest;
using support::outcome;
using support::port_of;
using support::run_net;

namespace {

using StreamDrainTest = NetTest;

// CPython: test_events.py, EventLoopTestsMixin.test_writelines_empty_chunk
TEST_F(StreamDrainTest, EmptyPiecesDoNotHoldUpADrain) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.writer.writelines(std::vector<std::string>{""});
        co_await ends.client.writer.drain();
        EXPECT_EQ(ends.client.writer.get_write_buffer_size(), 0u);
        std::size_t written = fill(ends.client.writer);
        ends.client.writer.writelines(std::vector<std::string>{"", "abc", ""});
        ends.client.writer.close();
        std::string text = co_await ends.server.reader.read();
        EXPECT_EQ(text.size(), written + 3);
        EXPECT_TRUE(text.ends_with("abc"));
    });
}

// CPython: test_transports.py, TransportTests.test_flowcontrol_mixin_set_write_limits
TEST_F(StreamDrainTest, LimitsAreDerivedFromEachOther) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        auto limits = [&] {
            WriteBufferLimits now = writer.get_write_buffer_limits();
            return std::to_string(now.low) + " " + std::to_string(now.high);
        };
        EXPECT_EQ(limits(), "16384 65536");
        writer.set_write_buffer_limits({.high = 1024});
        EXPECT_EQ(limits(), "256 1024");
        writer.set_write_buffer_limits({.low = 1024});
        EXPECT_EQ(limits(), "1024 4096");
        writer.set_write_buffer_limits({.high = 1024, .low = 128});
        EXPECT_EQ(limits(), "128 1024");
        EXPECT_EQ(outcome([&] {
                      writer.set_write_buffer_limits({.high = 1, .low = 2});
                      return 0;
                  }),
                  "ValueError('high (1) must be >= low (2) must be >= 0')");
        writer.set_write_buffer_limits({.high = 0});
        EXPECT_EQ(limits(), "0 0");
        writer.set_write_buffer_limits();
        EXPECT_EQ(limits(), "16384 65536");
    });
}

TEST_F(StreamDrainTest, DrainWaitsAboveTheHighMarkUntilTheLow) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        fill(writer);
        writer.set_write_buffer_limits({.high = 200'000, .low = 50'000});
        while (writer.get_write_buffer_size() <= 200'000) writer.write(std::string(50'000, 'x'));
        auto draining = create_task(writer.drain());
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_FALSE(draining.done());
        std::size_t least = writer.get_write_buffer_size();
        while (!draining.done()) {
            std::string text = co_await ends.server.reader.read(10'000);
            EXPECT_FALSE(text.empty());
            co_await sleep(0s);
            if (!draining.done()) least = writer.get_write_buffer_size();
        }
        EXPECT_LE(writer.get_write_buffer_size(), 50'000u);
        EXPECT_LE(least, 250'000u);
        writer.abort();
    });
}

// CPython: test_streams.py, StreamTests.test_multiple_drain
TEST_F(StreamDrainTest, AllWhoDrainGoOn) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        while (writer.get_write_buffer_size() <= 65536) writer.write(std::string(100'000, 'x'));
        int drained = 0;
        auto drain = [&]() -> Coro<> {
            co_await writer.drain();
            ++drained;
        };
        std::vector<Task<>> tasks;
        for (int i = 0; i < 10; ++i) tasks.push_back(create_task(drain()));
        co_await sleep(0s);
        EXPECT_EQ(drained, 0);
        tasks.back().cancel();
        auto reading = create_task(ends.server.reader.read());
        for (int i = 0; i < 9; ++i) {
            co_await tasks[static_cast<std::size_t>(i)];
        }
        EXPECT_EQ(drained, 9);
        EXPECT_TRUE(tasks.back().cancelled());
        writer.close();
        co_await reading;
    });
}

// CPython: test_streams.py, StreamTests.test_drain_raises
TEST_F(StreamDrainTest, WritingOnAndOnToWhoIsGoneEndsByAnError) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        try {
            for (;;) {
                writer.write("foo\n");
                co_await writer.drain();
            }
        } catch (const ConnectionError&) {
            std::string error = caught();
            EXPECT_TRUE(error.starts_with("ConnectionResetError") || error.starts_with("BrokenPipeError")) << error;
        }
        server.close();
    });
}

// CPython: test_streams.py, StreamTests.test_async_writer_api_exception_after_close
TEST_F(StreamDrainTest, DrainAfterCloseIsAConnectionError) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.writer.close();
        try {
            ends.client.writer.write("data");
            co_await ends.client.writer.drain();
            ADD_FAILURE();
        } catch (const ConnectionResetError& error) {
            EXPECT_STREQ(error.what(), "Connection lost");
        }
    });
}

}  // namespace
