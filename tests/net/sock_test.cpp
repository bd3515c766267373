#include <asyncio/net/sock.h>

#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <fcntl.h>

#include <span>
#include <string>
#include <vector>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::connected_pair;
using support::NetTest;
using support::run_each_pass;
using support::run_net;
using support::send_now;
using support::Trace;

namespace {

using SockTest = NetTest;

TEST_F(SockTest, WhatCanSucceedAtOnceDoesNotSuspend) {
    run_each_pass([]() -> Coro<> {
        auto [a, b] = socketpair();
        Trace trace;
        co_await sock_sendall(a, "abc");
        std::string text = co_await sock_recv(b, 2);
        trace(text);
        char buffer[10];
        std::size_t size = co_await sock_recv_into(b, std::span(buffer));
        trace(std::string(buffer, size));
        a.close();
        text = co_await sock_recv(b, 2);
        trace("end" + text);
        EXPECT_EQ(trace.str(), "0:ab, 0:c, 0:end");
        Socket server = support::listener();
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, server.getsockname());
        Trace again;
        Accepted accepted = co_await sock_accept(server);
        again("accepted");
        EXPECT_EQ(again.str(), "0:accepted");
        EXPECT_EQ(accepted.address, client.getsockname());
    });
}

TEST_F(SockTest, ARecvThatWaitedAndGaveLessThanItHadRoomForStillDoesNotSuspendTheNextTime) {
    run_each_pass([]() -> Coro<> {
        auto pair = co_await connected_pair();
        auto& [a, b] = pair;
        auto first = create_task(sock_recv(b, 100));
        co_await sleep(0s);
        EXPECT_EQ(send_now(a, "abc"), 3);
        std::string text = co_await std::move(first);
        EXPECT_EQ(text, "abc");
        EXPECT_EQ(send_now(a, "d"), 1);
        Trace trace;
        text = co_await sock_recv(b, 100);
        trace(text);
        EXPECT_EQ(trace.str(), "0:d");
    });
}

