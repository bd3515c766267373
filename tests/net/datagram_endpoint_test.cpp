#include <asyncio/net/create_datagram_endpoint.h>

#include <asyncio/net/dns.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "net/datagram_support.h"
#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::joined;
using support::NetTest;
using support::NotingProtocol;
using support::outcome_of;
using support::run_net;
using support::until;

namespace {

using DatagramEndpointTest = NetTest;

NotingProtocol quiet() { return NotingProtocol(); }

/// Opens an endpoint that is not kept.
Coro<> open(DatagramEndpointOptions options) {
    auto endpoint = co_await create_datagram_endpoint(quiet, options);
    endpoint.transport.close();
    co_await sleep(0s);
}

/// Both ways between two endpoints, the second of which is connected to the first.
Coro<> ping_pong(std::string host) {
    std::vector<std::string> server_notes;
    std::vector<std::string> client_notes;
    auto server = co_await create_datagram_endpoint([&] { return NotingProtocol(server_notes); }, HostPort(host, 0));
    SocketAddress address = server.transport.get_extra_info("sockname");
    EXPECT_FALSE(server.transport.get_extra_info("peername"));
    EXPECT_EQ(address.host(), host);
    auto client = co_await create_datagram_endpoint([&] { return NotingProtocol(client_notes); }, nullptr,
                                                    HostPort(host, address.port()));
    EXPECT_EQ(client.transport.get_extra_info("peername").address(), address);
    EXPECT_EQ(joined(client_notes), "made");
    client.transport.sendto("xxx");
    bool come = co_await until([&] { return server_notes.size() == 2; });
    EXPECT_TRUE(come);
    EXPECT_EQ(server.protocol->last_address, client.transport.get_extra_info("sockname").address());
    server.transport.sendto("yyy", server.protocol->last_address);
    come = co_await until([&] { return client_notes.size() == 2; });
    EXPECT_TRUE(come);
    EXPECT_EQ(client.protocol->last_address, address);
    client.transport.close();
    server.transport.close();
    EXPECT_TRUE(server.transport.is_closing());
    co_await sleep(0s);
    EXPECT_EQ(joined(server_notes), "made, data 'xxx', lost None");
    EXPECT_EQ(joined(client_notes), "made, data 'yyy', lost None");
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_datagram_endpoint
TEST_F(DatagramEndpointTest, DatagramsGoBothWays) {
    run_net([] { return ping_pong("127.0.0.1"); });
}

TEST_F(DatagramEndpointTest, TakesTheAddressesThatOtherSocketsTell) {
    run_net([]() -> Coro<> {
        for (const char* host : {"127.0.0.1", "::1"}) {
            std::vector<std::string> notes;
            SocketAddress any_port(host, 0);
            auto server = co_await create_datagram_endpoint([&] { return NotingProtocol(notes); }, any_port);
            SocketAddress there = server.transport.get_extra_info("sockname");
            EXPECT_EQ(there.host(), host);
            auto client = co_await create_datagram_endpoint(quiet, HostPort(host, 0), there);
            EXPECT_EQ(client.transport.get_extra_info("peername").address(), there);
            client.transport.sendto("x");
            bool come = co_await until([&] { return notes.size() == 2; });
            EXPECT_TRUE(come);
            client.transport.close();
            server.transport.close();
            co_await sleep(0s);
        }
    });
}

TEST_F(DatagramEndpointTest, ASocketAddressSaysOfWhichFamilyItIs) {
    std::string path = "/tmp/asyncio_endpoint_" + std::to_string(getpid());
    run_net([&]() -> Coro<> {
        SocketAddress there = SocketAddress::unix_path(path);
        auto server = co_await create_datagram_endpoint(quiet, there);
        auto client = co_await create_datagram_endpoint(quiet, nullptr, there);
        EXPECT_EQ(client.transport.get_extra_info("peername").address(), there);
        client.transport.close();
        server.transport.close();
        co_await sleep(0s);
        unlink(path.c_str());
        SocketAddress here("127.0.0.1", 0);
        std::string refused = co_await outcome_of(open({.local_addr = here, .family = AddressFamily::INET6}));
        EXPECT_EQ(refused, "ValueError('can not get address information')");
        refused = co_await outcome_of(open({.local_addr = there, .family = AddressFamily::INET}));
        EXPECT_EQ(refused, "TypeError('2-tuple is expected')");
        SocketAddress none;
        refused = co_await outcome_of(open({.local_addr = none}));
        EXPECT_EQ(refused, "ValueError('unexpected address family')");
    });
}

TEST_F(DatagramEndpointTest, ItsAddressMayStandInBraces) {
    run_net([]() -> Coro<> {
        // lint: allow-co-await what users write, and an EndpointAddress needs no destructor
        auto endpoint = co_await create_datagram_endpoint(quiet, {"127.0.0.1", 0});
        SocketAddress address = endpoint.transport.get_extra_info("sockname");
        EXPECT_EQ(address.host(), "127.0.0.1");
        HostPort there("127.0.0.1", address.port());
        auto peer = co_await create_datagram_endpoint(quiet, nullptr, there);
        EXPECT_EQ(peer.transport.get_extra_info("peername").address(), address);
        endpoint.transport.close();
        peer.transport.close();
        co_await sleep(0s);
    });
}

TEST_F(DatagramEndpointTest, AnAddressThatIsInUseIsNamed) {
    run_net([]() -> Coro<> {
        auto first = co_await create_datagram_endpoint(quiet, HostPort("127.0.0.1", 0));
        SocketAddress address = first.transport.get_extra_info("sockname");
        DatagramEndpointOptions same{.local_addr = HostPort("127.0.0.1", address.port())};
        std::string failure = co_await outcome_of(open(same));
        EXPECT_EQ(failure, "OSError(98, \"error while attempting to bind on address " + repr(address) +
                               ": Address already in use\")");
        first.transport.close();
        co_await sleep(0s);
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_datagram_endpoint_ipv6
TEST_F(DatagramEndpointTest, DatagramsGoBothWaysOverIpv6) {
    run_net([] { return ping_pong("::1"); });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_datagram_endpoint_sock
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sock
TEST_F(DatagramEndpointTest, ASocketThatThereIsCanBeUsed) {
    run_net([]() -> Coro<> {
        Socket socket = support::datagram_socket();
        SocketAddress address = socket.getsockname();
        std::vector<std::string> notes;
        auto endpoint = co_await create_datagram_endpoint([&] { return NotingProtocol(notes); }, {.sock = &socket});
        EXPECT_FALSE(socket);
        EXPECT_EQ(endpoint.transport.get_extra_info("sockname").address(), address);
        EXPECT_EQ(endpoint.transport.get_extra_info("socket").socket().getsockname(), address);
        endpoint.transport.close();
        co_await sleep(0s);
        EXPECT_EQ(joined(notes), "made, lost None");
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_wrong_sock
TEST_F(DatagramEndpointTest, AStreamSocketIsRefused) {
    run_net([]() -> Coro<> {
        Socket socket(AddressFamily::INET);
        std::string how = co_await outcome_of(open({.sock = &socket}));
        EXPECT_EQ(how.substr(0, 55), "ValueError(\"A datagram socket was expected, got <socket");
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sock_sockopts
TEST_F(DatagramEndpointTest, OptionsTogetherWithASocketAreRefused) {
    run_net([]() -> Coro<> {
        std::vector<std::pair<DatagramEndpointOptions, std::string>> cases = {
            {{.local_addr = HostPort("127.0.0.1", 0)}, "local_addr=('127.0.0.1', 0)"},
            {{.remote_addr = HostPort("127.0.0.1", 0)}, "remote_addr=('127.0.0.1', 0)"},
            {{.family = AddressFamily::UNIX}, "family=1"},
            {{.proto = 1}, "proto=1"},
            {{.flags = 1}, "flags=1"},
            {{.reuse_port = true}, "reuse_port=True"},
            {{.allow_broadcast = true}, "allow_broadcast=True"},
            {{.proto = 1, .allow_broadcast = true}, "proto=1, allow_broadcast=True"},
        };
        for (auto& [options, problem] : cases) {
            Socket socket(AddressFamily::INET, SocketKind::DGRAM);
            DatagramEndpointOptions both = options;
            both.sock = &socket;
            std::string how = co_await outcome_of(open(both));
            EXPECT_NE(how.find("can not be used when sock is specified. (" + problem + ")"), how.npos) << how;
        }
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_noaddr_nofamily
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_addr_error
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_no_matching_family
TEST_F(DatagramEndpointTest, ContradictionsAreRefused) {
    run_net([]() -> Coro<> {
        std::string how = co_await outcome_of(open({}));
        EXPECT_EQ(how, "ValueError('unexpected address family')");
        how = co_await outcome_of(open({.local_addr = "localhost"}));
        EXPECT_EQ(how, "TypeError('2-tuple is expected')");
        DatagramEndpointOptions options = {.local_addr = HostPort("localhost", 1), .family = AddressFamily::UNIX};
        how = co_await outcome_of(open(options));
        EXPECT_EQ(how, "TypeError('string is expected')");
        options = {.local_addr = HostPort("127.0.0.1", 0), .remote_addr = HostPort("::1", 1)};
        how = co_await outcome_of(open(options));
        EXPECT_EQ(how, "ValueError('can not get address information')");
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_cant_bind
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_connect_err
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_socket_err
TEST_F(DatagramEndpointTest, WhatFailsIsThrownAndLeavesNothingOpen) {
    run_net([]() -> Coro<> {
        Socket socket = support::datagram_socket();
        DatagramEndpointOptions options;
        options.local_addr = HostPort("127.0.0.1", socket.getsockname().port());
        std::string how = co_await outcome_of(open(options));
        EXPECT_EQ(how.substr(0, 10), "OSError(98");
        options = {.remote_addr = HostPort("255.255.255.255", 1)};
        how = co_await outcome_of(open(options));
        EXPECT_EQ(how.substr(0, 19), "PermissionError(13,") << how;
        how = co_await outcome_of(open({.family = AddressFamily::INET, .proto = 9999}));
        EXPECT_EQ(how.substr(0, 8), "OSError(") << how;
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sockopts
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_allow_broadcast
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_ip_addr
TEST_F(DatagramEndpointTest, SocketOptionsAreSetOnRequest) {
    run_net([]() -> Coro<> {
        auto plain = co_await create_datagram_endpoint(quiet, HostPort("127.0.0.1", 0));
        TransportSocket socket = plain.transport.get_extra_info("socket");
        EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_REUSEPORT), 0);
        EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
        EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_BROADCAST), 0);
        DatagramEndpointOptions options{
            .local_addr = HostPort("127.0.0.1", 0), .reuse_port = true, .allow_broadcast = true};
        auto one = co_await create_datagram_endpoint(quiet, options);
        socket = one.transport.get_extra_info("socket");
        EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_REUSEPORT), 1);
        EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_BROADCAST), 1);
        options.local_addr = {"127.0.0.1", socket.getsockname().port()};
        auto other = co_await create_datagram_endpoint(quiet, options);
        // One that broadcasts is not connected, and sends to its remote address only.
        int port = plain.transport.get_extra_info("sockname").address().port();
        options = {.remote_addr = HostPort("127.0.0.1", port), .allow_broadcast = true};
        auto sender = co_await create_datagram_endpoint(quiet, options);
        EXPECT_FALSE(sender.transport.get_extra_info("peername"));
        std::vector<std::string> notes;
        plain.transport.set_protocol(make_protocol<NotingProtocol>(notes));
        sender.transport.sendto("by broadcast");
        std::string how = support::outcome([&] {
            sender.transport.sendto("x", SocketAddress("127.0.0.1", 1));
            return 0;
        });
        EXPECT_EQ(how, "ValueError(\"Invalid address: must be None or ('127.0.0.1', " + std::to_string(port) + ")\")");
        co_await until([&] { return !notes.empty(); });
        EXPECT_EQ(joined(notes), "data 'by broadcast'");
        for (const DatagramTransport& transport : {plain.transport, one.transport, other.transport, sender.transport})
            transport.close();
        co_await sleep(0s);
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sock_unix
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_existing_sock_unix
TEST_F(DatagramEndpointTest, UnixSocketsHaveDatagramsToo) {
    run_net([]() -> Coro<> {
        std::string folder = testing::TempDir() + "asyncio-datagrams-" + std::to_string(::getpid());
        std::string server_path = folder + "-server";
        std::string client_path = folder + "-client";
        {  // what is left of a former program is no obstacle
            Socket left(AddressFamily::UNIX, SocketKind::DGRAM);
            left.bind(SocketAddress::unix_path(server_path));
        }
        std::vector<std::string> notes;
        auto server = co_await create_datagram_endpoint([&] { return NotingProtocol(notes); },
                                                        {.local_addr = server_path, .family = AddressFamily::UNIX});
        std::vector<std::string> client_notes;
        DatagramEndpointOptions options{
            .local_addr = client_path, .remote_addr = server_path, .family = AddressFamily::UNIX};
        auto client = co_await create_datagram_endpoint([&] { return NotingProtocol(client_notes); }, options);
        auto nameless = co_await create_datagram_endpoint(quiet, {.family = AddressFamily::UNIX});
        nameless.transport.sendto("from nobody", SocketAddress::unix_path(server_path));
        co_await until([&] { return notes.size() == 2; });
        EXPECT_EQ(repr(server.protocol->last_address), "None");
        client.transport.sendto("");
        co_await until([&] { return notes.size() == 3; });
        EXPECT_EQ(server.protocol->last_address.path(), client_path);
        server.transport.sendto("back", server.protocol->last_address);
        co_await until([&] { return client_notes.size() == 2; });
        EXPECT_EQ(joined(notes), "made, data 'from nobody', data ''");
        EXPECT_EQ(joined(client_notes), "made, data 'back'");
        for (const DatagramTransport& transport : {server.transport, client.transport, nameless.transport})
            transport.close();
        co_await sleep(0s);
        ::unlink(server_path.c_str());
        ::unlink(client_path.c_str());
    });
}

TEST_F(DatagramEndpointTest, AFactoryCanReturnWhatItLikes) {
    run_net([]() -> Coro<> {
        auto by_pointer = [] { return std::make_unique<NotingProtocol>(); };
        auto one = co_await create_datagram_endpoint(by_pointer, {.family = AddressFamily::INET});
        ProtocolRef<NotingProtocol> mine = make_protocol<NotingProtocol>();
        auto two = co_await create_datagram_endpoint([&] { return mine; }, {.family = AddressFamily::INET});
        EXPECT_EQ(two.protocol, mine);
        EXPECT_EQ(two.transport.get_protocol<NotingProtocol>(), mine);
        auto fails = []() -> NotingProtocol { throw RuntimeError("no protocol today"); };
        std::string how = "nothing";
        try {
            co_await create_datagram_endpoint(fails, {.family = AddressFamily::INET});
        } catch (const RuntimeError& error) {
            how = error.what();
        }
        EXPECT_EQ(how, "no protocol today");
        one.transport.close();
        two.transport.close();
        co_await sleep(0s);
        EXPECT_FALSE(two.transport.get_protocol());
    });
}

TEST_F(DatagramEndpointTest, OneThatNobodyWaitsForAnyMoreIsClosed) {
    run_net([]() -> Coro<> {
        std::vector<std::string> notes;
        auto opening =
            create_task(create_datagram_endpoint([&] { return NotingProtocol(notes); }, HostPort("127.0.0.1", 0)));
        co_await sleep(0s);
        opening.cancel();
        co_await support::passes(3);
        EXPECT_TRUE(opening.cancelled());
        EXPECT_EQ(joined(notes), "made, lost None");
    });
}

TEST_F(DatagramEndpointTest, ClosingTheLoopClosesIt) {
    std::vector<std::string> notes;
    DatagramTransport kept;
    run_net([&]() -> Coro<> {
        auto endpoint =
            co_await create_datagram_endpoint([&] { return NotingProtocol(notes); }, HostPort("127.0.0.1", 0));
        kept = endpoint.transport;
    });
    EXPECT_EQ(joined(notes), "made");
    EXPECT_TRUE(kept.is_closing());
    kept.close();
}

}  // namespace
