#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/sync/event.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Folder;
using support::NetTest;
using support::port_of;
using support::run_each_pass;
using support::run_net;

namespace {

using ServerTest = NetTest;

void drop(StreamReader, StreamWriter) {}

/// Reads until the end, then closes.
Coro<> read_all(StreamReader reader, StreamWriter writer) {
    std::exception_ptr error;
    try {
        co_await reader.read();
    } catch (...) {
        error = std::current_exception();
    }
    writer.close();
    if (error) std::rethrow_exception(error);
    co_await writer.wait_closed();
}

// CPython: test_server.py, BaseStartServer.test_start_server_1
// CPython: test_server.py, SelectorStartServerTests.test_start_unix_server_1
TEST_F(ServerTest, IsServedForeverUntilItsTaskIsCancelled) {
    Folder folder;
    for (bool tcp : {true, false}) {
        run_net([&]() -> Coro<> {
            AnyTask main_task;
            auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
                co_await reader.readline();
                main_task.cancel();
                writer.write("1");
                writer.close();
                co_await writer.wait_closed();
            };
            Server server;
            if (tcp) {
                server = co_await start_server(serve, "127.0.0.1", 0, {.start_serving = false});
            } else {
                server = co_await start_unix_server(serve, folder.path("sock"), {.start_serving = false});
            }
            EXPECT_FALSE(server.is_serving());
            EXPECT_EQ(server.sockets().size(), 1u);
            auto amain = [&]() -> Coro<> {
                co_await with(server, [&](Server& entered) -> Coro<> {
                    EXPECT_FALSE(entered.is_serving());
                    co_await entered.start_serving();
                    EXPECT_TRUE(entered.is_serving());
                    co_await entered.serve_forever();
                });
            };
            main_task = create_task(amain());
            co_await sleep(0s);
            co_await sleep(0s);
            Streams streams;
            if (tcp) {
                streams = co_await open_connection("127.0.0.1", port_of(server));
            } else {
                streams = co_await open_unix_connection(folder.path("sock"));
            }
            streams.writer.write(std::string(5 * 1024, '1') + "\n");
            std::string answer = co_await streams.reader.read(1);
            EXPECT_EQ(answer, "1");
            try {
                co_await main_task;
                ADD_FAILURE();
            } catch (const CancelledError&) {
            }
            EXPECT_TRUE(main_task.cancelled());
            EXPECT_TRUE(server.sockets().empty());
            EXPECT_FALSE(server.is_serving());
            try {
                co_await server.serve_forever();
                ADD_FAILURE();
            } catch (const RuntimeError& error) {
                EXPECT_STREQ(error.what(), "server <Server sockets=()> is closed");
            }
        });
    }
}

// CPython: test_server.py, TestServer2.test_wait_closed_basic
TEST_F(ServerTest, WaitClosedWaitsForItsCloseAndForAllConnections) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(read_all, "127.0.0.1", 0);
        auto first = create_task(server.wait_closed());
        co_await sleep(0s);
        EXPECT_FALSE(first.done());
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        auto second = create_task(server.wait_closed());
        co_await sleep(0s);
        EXPECT_FALSE(first.done() || second.done());
        server.close();
        server.close();
        co_await sleep(0s);
        auto third = create_task(server.wait_closed());
        auto cancelled = create_task(server.wait_closed());
        co_await sleep(0s);
        EXPECT_FALSE(first.done() || second.done() || third.done());
        cancelled.cancel();
        writer.close();
        co_await writer.wait_closed();
        co_await first;
        co_await second;
        co_await third;
        co_await server.wait_closed();
        EXPECT_TRUE(cancelled.cancelled());
    });
}

// CPython: test_server.py, TestServer2.test_wait_closed_race
TEST_F(ServerTest, WaitClosedIsRightWhenTheLastConnectionEndsTogetherWithTheServer) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(read_all, "127.0.0.1", 0);
        auto waiting = create_task(server.wait_closed());
        co_await sleep(0s);
        EXPECT_FALSE(waiting.done());
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        EventLoop& loop = get_running_loop();
        loop.call_soon([&] { server.close(); });
        loop.call_soon([&closing = writer] { closing.close(); });
        co_await server.wait_closed();
        co_await waiting;
    });
}

// CPython: test_server.py, TestServer2.test_close_clients
TEST_F(ServerTest, CloseClientsClosesItsConnections) {
    run_each_pass([]() -> Coro<> {
        Server server = co_await start_server(read_all, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        auto waiting = create_task(server.wait_closed());
        co_await sleep(0s);
        EXPECT_FALSE(waiting.done());
        server.close();
        server.close_clients();
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_TRUE(waiting.done());
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "");
    });
}

