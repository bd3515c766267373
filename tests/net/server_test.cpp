#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/sync/event.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::connect_ends;
using support::Ends;
using support::Folder;
using support::NetTest;
using support::outcome;
using support::port_of;
using support::Reports;
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

bool exists(const std::string& path) {
    struct stat file = {};
    return ::lstat(path.c_str(), &file) == 0;
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

// CPython: test_streams.py, StreamTests.test_unhandled_exception
// CPython: test_streams.py, StreamTests.test_unhandled_exception_sync_callback
TEST_F(ServerTest, WhatACallbackThrowsIsReportedAndItsConnectionClosed) {
    auto coroutine = [](StreamReader reader, StreamWriter) -> Coro<> {
        co_await reader.read(1);
        throw ValueError("test");
    };
    auto plain = [](StreamReader, StreamWriter) { throw ValueError("test"); };
    for (bool is_plain : {false, true}) {
        run_net([&]() -> Coro<> {
            Reports reports;
            reports.listen(get_running_loop());
            Server server;
            if (is_plain) {
                server = co_await start_server(plain, "127.0.0.1", 0);
            } else {
                server = co_await start_server(coroutine, "127.0.0.1", 0);
            }
            auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
            writer.write("test msg");
            try {
                co_await reader.read();
            } catch (const ConnectionResetError&) {  // it had something unread
            }
            writer.close();
            server.close();
            co_await server.wait_closed();
            EXPECT_EQ(reports.str(), "Unhandled exception in client_connected_cb: ValueError('test')");
            EXPECT_EQ(static_cast<bool>(reports.contexts.at(0).task), !is_plain);
            if (!is_plain) {
                EXPECT_EQ(reports.contexts[0].task.get_name().substr(0, 5), "Task-");
                EXPECT_FALSE(reports.stacks[0].empty());
            }
            EXPECT_EQ(reports.contexts[0].transport.substr(0, 25), "<_SelectorSocketTransport")
                << reports.contexts[0].transport;
            get_running_loop().set_exception_handler(nullptr);
        });
    }
}

// CPython: test_streams.py, StreamTests.test_unhandled_cancel
TEST_F(ServerTest, ACallbackThatIsCancelledIsNotReported) {
    run_net([]() -> Coro<> {
        Reports reports;
        reports.listen(get_running_loop());
        auto serve = [](StreamReader reader, StreamWriter) -> Coro<> {
            current_task().cancel();
            co_await reader.read();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "");
        writer.close();
        server.close();
        co_await server.wait_closed();
        EXPECT_EQ(reports.str(), "");
        get_running_loop().set_exception_handler(nullptr);
    });
}

ContextVar<std::string> user{"user", "nobody"};

TEST_F(ServerTest, ItsCallbacksSeeTheContextInWhichItBegan) {
    run_net([]() -> Coro<> {
        std::vector<std::string> seen;
        auto serve = [&](StreamReader, StreamWriter) -> Coro<> {
            seen.push_back(user.get());
            user.set("changed");
            co_return;
        };
        user.set("starter");
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        user.set("later");
        for (int i = 0; i < 2; ++i) {
            auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
            co_await reader.read();
        }
        EXPECT_EQ(seen, (std::vector<std::string>{"starter", "starter"}));
        server.close();
    });
}

TEST_F(ServerTest, ACallbackLivesAsLongAsItsTasks) {
    run_net([]() -> Coro<> {
        std::string got;
        Server server;
        {
            auto serve = [&got, kept = std::string(100, 'x')](StreamReader reader, StreamWriter) -> Coro<> {
                got = co_await reader.read();
                got += kept;
            };
            server = co_await start_server(serve, "127.0.0.1", 0);
        }
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        co_await sleep(1ms);
        server.close();
        server = Server();
        writer.write("hello");
        writer.close();
        co_await reader.read();
        co_await sleep(1ms);
        EXPECT_EQ(got, "hello" + std::string(100, 'x'));
    });
}

// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_addr_cleanup
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_sock_cleanup
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_cleanup_gone
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_cleanup_replaced
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_cleanup_prevented
TEST_F(ServerTest, AUnixServersPathGoesWithItIfItIsStillItsOwn) {
    Folder folder;
    std::string path = folder.path("sock");
    run_net([&]() -> Coro<> {
        Server server = co_await start_unix_server(drop, path);
        EXPECT_TRUE(exists(path));
        server.close();
        EXPECT_FALSE(exists(path));

        Socket bound(AddressFamily::UNIX);
        bound.bind(SocketAddress::unix_path(path));
        server = co_await start_unix_server(drop, {.sock = &bound});
        server.close();
        EXPECT_FALSE(exists(path));

        server = co_await start_unix_server(drop, path);
        ::unlink(path.c_str());
        server.close();

        server = co_await start_unix_server(drop, path);
        ::unlink(path.c_str());
        Socket other(AddressFamily::UNIX);
        other.bind(SocketAddress::unix_path(path));
        server.close();
        EXPECT_TRUE(exists(path));

        server = co_await start_unix_server(drop, path, {.cleanup_socket = false});
        server.close();
        EXPECT_TRUE(exists(path));
    });
}

// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_existing_path_sock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_existing_path_nonsock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_bind_error
TEST_F(ServerTest, AStaleSocketIsReplacedAndAnotherFileIsNot) {
    Folder folder;
    std::string path = folder.path("sock");
    run_net([&]() -> Coro<> {
        {
            Socket stale(AddressFamily::UNIX);
            stale.bind(SocketAddress::unix_path(path));
        }
        Server server = co_await start_unix_server(drop, path);
        server.close();
        ::close(::creat(path.c_str(), 0600));
        try {
            co_await start_unix_server(drop, path);
            ADD_FAILURE();
        } catch (const OSError& error) {
            EXPECT_EQ(std::string(error.what()), "[Errno 98] Address '" + path + "' is already in use");
        }
        try {
            co_await start_unix_server(drop, folder.path("no/such/folder"));
            ADD_FAILURE();
        } catch (const FileNotFoundError& error) {
            EXPECT_EQ(std::string(error.what()),
                      "[Errno 2] No such file or directory: '" + folder.path("no/such/folder") + "'");
        }
    });
}

// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_nopath_nosock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_path_inetsock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_path_dgram
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_path_stream_bittype
// CPython: test_events.py, EventLoopTestsMixin.test_create_unix_server_path_socket_error
TEST_F(ServerTest, AUnixServerTakesAPathOrAUnixStreamSocket) {
    run_net([]() -> Coro<> {
        Socket internet(AddressFamily::INET);
        Socket datagrams(AddressFamily::UNIX, SocketKind::DGRAM);
        Socket good(AddressFamily::UNIX);
        std::string said;
        for (int i = 0; i < 4; ++i) {
            try {
                if (i == 0) {
                    co_await start_unix_server(drop, StartUnixServerOptions());
                } else if (i == 1) {
                    co_await start_unix_server(drop, {.sock = &internet});
                } else if (i == 2) {
                    co_await start_unix_server(drop, {.sock = &datagrams});
                } else {
                    co_await start_unix_server(drop, "/path", {.sock = &good});
                }
            } catch (const ValueError& error) {
                said += std::string(error.what()).substr(0, 60) + "\n";
            }
        }
        EXPECT_EQ(said,
                  "path was not specified, and no sock specified\n"
                  "A UNIX Domain Stream Socket was expected, got <socket.socket\n"
                  "A UNIX Domain Stream Socket was expected, got <socket.socket\n"
                  "path and sock can not be specified at the same time\n");
        EXPECT_TRUE(good);  // it was not taken
        good.bind(SocketAddress::unix_path(std::string(1, '\0') + "asyncio-server-test"));
        Server server = co_await start_unix_server(drop, {.sock = &good});
        server.close();
    });
}

}  // namespace
