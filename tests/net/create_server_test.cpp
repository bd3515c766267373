#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <netinet/in.h>

#include <string>
#include <vector>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::count_open_fds;
using support::Folder;
using support::NetTest;
using support::port_of;
using support::run_net;

namespace {

using CreateServerTest = NetTest;

void drop(StreamReader, StreamWriter) {}

std::string addresses(const Server& server) {
    std::string text;
    for (const TransportSocket& socket : server.sockets()) text += socket.getsockname().host() + " ";
    return text;
}

/// Awaits it, and gives what it throws as text; empty if it throws nothing.
Coro<std::string> error_of(Coro<Server> coro) {
    std::string text;
    try {
        co_await coro;
    } catch (...) {
        text = str(std::current_exception());
    }
    co_return text;
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_server_addr_in_use
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_cant_bind
TEST_F(CreateServerTest, AnAddressInUseIsNamedAndNothingStaysOpen) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        int fds = count_open_fds();
        std::string text = co_await error_of(start_server(drop, "127.0.0.1", port_of(server)));
        EXPECT_EQ(text, "[Errno 98] error while attempting to bind on address ('127.0.0.1', " +
                            std::to_string(port_of(server)) + "): [errno 98] address already in use");
        std::vector<std::string> hosts = {"127.0.0.2", "127.0.0.1"};
        text = co_await error_of(start_server(drop, hosts, port_of(server)));
        EXPECT_NE(text.find("('127.0.0.1', "), std::string::npos) << text;
        EXPECT_EQ(count_open_fds(), fds);
        // An address that is no address of this machine is skipped, and if there is none at all:
        text = co_await error_of(start_server(drop, "192.0.2.77", 0));
        EXPECT_EQ(text, "could not bind on any address out of [('192.0.2.77', 0)]");
        EXPECT_EQ(count_open_fds(), fds);
        server.close();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_server_multiple_hosts_ipv4
TEST_F(CreateServerTest, SeveralHostsAreBoundOnceEach) {
    run_net([]() -> Coro<> {
        std::vector<std::string> hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.1"};
        Server server = co_await start_server(drop, hosts, 0);
        EXPECT_EQ(addresses(server), "127.0.0.1 127.0.0.2 ");
        server.close();
    });
}

/// Another program may have the port of the one family that the other's gives.
int port_free_in_both_families() {
    for (;;) {
        Socket six(AddressFamily::INET6);
        six.bind(SocketAddress("::1", 0));
        try {
            Socket four(AddressFamily::INET);
            four.bind(SocketAddress("127.0.0.1", six.getsockname().port()));
            return six.getsockname().port();
        } catch (const OSError&) {
        }
    }
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_server_multiple_hosts_ipv6
// CPython: test_events.py, EventLoopTestsMixin.test_create_server_dual_stack
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_ipv6
TEST_F(CreateServerTest, OneServerServesBothFamilies) {
    try {
        Socket(AddressFamily::INET6).bind(SocketAddress("::1", 0));
    } catch (const OSError&) {
        GTEST_SKIP() << "this machine has no IPv6";
    }
    run_net([]() -> Coro<> {
        int served = 0;
        auto count = [&](StreamReader, StreamWriter) { ++served; };
        int port = port_free_in_both_families();
        std::vector<const char*> hosts = {"::1", "127.0.0.1", "::1"};
        Server server = co_await start_server(count, hosts, port);
        EXPECT_EQ(addresses(server), "::1 127.0.0.1 ");
        for (const char* host : {"::1", "127.0.0.1"}) {
            auto [reader, writer] = co_await open_connection(host, port);
            EXPECT_EQ(writer.get_extra_info("peername").address().host(), host);
            std::string text = co_await reader.read();
            EXPECT_EQ(text, "");
        }
        EXPECT_EQ(served, 2);
        server.close();
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_empty_host
TEST_F(CreateServerTest, NoHostAndAnEmptyOneMeanAllInterfaces) {
    run_net([]() -> Coro<> {
        for (Host host : {Host(), Host("")}) {
            Server server = co_await start_server(drop, host, 0, {.family = AddressFamily::INET});
            EXPECT_EQ(addresses(server), "0.0.0.0 ");
            server.close();
        }
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_server
// CPython: test_events.py, EventLoopTestsMixin.test_create_unix_server
TEST_F(CreateServerTest, AClientIsServedWithItsAddressAndDataUntilItsStreamIsClosed) {
    Folder folder;
    for (bool is_unix : {false, true}) {
        run_net([&]() -> Coro<> {
            Future<Streams> connected = get_running_loop().create_future<Streams>();
            auto keep = [&](StreamReader reader, StreamWriter writer) {
                connected.set_result(Streams{std::move(reader), std::move(writer)});
            };
            Server server;
            Socket client;
            if (is_unix) {
                server = co_await start_unix_server(keep, folder.path("sock"));
                client = Socket(AddressFamily::UNIX);
                co_await sock_connect(client, SocketAddress::unix_path(folder.path("sock")));
            } else {
                server = co_await start_server(keep, "0.0.0.0", 0);
                EXPECT_EQ(addresses(server), "0.0.0.0 ");
                client = Socket(AddressFamily::INET);
                co_await sock_connect(client, "127.0.0.1", port_of(server));
            }
            EXPECT_EQ(server.sockets().size(), 1u);
            co_await sock_sendall(client, "xxx");
            Streams streams = co_await connected;
            auto& [reader, writer] = streams;
            std::string data = co_await reader.readexactly(3);
            EXPECT_EQ(data, "xxx");
            EXPECT_TRUE(writer.get_extra_info("sockname"));
            EXPECT_EQ(writer.get_extra_info("peername").address(), client.getsockname());
            writer.close();
            co_await writer.wait_closed();
            data = co_await sock_recv(client, 1);
            EXPECT_EQ(data, "");
            server.close();
        });
    }
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_host_port_sock
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_no_host_port_sock
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_wrong_sock
TEST_F(CreateServerTest, EitherAnAddressOrAStreamSocketIsGiven) {
    run_net([]() -> Coro<> {
        Socket stream(AddressFamily::INET);
        Socket datagrams(AddressFamily::INET, SocketKind::DGRAM);
        std::string text = co_await error_of(start_server(drop, "127.0.0.1", 0, {.sock = &stream}));
        EXPECT_EQ(text, "host/port and sock can not be specified at the same time");
        EXPECT_TRUE(stream);
        text = co_await error_of(start_server(drop, StartServerOptions()));
        EXPECT_EQ(text, "Neither host/port nor sock were specified");
        text = co_await error_of(start_server(drop, {.sock = &datagrams}));
        EXPECT_EQ(text.substr(0, 48), "A Stream Socket was expected, got <socket.socket");
        text = co_await error_of(start_server(drop, "127.0.0.1", 0, {.limit = 0}));
        EXPECT_EQ(text, "Limit cannot be <= 0");
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_server_sock
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_server_stream_bittype
TEST_F(CreateServerTest, AnExistingSocketIsServed) {
    run_net([]() -> Coro<> {
        Socket sock = Socket::from_fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        EXPECT_EQ(sock.type(), SocketKind::STREAM);
        sock.bind(SocketAddress("127.0.0.1", 0));
        SocketAddress address = sock.getsockname();
        Server server = co_await start_server(drop, {.sock = &sock});
        EXPECT_EQ(server.sockets().at(0).getsockname(), address);
        auto [reader, writer] = co_await open_connection("127.0.0.1", address.port());
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "");
        server.close();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_server_reuse_port
TEST_F(CreateServerTest, ItsOptionsReachTheSocket) {
    run_net([]() -> Coro<> {
        auto option = [](const Server& server, int name) {
            return server.sockets().at(0).getsockopt(SOL_SOCKET, name) != 0;
        };
        Server plain = co_await start_server(drop, "127.0.0.1", 0);
        EXPECT_TRUE(option(plain, SO_REUSEADDR));
        EXPECT_FALSE(option(plain, SO_REUSEPORT));
        EXPECT_FALSE(option(plain, SO_KEEPALIVE));
        Server other = co_await start_server(drop, "127.0.0.1", 0,
                                             {.reuse_address = false, .reuse_port = true, .keep_alive = true});
        EXPECT_FALSE(option(other, SO_REUSEADDR));
        EXPECT_TRUE(option(other, SO_REUSEPORT));
        EXPECT_TRUE(option(other, SO_KEEPALIVE));
        Server third = co_await start_server(drop, "127.0.0.1", port_of(other), {.reuse_port = true});
        EXPECT_EQ(port_of(third), port_of(other));
        for (const Server& server : {plain, other, third}) server.close();
    });
}

TEST_F(CreateServerTest, PortsAreNumbersInWordsToo) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", "0");
        EXPECT_GT(port_of(server), 0);
        Server other = co_await start_server(drop, "127.0.0.1", std::nullopt);
        EXPECT_GT(port_of(other), 0);
        server.close();
        other.close();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_connect_accepted_socket
TEST_F(CreateServerTest, AConnectionAcceptedByHandBecomesAStream) {
    run_net([]() -> Coro<> {
        Socket listener = support::listener();
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, listener.getsockname());
        Accepted accepted = co_await sock_accept(listener);
        auto [reader, writer] = co_await open_connection({.sock = &accepted.conn});
        co_await sock_sendall(client, "hello\n");
        std::string line = co_await reader.readline();
        EXPECT_EQ(line, "hello\n");
        EXPECT_EQ(writer.get_extra_info("peername").address(), client.getsockname());
    });
}

}  // namespace
