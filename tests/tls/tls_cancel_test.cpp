#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "net/stream_support.h"
#include "tls/tls_ends.h"

// Handshakes that go on, and files that are sent, when somebody thinks better of it: at each pass of the loop.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::connect_by_tls;
using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::port_of;
using support::run_net;

class TlsCancelTest : public support::NetTest {};
class TlsCancelExecutorTest : public support::NetTest {};

constexpr int most_passes = 300;  // a handshake takes 10 to 30

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (std::string line = "x"; !line.empty();) {
        line = co_await reader.readline();
        writer.write(line);
    }
    writer.close();
}

Coro<Streams> connect_to(int port) {
    OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
    co_return co_await open_connection("127.0.0.1", port, options);
}

Coro<> connect_and_close(int port) {
    Streams streams = co_await connect_to(port);
    streams.writer.close();
    co_await streams.writer.wait_closed();
}

Coro<> expect_echo(const Streams& streams) {
    streams.writer.write("still here\n");
    std::string line = co_await streams.reader.readline();
    EXPECT_EQ(line, "still here\n");
}

Coro<> passes(int count) {
    for (int i = 0; i < count; ++i) co_await sleep(0);
}

/// What comes of it within a time that no handshake takes.
template <class Awaited>
Coro<std::string> outcome_in_time(Awaited awaited) {
    co_return co_await outcome_of(wait_for(awaited, 5s));
}

/// What a client may say whose server has gone.
bool tells_of_the_end(const std::string& outcome) {
    return outcome.starts_with("Connection") || outcome.starts_with("BrokenPipe") || outcome.starts_with("SSL") ||
           outcome == "nothing";
}

TEST_F(TlsCancelTest, AClientGivesItsHandshakeUpAtAnyPassAndNobodyElseIsDisturbed) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = support::for_servers()});
        Streams neighbour = co_await connect_to(port_of(server));
        int cancelled = 0;
        for (bool is_over = false; !is_over && cancelled < most_passes;) {
            auto connecting = create_task(connect_and_close(port_of(server)));
            co_await passes(cancelled);
            is_over = !connecting.cancel();
            std::string outcome = co_await outcome_in_time(connecting);
            EXPECT_EQ(outcome, is_over ? "nothing" : "CancelledError()") << "in pass " << cancelled;
            if (!is_over) ++cancelled;
            co_await expect_echo(neighbour);
        }
        EXPECT_GT(cancelled, 3);
        EXPECT_LT(cancelled, most_passes);
        neighbour.writer.close();
        co_await neighbour.writer.wait_closed();
        server.close();
        std::string outcome = co_await outcome_in_time(create_task(server.wait_closed()));
        EXPECT_EQ(outcome, "nothing");
    });
}

TEST_F(TlsCancelTest, AServerGivesAHandshakeUpAtAnyPassAndTheClientLearnsOfIt) {
    run_net([]() -> Coro<> {
        int cancelled = 1;  // before that it has not begun
        for (bool is_over = false; !is_over && cancelled < most_passes;) {
            Ends ends = co_await connect_ends();
            auto begin = [](StreamWriter writer, bool is_client) -> Coro<> {
                StartTlsOptions options = {.server_hostname = "localhost"};
                if (!is_client) options = {};
                co_await writer.start_tls(is_client ? support::for_clients() : support::for_servers(), options);
            };
            auto of_server = create_task(begin, ends.server.writer, false);
            auto of_client = create_task(begin, ends.client.writer, true);
            co_await passes(cancelled);
            is_over = !of_server.cancel();
            std::string outcome = co_await outcome_in_time(of_server);
            EXPECT_EQ(outcome, is_over ? "nothing" : "CancelledError()") << "in pass " << cancelled;
            EXPECT_EQ(ends.server.writer.is_closing(), !is_over) << "in pass " << cancelled;
            outcome = co_await outcome_in_time(of_client);
            if (is_over) {
                EXPECT_EQ(outcome, "nothing");
            }
            if (!is_over && outcome == "nothing")
                outcome = co_await outcome_in_time(create_task(ends.client.reader.read(1)));
            if (!is_over) {
                // It is told by the handshake, or, if its own was over, when it reads.
                EXPECT_TRUE(tells_of_the_end(outcome)) << outcome << " in pass " << cancelled;
                ++cancelled;
            }
            ends.client.writer.abort();
            ends.server.writer.abort();
        }
        EXPECT_GT(cancelled, 3);
        EXPECT_LT(cancelled, most_passes);
    });
}

TEST_F(TlsCancelTest, AServerDropsOrClosesItsClientsAtAnyPassOfTheirHandshakes) {
    run_net([]() -> Coro<> {
        for (bool aborts : {false, true}) {
            bool is_over = false;
            int count = 0;
            for (; !is_over && count < most_passes; ++count) {
                Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = support::for_servers()});
                auto connecting = create_task(connect_to(port_of(server)));
                co_await passes(count);
                is_over = connecting.done();
                server.close();
                aborts ? server.abort_clients() : server.close_clients();
                std::string outcome = co_await outcome_in_time(create_task(server.wait_closed()));
                EXPECT_EQ(outcome, "nothing") << "in pass " << count;
                outcome = co_await outcome_in_time(connecting);
                if (outcome == "nothing") {
                    Streams streams = connecting.result();
                    outcome = co_await outcome_in_time(create_task(streams.reader.read()));
                    streams.writer.abort();
                }
                EXPECT_TRUE(tells_of_the_end(outcome)) << outcome << " in pass " << count;
            }
            EXPECT_GT(count, 3);
            EXPECT_LT(count, most_passes);
        }
    });
}

TEST_F(TlsCancelExecutorTest, AFileThatIsNotSentToItsEndLeavesAConnectionThatCanBeUsed) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
    ASSERT_EQ(::ftruncate(::fileno(file.get()), 1 << 26), 0);  // more than can be on its way
    run_net([&]() -> Coro<> {
        for (int count : {0, 1, 2, 3, 10, 200}) {
            Ends ends = co_await connect_by_tls();
            auto send = [&]() -> Coro<> { co_await sendfile(ends.client.writer.transport(), ::fileno(file.get())); };
            auto sending = create_task(send);
            co_await passes(count);
            sending.cancel();
            std::string outcome = co_await outcome_in_time(sending);
            EXPECT_EQ(outcome, "CancelledError()") << count;
            ends.client.writer.write("the end");
            ends.client.writer.close();
            std::string all = co_await ends.server.reader.read();
            EXPECT_TRUE(all.ends_with("the end")) << count;
            EXPECT_EQ(all.find_first_not_of('\0'), all.size() - 7) << count;
            ends.server.writer.close();
            co_await ends.client.writer.wait_closed();
        }
    });
}

}  // namespace
}  // namespace asyncio
