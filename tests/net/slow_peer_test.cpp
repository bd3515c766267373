#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/faulty_backend.h"
#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::connect_ends;
using support::Ends;
using support::FaultyBackend;
using support::NetTest;
using support::port_of;
using support::run_net;
using support::run_on;

namespace {

using SlowPeerTest = NetTest;

TEST_F(SlowPeerTest, OneByteAtATimeIsEnough) {
    FaultyBackend backend;
    for (std::size_t most : {1U, 2U, 3U, 7U}) {
        backend.most = most;
        run_on(backend, [&]() -> Coro<> {
            auto echo = [](StreamReader reader, StreamWriter writer) -> Coro<> {
                while (auto line = co_await reader.next()) writer.write(*line);
                writer.write(std::string(200, 'x'));
                writer.close();
            };
            Server server = co_await start_server(echo, "127.0.0.1", 0);
            auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
            std::vector<std::string> lines = {"first\n", "second", " line\n", "\n"};
            writer.writelines(lines);
            writer.write("the last");
            writer.write_eof();
            std::string line = co_await reader.readline();
            EXPECT_EQ(line, "first\n");
            line = co_await reader.readexactly(13);
            EXPECT_EQ(line, "second line\n\n");
            line = co_await reader.read();
            EXPECT_EQ(line, "the last" + std::string(200, 'x'));

            auto [a, b] = socketpair();
            auto sending = create_task(sock_sendall(a, "through a socket"));
            std::string text;
            while (text.size() < 16) {
                std::string part = co_await sock_recv(b, 100);
                EXPECT_LE(part.size(), most);
                text += part;
            }
            co_await sending;
            EXPECT_EQ(text, "through a socket");
            server.close();
        });
    }
}

TEST_F(SlowPeerTest, AResetWakesWhoDrains) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        while (ends.client.writer.get_write_buffer_size() <= 65536) {
            ends.client.writer.write(std::string(100'000, 'x'));
        }
        auto draining = create_task(ends.client.writer.drain());
        co_await sleep(0s);
        support::reset(ends.server.writer);
        try {
            co_await draining;
            ADD_FAILURE();
        } catch (const ConnectionError&) {  // a reset, or a broken pipe if the writer meets it first
        }
        EXPECT_EQ(ends.client.writer.get_write_buffer_size(), 0u);
    });
}

TEST_F(SlowPeerTest, APeerThatNeverReadsHoldsUpWhoDrainsAndNoMore) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::size_t most = 0;
        std::size_t written = 0;
        auto write_for_ever = [&]() -> Coro<> {
            for (;;) {
                ends.client.writer.write(std::string(50'000, 'x'));
                written += 50'000;
                most = std::max(most, ends.client.writer.get_write_buffer_size());
                co_await ends.client.writer.drain();
            }
        };
        auto writing = create_task(write_for_ever());
        std::size_t before = 1;
        while (before != written) {
            before = written;
            co_await sleep(20ms);
        }
        EXPECT_FALSE(writing.done());
        EXPECT_LE(most, 65536u + 50'000u);
        // The reader has not taken more than twice its limit and one receive, either.
        EXPECT_LE(ends.server.reader.state()->available().size(), 2u * 65536u + 262'144u);
        writing.cancel();
        ends.client.writer.abort();
    });
}

TEST_F(SlowPeerTest, AReaderOfSmallPiecesGetsAllOfAFastWriter) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends({.limit = 1000});
        std::string sent;
        for (int i = 0; i < 400'000; ++i) sent += static_cast<char>('a' + i % 23);
        auto write = [&]() -> Coro<> {
            for (std::size_t at = 0; at < sent.size(); at += 5000) {
                ends.client.writer.write(std::string_view(sent).substr(at, 5000));
                co_await ends.client.writer.drain();
            }
            ends.client.writer.close();
        };
        auto writing = create_task(write());
        std::string received;
        for (;;) {
            std::string part = co_await ends.server.reader.read(700);
            if (part.empty()) break;
            received += part;
            if (received.size() % 3 == 0) {
                co_await sleep(0s);
            }
        }
        EXPECT_TRUE(received == sent);
        co_await writing;
    });
}

TEST_F(SlowPeerTest, WhatIsAskedForMayBeMoreThanTheLimit) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends({.limit = 100});
        auto write = [&]() -> Coro<> {
            ends.client.writer.write(std::string(500'000, 'x'));
            co_await ends.client.writer.drain();
            ends.client.writer.close();
        };
        auto writing = create_task(write());
        co_await sleep(5ms);  // it is held up by now
        std::string text = co_await ends.server.reader.readexactly(300'000);
        EXPECT_EQ(text.size(), 300'000u);
        text = co_await ends.server.reader.read();
        EXPECT_EQ(text.size(), 200'000u);
        co_await writing;
    });
}

}  // namespace