// CPython: test_server.py, TestServer2.test_abort_clients
TEST_F(ServerTest, AbortClientsDropsThemWithWhatIsKept) {
    run_each_pass([]() -> Coro<> {
        Future<> connected = get_running_loop().create_future<>();
        Streams at_server;
        auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            at_server = Streams{reader, writer};  // lint: allow-co-await no await here
            connected.set_result();
            co_await writer.wait_closed();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server), {.limit = 4096});
        co_await connected;
        // The client reads no more when it has more than twice its limit.
        for (int i = 0; i < 3; ++i) at_server.writer.write(std::string(4096, 'a'));
        while (writer.is_reading()) {
            co_await sleep(0s);
        }
        while (at_server.writer.get_write_buffer_size() == 0) at_server.writer.write(std::string(100'000, 'a'));
        auto waiting = create_task(server.wait_closed());
        co_await sleep(0s);
        EXPECT_FALSE(waiting.done());
        server.close();
        server.abort_clients();
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_TRUE(waiting.done());
        writer.abort();
    });
}

// CPython: test_server.py, TestServer2.test_close_with_hanging_client
TEST_F(ServerTest, CancellingServeForeverClosesClientsThatHang) {
    run_net([]() -> Coro<> {
        Event connected;
        auto serve = [&](StreamReader reader, StreamWriter) -> Coro<> {
            connected.set();
            co_await reader.read();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        auto serving = create_task(server.serve_forever());
        co_await sleep(0s);
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, server.sockets()[0].getsockname());
        co_await connected.wait();
        serving.cancel();
        co_await with(timeout(5s), [&](Timeout&) -> Coro<> { co_await server.wait_closed(); });
        EXPECT_FALSE(server.is_serving());
        std::string end = co_await sock_recv(client, 10);
        EXPECT_EQ(end, "");
    });
}

TEST_F(ServerTest, ServingForeverEndsByACloseAndIsForOneTask) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0, {.start_serving = false});
        auto serving = create_task(server.serve_forever());
        co_await sleep(0s);
        EXPECT_TRUE(server.is_serving());
        try {
            co_await server.serve_forever();
            ADD_FAILURE();
        } catch (const RuntimeError& error) {
            EXPECT_EQ(std::string(error.what()),
                      "server " + repr(server) + " is already being awaited on serve_forever()");
        }
        server.close();
        try {
            co_await serving;
            ADD_FAILURE();
        } catch (const CancelledError&) {
        }
    });
}

// CPython: test_events.py, TestServer.test_get_loop
// CPython: test_events.py, EventLoopTestsMixin.test_create_server_trsock
TEST_F(ServerTest, KnowsItsLoopAndItsSockets) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        EXPECT_EQ(&server.get_loop(), &get_running_loop());
        std::vector<TransportSocket> sockets = server.sockets();
        EXPECT_EQ(sockets.size(), 1u);
        EXPECT_EQ(repr(server), "<Server sockets=(" + repr(sockets[0]) + ",)>");
        EXPECT_EQ(sockets[0].getsockname().host(), "127.0.0.1");
        server.close();
        EXPECT_EQ(sockets[0].fileno(), -1);
        EXPECT_EQ(repr(server), "<Server sockets=()>");
        EXPECT_FALSE(Server());
        EXPECT_EQ(repr(Server()), "None");
        EXPECT_THROW(Server().close(), RuntimeError);
        co_return;
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_server_close
TEST_F(ServerTest, AClosedOneRefusesConnections) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        SocketAddress address = server.sockets()[0].getsockname();
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, address);
        server.close();
        Socket late(AddressFamily::INET);
        try {
            co_await sock_connect(late, address);
            ADD_FAILURE();
        } catch (const ConnectionRefusedError&) {
        }
    });
}

TEST_F(ServerTest, GoesOnServingWithoutAHandleUntilTheLoopEnds) {
    int served = 0;
    run_net([&]() -> Coro<> {
        int port = 0;
        {
            auto count = [&](StreamReader, StreamWriter) { ++served; };
            Server server = co_await start_server(count, "127.0.0.1", 0);
            port = port_of(server);
        }
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "");
    });
    EXPECT_EQ(served, 1);
}

TEST_F(ServerTest, OneThatNeverServedGoesWithItsLastHandle) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0, {.start_serving = false});
        int fds = support::count_open_fds();
        server = Server();
        EXPECT_EQ(support::count_open_fds(), fds - 1);
    });
}

}  // namespace
