#include <asyncio/net/sock.h>

#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <poll.h>

#include <string>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::fill;
using support::NetTest;
using support::receive_now;
using support::run_each_pass;
using support::run_net;
using support::send_now;

namespace {

using SockCancelTest = NetTest;

/// Lets so many passes of the loop go by.
Coro<> passes(int count) {
    for (int i = 0; i < count; ++i) co_await sleep(0s);
}

TEST_F(SockCancelTest, CancellingAReceiveAtAnyPassLosesNothing) {
    for (bool tcp : {true, false}) {
        for (int before = 0; before < 3; ++before) {
            for (int after = 0; after < 6; ++after) {
                run_each_pass([&]() -> Coro<> {
                    auto pair = socketpair();
                    if (tcp) {
                        Socket server = support::listener();
                        pair.first = Socket(AddressFamily::INET);
                        co_await sock_connect(pair.first, server.getsockname());
                        Accepted accepted = co_await sock_accept(server);
                        pair.second = std::move(accepted.conn);
                    }
                    auto& [a, b] = pair;
                    char into[100];
                    std::string got;
                    auto receive = [&]() -> Coro<> { got = co_await sock_recv(b, 100); };
                    auto receive_into = [&]() -> Coro<> {
                        std::size_t size = co_await sock_recv_into(b, into);
                        got = std::string(into, size);
                    };
                    Task<> reading = after % 2 == 0 ? create_task(receive()) : create_task(receive_into());
                    co_await passes(before);
                    EXPECT_EQ(send_now(a, "not lost"), 8);
                    co_await passes(after);
                    bool was_done = reading.done();
                    reading.cancel();
                    co_await passes(2);
                    EXPECT_EQ(reading.cancelled(), !was_done);
                    EXPECT_EQ(got.empty(), !was_done);
                    if (got.empty()) got = co_await sock_recv(b, 100);
                    EXPECT_EQ(got, "not lost") << before << " " << after;
                });
            }
        }
    }
}

TEST_F(SockCancelTest, CancellingADatagramsReceiveAtAnyPassLosesNothing) {
    for (int after = 0; after < 6; ++after) {
        run_each_pass([&]() -> Coro<> {
            Socket receiver(AddressFamily::INET, SocketKind::DGRAM);
            receiver.bind(SocketAddress("127.0.0.1", 0));
            Socket sender(AddressFamily::INET, SocketKind::DGRAM);
            auto reading = create_task(sock_recvfrom(receiver, 100));
            co_await passes(2);
            std::size_t size = co_await sock_sendto(sender, "not lost", receiver.getsockname());
            EXPECT_EQ(size, 8u);
            co_await passes(after);
            reading.cancel();
            co_await passes(2);
            if (reading.cancelled()) {
                ReceivedFrom received = co_await sock_recvfrom(receiver, 100);
                EXPECT_EQ(received.data, "not lost");
            } else {
                EXPECT_EQ(reading.result().data, "not lost");
            }
        });
    }
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_accept_racing
TEST_F(SockCancelTest, CancellingAnAcceptAtAnyPassLosesNoConnectionAndNoDescriptor) {
    for (int after = 0; after < 6; ++after) {
        run_each_pass([&]() -> Coro<> {
            Socket server = support::listener();
            auto accepting = create_task(sock_accept(server));
            co_await passes(2);
            Socket client(AddressFamily::INET);
            co_await sock_connect(client, server.getsockname());
            co_await passes(after);
            accepting.cancel();
            co_await passes(2);
            if (accepting.cancelled()) {
                Accepted accepted = co_await sock_accept(server);
                EXPECT_EQ(accepted.address, client.getsockname());
                co_await sock_sendall(accepted.conn, "ping");
            } else {
                co_await sock_sendall(accepting.result().conn, "ping");
            }
            std::string text = co_await sock_recv(client, 4);
            EXPECT_EQ(text, "ping");
        });
    }
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_client_racing
TEST_F(SockCancelTest, ACancelledReceiveDoesNotDisturbTheNextOne) {
    run_net([]() -> Coro<> {
        auto [a, b] = socketpair();
        auto task = create_task(sock_recv(b, 1024));
        co_await sleep(0s);
        task.cancel();
        auto sending = create_task(sock_sendall(a, "HTTP/1.0 200 OK"));
        std::string data = co_await sock_recv(b, 1024);
        EXPECT_EQ(data, "HTTP/1.0 200 OK");
        co_await sending;
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_client_racing
TEST_F(SockCancelTest, ACancelledSendThatWaitedForRoomSendsNothing) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        Socket client(AddressFamily::INET);
        client.setsockopt(SOL_SOCKET, SO_SNDBUF, 1024);
        co_await sock_connect(client, server.getsockname());
        Accepted accepted = co_await sock_accept(server);
        fill(client);
        auto task = create_task(sock_sendall(client, "hello"));
        co_await sleep(0s);
        task.cancel();
        auto receive_all = [&]() -> Coro<std::string> {
            std::string all;
            std::string data;
            do {
                data = co_await sock_recv(accepted.conn, 8192);
                for (char c : data) {
                    if (c != ' ') all += c;
                }
            } while (!data.empty());
            co_return all;
        };
        auto receiving = create_task(receive_all());
        co_await sock_sendall(client, "world");
        client.shutdown(Shut::WR);
        std::string all = co_await std::move(receiving);
        EXPECT_EQ(all, "world");
        EXPECT_TRUE(task.cancelled());
    });
}

TEST_F(SockCancelTest, ASendCancelledAtAnyPassLeavesTheBytesInOrder) {
    for (int after = 0; after < 8; ++after) {
        run_each_pass([&]() -> Coro<> {
            auto [a, b] = socketpair();
            std::string block(1'000'000, '\0');
            for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>('a' + i % 23);
            auto sending = create_task(sock_sendall(a, block));
            std::string received;
            for (int i = 0; i < after; ++i) {
                received += receive_now(b);
                co_await sleep(0s);
            }
            sending.cancel();
            co_await passes(2);
            co_await sock_sendall(a, "");
            a.close();
            for (;;) {
                std::string data = co_await sock_recv(b, 100'000);
                if (data.empty()) break;
                received += data;
            }
            EXPECT_TRUE(received == block.substr(0, received.size())) << after;
            EXPECT_TRUE(sending.cancelled() || received.size() == block.size());
        });
    }
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sock_client_connect_racing
TEST_F(SockCancelTest, ACancelledConnectCanBeFollowedByAnother) {
    run_net([]() -> Coro<> {
        Socket server(AddressFamily::INET);
        server.bind(SocketAddress("127.0.0.1", 0));
        SocketAddress address = server.getsockname();
        Socket client(AddressFamily::INET);
        auto task = create_task(sock_connect(client, address));
        co_await sleep(0s);
        task.cancel();
        server.listen(1);
        bool connected = false;
        for (int i = 0; i < 10 && !connected; ++i) {
            try {
                co_await sock_connect(client, address);
                connected = true;
            } catch (const ConnectionRefusedError&) {
            }
        }
        EXPECT_TRUE(connected);
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_cancel_sock_accept
TEST_F(SockCancelTest, AListenerThatIsClosedAfterACancelledAcceptRefusesConnections) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        SocketAddress address = server.getsockname();
        try {
            co_await wait_for(sock_accept(server), 10ms);
            ADD_FAILURE();
        } catch (const TimeoutError&) {
        }
        server.close();
        Socket client(AddressFamily::INET);
        try {
            co_await sock_connect(client, address);
            ADD_FAILURE();
        } catch (const ConnectionRefusedError&) {
        }
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_prompt_cancellation
TEST_F(SockCancelTest, ACancelledReceiveEndsInTheNextPass) {
    run_each_pass([]() -> Coro<> {
        auto [a, b] = socketpair();
        auto task = create_task(sock_recv(b, 1));
        co_await sleep(0s);
        task.cancel();
        co_await sleep(0s);
        EXPECT_TRUE(task.cancelled());
    });
}

TEST_F(SockCancelTest, ALoopThatEndsWhileOperationsWaitLetsGoOfThem) {
    auto [a, b] = socketpair();
    fill(b);
    {
        EventLoop loop;
        auto receiving = loop.create_task(sock_recv(b, 10));
        auto sending = loop.create_task(sock_sendall(b, "x"));
        loop.call_soon([&loop] { loop.call_soon([&loop] { loop.stop(); }); });
        loop.run_forever();
        EXPECT_FALSE(receiving.done());
        loop.set_exception_handler([](EventLoop&, const ExceptionContext& context) {
            EXPECT_EQ(context.message, "Task was destroyed but it is pending!");
        });
        loop.close();
        EXPECT_EQ(send_now(a, "later"), 5);
    }
    EventLoop other;
    auto again = [&]() -> Coro<std::string> { co_return co_await sock_recv(b, 10); };
    EXPECT_EQ(other.run_until_complete(again()), "later");
}

}  // namespace
