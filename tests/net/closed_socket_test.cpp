#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <string>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::count_open_fds;
using support::NetTest;
using support::run_net;

namespace {

using ClosedSocketTest = NetTest;

void drop(StreamReader, StreamWriter) {}

template <class Call>
Coro<std::string> error_of(Call call) {
    std::string error = "nothing";
    try {
        co_await call();
    } catch (...) {
        error = caught();
    }
    co_return error;
}

TEST_F(ClosedSocketTest, IsNoGroundForAStreamOrAServer) {
    run_net([]() -> Coro<> {
        Socket socket(AddressFamily::INET);
        socket.close();
        std::string error = co_await error_of([&] { return open_connection({.sock = &socket}); });
        EXPECT_EQ(error, "OSError(9, 'Bad file descriptor')");
        Socket another(AddressFamily::INET);
        another.close();
        error = co_await error_of([&] { return start_server(drop, {.sock = &another}); });
        EXPECT_EQ(error, "OSError(9, 'Bad file descriptor')");
        Socket unix_socket(AddressFamily::UNIX);
        unix_socket.close();
        error = co_await error_of([&] { return open_unix_connection({.sock = &unix_socket}); });
        EXPECT_EQ(error, "OSError(9, 'Bad file descriptor')");
    });
}

TEST_F(ClosedSocketTest, ASocketThatCannotListenIsClosedWhenTheServerIsNotMade) {
    run_net([]() -> Coro<> {
        int before = count_open_fds();
        auto [connected, peer] = socketpair();
        std::string error = co_await error_of([&] { return start_server(drop, {.sock = &connected}); });
        EXPECT_EQ(error, "OSError(22, 'Invalid argument')");
        EXPECT_EQ(count_open_fds(), before + 1) << "only the other end is open";
    });
}

TEST_F(ClosedSocketTest, AServerThatIsClosedCannotStartAgainAndLeaksNothing) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        server.close();
        std::string error = co_await error_of([&] { return server.start_serving(); });
        EXPECT_EQ(error, "RuntimeError('server <Server sockets=()> is closed')");
        EXPECT_FALSE(server.is_serving());
    });
}

TEST_F(ClosedSocketTest, AServerThatOutlivesItsLoopCannotStartInAnother) {
    Server server;
    run_net([&]() -> Coro<> { server = co_await start_server(drop, "127.0.0.1", 0, {.start_serving = false}); });
    run_net([&]() -> Coro<> {
        std::string error = co_await error_of([&] { return server.start_serving(); });
        EXPECT_EQ(error, "RuntimeError('server <Server sockets=()> is closed')");
    });
}

// A unix socket tries again and again to connect while the server's line is full.
TEST_F(ClosedSocketTest, AConnectThatWaitsForAPlaceDoesNotConnectWhoGetsTheNumber) {
    run_net([]() -> Coro<> {
        SocketAddress name =
            SocketAddress::unix_path(std::string("\0asyncio-test-reused-", 21) + std::to_string(getpid()));
        Socket server(AddressFamily::UNIX);
        server.bind(name);
        server.listen(0);
        Socket first(AddressFamily::UNIX);
        co_await sock_connect(first, name);
        Socket second(AddressFamily::UNIX);
        auto connect = [&] { return error_of([&] { return sock_connect(second, name); }); };
        Task<std::string> connecting = create_task(connect);
        co_await sleep(0s);
        int number = second.fileno();
        second.close();
        Socket stranger(AddressFamily::UNIX);
        EXPECT_EQ(stranger.fileno(), number);
        Accepted accepted = co_await sock_accept(server);
        std::string error = co_await connecting;
        EXPECT_EQ(error, "OSError(9, 'Bad file descriptor')");
        EXPECT_THROW(stranger.getpeername(), OSError) << "it was connected";
    });
}

// In CPython it is found a pass before.
TEST_F(ClosedSocketTest, AResetThatCameBeforeACloseIsToldAllTheSame) {
    std::string outcomes;
    auto lose = [&outcomes](int passes, void (StreamWriter::*end)() const) -> Coro<> {
        support::Ends ends = co_await support::connect_ends();
        Task<std::string> reading = create_task(error_of([&] { return ends.client.reader.read(10); }));
        co_await sleep(5ms);
        support::reset(ends.server.writer);
        co_await sleep(0s);  // it is sent
        ::usleep(2000);      // it has come
        for (int i = 0; i < passes; ++i) co_await sleep(0s);
        (ends.client.writer.*end)();
        std::string closed = co_await error_of([&] { return ends.client.writer.wait_closed(); });
        std::string read = co_await reading;
        EXPECT_EQ(closed, read);
        outcomes += std::to_string(passes) + closed.substr(0, closed.find('(')) + " ";
    };
    for (int passes = 0; passes < 4; ++passes) {
        support::run_each_pass([&] { return lose(passes, &StreamWriter::close); });
        support::run_each_pass([&] { return lose(passes, &StreamWriter::abort); });
    }
    EXPECT_EQ(outcomes,
              "0nothing 0nothing 1nothing 1nothing 2ConnectionResetError 2ConnectionResetError "
              "3ConnectionResetError 3ConnectionResetError ");
}

Coro<> receive_from(const Socket& socket) { co_await sock_recv(socket, 10); }
Coro<> accept_on(const Socket& socket) { co_await sock_accept(socket); }
Coro<> send_all(const Socket& socket) { co_await sock_sendall(socket, std::string(10'000'000, 'x')); }

// The tasks still know the operations, the operations the loop's backend.
TEST_F(ClosedSocketTest, WhatWaitsForItMayOutliveTheLoopThatWouldHaveToldIt) {
    auto [one, other] = socketpair();
    Socket listener(AddressFamily::INET);
    listener.bind(SocketAddress("127.0.0.1", 0));
    listener.listen();
    EventLoop loop;
    loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    loop.create_task(receive_from(one));
    loop.create_task(receive_from(one));
    loop.create_task(accept_on(listener));
    loop.create_task(send_all(other));
    auto close_all = [&]() -> Coro<> {
        co_await sleep(1ms);
        for (Socket* socket : {&one, &other, &listener}) socket->close();
    };
    loop.run_until_complete(close_all());
}

}  // namespace