TEST_F(SockTest, OneThatWaitsGoesOnInThePassInWhichItDoesInPython) {
    run_each_pass([]() -> Coro<> {
        auto [a, b] = socketpair();
        Trace trace;
        auto reader = [&]() -> Coro<> {
            std::string text = co_await sock_recv(b, 10);
            trace("r", text);
        };
        auto task = create_task(reader());
        co_await sleep(0s);
        co_await sleep(0s);
        trace("send");
        EXPECT_EQ(send_now(a, "x"), 1);
        co_await task;
        trace("joined");
        EXPECT_EQ(trace.str(), "2:send, 4:r x, 5:joined");  // CPython: the same
    });
    run_each_pass([]() -> Coro<> {
        Socket server = support::listener();
        Trace trace;
        auto acceptor = [&]() -> Coro<> {
            co_await sock_accept(server);
            trace("accepted");
        };
        auto connector = [&]() -> Coro<> {
            Socket client(AddressFamily::INET);
            trace("connect");
            co_await sock_connect(client, server.getsockname());
            trace("connected");
        };
        auto accepting = create_task(acceptor());
        co_await sleep(0s);
        co_await sleep(0s);
        auto connecting = create_task(connector());
        co_await accepting;
        co_await connecting;
        EXPECT_EQ(trace.str(), "3:connect, 5:accepted, 5:connected");  // CPython: the same
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_client_ops
// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_unix_sock_client_ops
TEST_F(SockTest, ConnectsSendsAndReceivesOverTcpAndUnixSockets) {
    std::string path = "\0asyncio-sock-test-" + std::to_string(::getpid());
    path.insert(path.begin(), '\0');
    for (bool tcp : {true, false}) {
        run_net([&]() -> Coro<> {
            Socket server(tcp ? AddressFamily::INET : AddressFamily::UNIX);
            server.bind(tcp ? SocketAddress("127.0.0.1", 0) : SocketAddress::unix_path(path));
            server.listen();
            auto serve = [&]() -> Coro<> {
                Accepted accepted = co_await sock_accept(server);
                std::string request = co_await sock_recv(accepted.conn, 1024);
                EXPECT_EQ(request, "GET / HTTP/1.0\r\n\r\n");
                co_await sock_sendall(accepted.conn, "HTTP/1.0 200 OK\r\n\r\n");
            };
            auto serving = create_task(serve());
            Socket client(server.family());
            co_await sock_connect(client, server.getsockname());
            co_await sock_sendall(client, "GET / HTTP/1.0\r\n\r\n");
            std::string answer = co_await sock_recv(client, 1024);
            EXPECT_EQ(answer, "HTTP/1.0 200 OK\r\n\r\n");
            std::vector<char> rest(100);
            std::size_t size = co_await sock_recv_into(client, rest);
            EXPECT_EQ(size, 0u);
            co_await serving;
        });
    }
}

TEST_F(SockTest, AnEmptySocketIsOneThatIsClosed) {
    run_net([]() -> Coro<> {
        std::string error;
        try {
            Socket empty;
            co_await sock_connect(empty, "127.0.0.1", 1);
        } catch (const OSError& caught) {
            error = repr(caught);
        }
        EXPECT_EQ(error, "OSError(9, 'Bad file descriptor')");
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_huge_content
// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_huge_content_recvinto
TEST_F(SockTest, AMillionBytesGoBothWaysAtTheSameTime) {
    constexpr std::size_t total = 1'000'000;
    std::string content;
    while (content.size() < total) content += "0123456789";
    for (bool into : {false, true}) {
        for (std::size_t most : {std::size_t{10'000}, total}) {
            run_net([&]() -> Coro<> {
                auto pair = co_await connected_pair();
                auto& [a, b] = pair;
                auto echo = [&]() -> Coro<> {
                    for (;;) {
                        std::string data = co_await sock_recv(b, 70'000);
                        if (data.empty()) break;
                        co_await sock_sendall(b, data);
                    }
                    b.close();
                };
                auto send = [&]() -> Coro<> {
                    co_await sock_sendall(a, content);
                    a.shutdown(Shut::WR);
                };
                auto echoing = create_task(echo());
                auto sending = create_task(send());
                std::string received;
                std::string buffer(most, '\0');
                std::size_t size = 0;
                do {
                    if (into) {
                        size = co_await sock_recv_into(a, buffer);
                        received.append(buffer, 0, size);
                    } else {
                        std::string data = co_await sock_recv(a, most);
                        size = data.size();
                        received += data;
                    }
                } while (size > 0);
                EXPECT_TRUE(received == content);
                co_await echoing;
                co_await sending;
            });
        }
    }
}

TEST_F(SockTest, ReceivingNothingIsOverAtOnce) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair();
        std::string text = co_await sock_recv(a, 0);
        EXPECT_EQ(text, "");
        std::size_t size = co_await sock_recv_into(a, WritableBytes());
        EXPECT_EQ(size, 0u);
        co_await sock_sendall(a, "");
    });
}

TEST_F(SockTest, SeveralTasksReceiveInTheOrderInWhichTheyCame) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair(AddressFamily::UNIX, SocketKind::SEQPACKET);
        std::string order;
        auto receive = [&](std::string name) -> Coro<> {
            std::string text = co_await sock_recv(b, 10);
            order += name + text + " ";
        };
        auto first = create_task(receive("a"));
        auto second = create_task(receive("b"));
        co_await sleep(0s);
        EXPECT_EQ(send_now(a, "1"), 1);
        auto third = create_task(receive("c"));
        EXPECT_EQ(send_now(a, "2"), 1);
        EXPECT_EQ(send_now(a, "3"), 1);
        co_await first;
        co_await second;
        co_await third;
        EXPECT_EQ(order, "a1 b2 c3 ");
    });
}

TEST_F(SockTest, SeveralTasksSendWithoutMixingTheirBytes) {
    run_net([]() -> Coro<> {
        auto pair = co_await connected_pair();
        auto& [a, b] = pair;
        constexpr std::size_t size = 3'000'000;
        auto first = create_task(sock_sendall(a, std::string(size, 'a')));
        auto second = create_task(sock_sendall(a, std::string(size, 'b')));
        std::string received;
        while (received.size() < 2 * size) {
            std::string data = co_await sock_recv(b, 200'000);
            received += data;
        }
        co_await first;
        co_await second;
        EXPECT_EQ(received.find('b'), size);
        EXPECT_EQ(received.rfind('a'), size - 1);
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_accept
TEST_F(SockTest, AcceptGivesANonBlockingConnectionAndTheAddressOfTheOtherEnd) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, server.getsockname());
        Accepted accepted = co_await sock_accept(server);
        EXPECT_NE(::fcntl(accepted.conn.fileno(), F_GETFL) & O_NONBLOCK, 0);
        EXPECT_EQ(::fcntl(accepted.conn.fileno(), F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(accepted.address, client.getsockname());
        EXPECT_EQ(client.getpeername(), server.getsockname());
        EXPECT_EQ(accepted.conn.family(), AddressFamily::INET);
    });
}

TEST_F(SockTest, AUnixClientWaitsForAPlaceInTheServersLine) {
    run_net([]() -> Coro<> {
        std::string path = std::string(1, '\0') + "asyncio-full-line-" + std::to_string(::getpid());
        Socket server(AddressFamily::UNIX);
        server.bind(SocketAddress::unix_path(path));
        server.listen(1);
        std::vector<Socket> clients(5);
        std::vector<Task<>> connecting;
        for (Socket& client : clients) {
            client = Socket(AddressFamily::UNIX);
            connecting.push_back(create_task(sock_connect(client, SocketAddress::unix_path(path))));
        }
        co_await sleep(5ms);
        EXPECT_FALSE(connecting.back().done());
        connecting.back().cancel();  // it waits for time to pass, and can be cancelled there as well
        for (int i = 0; i < 4; ++i) {
            Accepted accepted = co_await sock_accept(server);
            EXPECT_TRUE(accepted.conn);
        }
        for (int i = 0; i < 4; ++i) {
            co_await connecting[static_cast<std::size_t>(i)];
            EXPECT_EQ(clients[static_cast<std::size_t>(i)].getpeername().path(), path);
        }
        EXPECT_TRUE(connecting.back().cancelled());
    });
}

}  // namespace
