#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/dns.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <netdb.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "net/connecting.h"
#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using detail::ConnectErrors;
using support::caught;
using support::count_open_fds;
using support::NetTest;
using support::outcome;
using support::port_of;
using support::run_net;

namespace {

using ConnectTest = NetTest;
using ConnectExecutorTest = NetTest;

void drop(StreamReader, StreamWriter) {}

/// An address of this machine at which nobody listens, as long as it lives.
class Nobody {
public:
    explicit Nobody(const char* host = "127.0.0.1") : socket_(SocketAddress(host, 0).family()) {
        socket_.bind(SocketAddress(host, 0));
    }
    SocketAddress address() const { return socket_.getsockname(); }
    int port() const { return address().port(); }

private:
    Socket socket_;
};

AddressInfo tcp(const SocketAddress& address) {
    return {address.family(), SocketKind::STREAM, IPPROTO_TCP, "", address};
}

/// Awaits it, and gives what it throws as text; empty if it throws nothing.
template <class Result>
Coro<std::string> error_of(Coro<Result> coro) {
    std::string text;
    try {
        co_await coro;
    } catch (...) {
        text = str(std::current_exception());
    }
    co_return text;
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_connect_err
TEST_F(ConnectTest, AnAddressThatRefusesIsNamedAndTheSocketClosed) {
    run_net([]() -> Coro<> {
        Nobody nobody;
        support::have_loop_opened();
        int fds = count_open_fds();
        try {
            co_await open_connection("127.0.0.1", nobody.port());
            ADD_FAILURE();
        } catch (const ConnectionRefusedError& error) {
            EXPECT_EQ(std::string(error.what()), "[Errno 111] Connect call failed " + repr(nobody.address()));
        }
        try {
            co_await open_connection("127.0.0.1", nobody.port(), {.all_errors = true});
            ADD_FAILURE();
        } catch (const ExceptionGroup& group) {
            EXPECT_EQ(group.message(), "create_connection failed");
            EXPECT_EQ(group.exceptions().size(), 1u);
        }
        EXPECT_EQ(count_open_fds(), fds);
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_multiple_errors
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_multiple
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_happy_eyeballs_empty_exceptions
TEST_F(ConnectTest, SeveralErrorsAreToldTogether) {
    auto lists = [](std::vector<const char*> texts) {
        ConnectErrors errors;
        for (const char* text : texts) {
            errors.push_back(std::make_unique<std::vector<std::exception_ptr>>());
            errors.back()->push_back(std::make_exception_ptr(OSError(text)));
        }
        return errors;
    };
    auto thrown = [&](std::vector<const char*> texts, bool all) {
        return outcome([&]() -> int { detail::throw_connect_errors(lists(texts), all); });
    };
    EXPECT_EQ(thrown({"err1"}, false), "OSError('err1')");
    EXPECT_EQ(thrown({"same", "same"}, false), "OSError('same')");
    EXPECT_EQ(thrown({"err1", "err2"}, false), "OSError('Multiple exceptions: err1, err2')");
    EXPECT_EQ(thrown({"err1", "err2"}, true),
              "ExceptionGroup('create_connection failed', [OSError('err1'), OSError('err2')])");
    EXPECT_EQ(thrown({}, false), "TimeoutError('create_connection failed')");
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_timeout
TEST_F(ConnectTest, CancellingAConnectionThatIsBeingMadeClosesIt) {
    run_net([]() -> Coro<> {
        // A listener whose line is full does not answer.
        Socket full = support::listener("127.0.0.1", 0);
        std::vector<Socket> waiting(3);
        for (Socket& socket : waiting) {
            socket = Socket(AddressFamily::INET);
            try {
                co_await wait_for(sock_connect(socket, full.getsockname()), 20ms);
            } catch (const TimeoutError&) {
            }
        }
        int fds = count_open_fds();
        int port = full.getsockname().port();
        try {
            co_await wait_for(open_connection("127.0.0.1", port), 20ms);
            ADD_FAILURE();
        } catch (const TimeoutError&) {
        }
        try {
            co_await wait_for(open_connection("127.0.0.1", port, {.happy_eyeballs_delay = 1ms}), 20ms);
            ADD_FAILURE();
        } catch (const TimeoutError&) {
        }
        EXPECT_EQ(count_open_fds(), fds);
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_sock_transport_error_closes_sock
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_transport_error_closes_sock
TEST_F(ConnectTest, AStreamThatCannotBeMadeClosesItsSocket) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        support::have_loop_opened();
        int fds = count_open_fds();
        std::string text = co_await error_of(open_connection("127.0.0.1", server.getsockname().port(), {.limit = 0}));
        EXPECT_EQ(text, "Limit cannot be <= 0");
        auto pair = socketpair();
        text = co_await error_of(open_connection({.limit = -1, .sock = &pair.first}));
        EXPECT_EQ(text, "Limit cannot be <= 0");
        pair.second.close();
        EXPECT_EQ(count_open_fds(), fds);
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_host_port_sock
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_wrong_sock
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_no_host_port_sock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_connection_path_inetsock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_connection_path_sock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_connection_nopath_nosock
TEST_F(ConnectTest, EitherAnAddressOrAStreamSocketIsGiven) {
    run_net([]() -> Coro<> {
        Socket stream(AddressFamily::INET);
        Socket datagrams(AddressFamily::INET, SocketKind::DGRAM);
        std::string text = co_await error_of(open_connection("127.0.0.1", 80, {.sock = &stream}));
        EXPECT_EQ(text, "host/port and sock can not be specified at the same time");
        EXPECT_TRUE(stream);  // it was not taken
        text = co_await error_of(open_connection(OpenConnectionOptions()));
        EXPECT_EQ(text, "host and port was not specified and no sock specified");
        text = co_await error_of(open_connection({.sock = &datagrams}));
        EXPECT_EQ(text.substr(0, 48), "A Stream Socket was expected, got <socket.socket");
        text = co_await error_of(open_unix_connection("/path", {.sock = &stream}));
        EXPECT_EQ(text, "path and sock can not be specified at the same time");
        text = co_await error_of(open_unix_connection(OpenUnixConnectionOptions()));
        EXPECT_EQ(text, "no path and sock were specified");
        text = co_await error_of(open_unix_connection({.sock = &stream}));
        EXPECT_EQ(text.substr(0, 60), "A UNIX Domain Stream Socket was expected, got <socket.socket");
        text = co_await error_of(open_unix_connection("/nowhere/sock"));
        EXPECT_EQ(text, "[Errno 2] No such file or directory: '/nowhere/sock'");
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_connection_local_addr
// CPython: test_events.py, EventLoopTestsMixin.test_create_connection_local_addr_nomatch_family
// CPython: test_events.py, EventLoopTestsMixin.test_create_connection_local_addr_in_use
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_multiple_errors_local_addr
TEST_F(ConnectTest, TheLocalAddressCanBeChosen) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        int port = support::free_port();
        HostPort local("127.0.0.1", port);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server), {.local_addr = local});
        EXPECT_EQ(writer.get_extra_info("sockname").address(), SocketAddress("127.0.0.1", port));

        local = HostPort("::1", 0);
        std::string text = co_await error_of(open_connection("127.0.0.1", port_of(server), {.local_addr = local}));
        EXPECT_EQ(text, "no matching local address with family=<AddressFamily.AF_INET: 2> found");

        Nobody taken;
        local = HostPort("127.0.0.1", taken.port());
        text = co_await error_of(open_connection("127.0.0.1", port_of(server), {.local_addr = local}));
        EXPECT_EQ(text, "[Errno 98] error while attempting to bind on address " + repr(taken.address()) +
                            ": [errno 98] address already in use");
        server.close();
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_create_connection_local_addr_skip_different_family
TEST_F(ConnectTest, LocalAddressesOfAnotherFamilyAreSkipped) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        std::vector<AddressInfo> local = {tcp(SocketAddress("::1", 0)), tcp(SocketAddress("127.0.0.1", 0))};
        ConnectErrors errors;
        Socket socket = co_await detail::connect_socket(errors, tcp(server.getsockname()), &local);
        EXPECT_EQ(socket.getpeername(), server.getsockname());
    });
}

TEST_F(ConnectTest, FamiliesAlternateBehindTheFirstAddresses) {
    std::vector<AddressInfo> infos;
    for (int i = 1; i <= 4; ++i) infos.push_back(tcp(SocketAddress("::1", i)));
    for (int i = 5; i <= 6; ++i) infos.push_back(tcp(SocketAddress("127.0.0.1", i)));
    auto ports = [&](int count) {
        std::string text;
        for (const AddressInfo& info : detail::interleave_families(infos, count)) {
            text += std::to_string(info.address.port());
        }
        return text;
    };
    EXPECT_EQ(ports(1), "152634");
    EXPECT_EQ(ports(2), "125364");
    EXPECT_EQ(ports(3), "123546");
    EXPECT_EQ(ports(9), "123456");
}

TEST_F(ConnectTest, TheNextAddressIsTriedWhenTheFirstFailsOrTakesTooLong) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        Nobody nobody;
        Socket full = support::listener("127.0.0.1", 0);
        std::vector<Socket> waiting(3);
        for (Socket& socket : waiting) {
            socket = Socket(AddressFamily::INET);
            try {
                co_await wait_for(sock_connect(socket, full.getsockname()), 10ms);
            } catch (const TimeoutError&) {
            }
        }
        int fds = count_open_fds();
        // One refuses, which starts the next at once; one says nothing, which costs the delay.
        std::vector<AddressInfo> infos = {tcp(nobody.address()), tcp(full.getsockname()), tcp(server.getsockname()),
                                          tcp(nobody.address())};
        ConnectErrors errors;
        TimePoint start = get_running_loop().time();
        std::optional<Socket> winner = co_await detail::connect_staggered(errors, infos, nullptr, 30ms);
        Seconds taken = get_running_loop().time() - start;
        EXPECT_TRUE(winner.has_value());
        if (winner) {
            EXPECT_EQ(winner->getpeername(), server.getsockname());
        }
        EXPECT_GE(taken, Seconds(0.03));
        EXPECT_LT(taken, Seconds(5));
        EXPECT_EQ(errors.size(), 3u);  // the last was not needed
        EXPECT_EQ(count_open_fds(), fds + 1);

        infos = {tcp(nobody.address()), tcp(nobody.address())};
        errors.clear();
        winner = co_await detail::connect_staggered(errors, infos, nullptr, 30ms);
        EXPECT_FALSE(winner);
        EXPECT_EQ(errors.size(), 2u);
        EXPECT_EQ(errors[0]->size() + errors[1]->size(), 2u);
    });
}

TEST_F(ConnectTest, HappyEyeballsConnects) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server), {.happy_eyeballs_delay = 0.25s});
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "");
        server.close();
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_ip_addr
// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_ipv6_scope
TEST_F(ConnectTest, NumbersAreUnderstoodWithoutAskingAnybody) {
    auto literal = [](Host host, Port port, AddressFamily family = AddressFamily::UNSPEC,
                      SocketKind kind = SocketKind::STREAM, int proto = 0) {
        auto found =
            detail::literal_address({detail::OwnedHost(host), detail::OwnedPort(port), family, kind, proto, 0});
        return found ? repr(found->address) + " " + std::to_string(found->proto) : std::string("none");
    };
    EXPECT_EQ(literal("1.2.3.4", 80), "('1.2.3.4', 80) 6");
    EXPECT_EQ(literal("1.2.3.4", "80"), "('1.2.3.4', 80) 6");
    EXPECT_EQ(literal("1.2.3.4", ""), "('1.2.3.4', 0) 6");
    EXPECT_EQ(literal("1.2.3.4", std::nullopt), "('1.2.3.4', 0) 6");
    EXPECT_EQ(literal("::3", 1, AddressFamily::UNSPEC, SocketKind::DGRAM), "('::3', 1, 0, 0) 17");
    EXPECT_EQ(literal("::3", 1, AddressFamily::INET), "none");
    EXPECT_EQ(literal("1.2.3.4", "http"), "none");
    EXPECT_EQ(literal("localhost", 80), "none");
    EXPECT_EQ(literal("::1%lo", 80), "none");
    EXPECT_EQ(literal("1.2.3.4", 80, AddressFamily::UNSPEC, SocketKind::STREAM, IPPROTO_SCTP), "none");
    EXPECT_EQ(literal("1.2.3.4", 80, AddressFamily::UNSPEC, SocketKind::ANY), "none");
    EXPECT_EQ(literal(std::nullopt, 80), "none");
    run_net([]() -> Coro<> {
        auto found = co_await getaddrinfo("fe80::1%1", 80, {.type = SocketKind::STREAM});
        EXPECT_EQ(repr(found.at(0).address), "('fe80::1', 80, 0, 1)");
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_service_name
TEST_F(ConnectExecutorTest, AServiceHasAPort) {
    if (::getservbyname("http", "tcp") == nullptr) GTEST_SKIP() << "this machine knows no services";
    run_net([]() -> Coro<> {
        auto found = co_await getaddrinfo("127.0.0.1", "http", {.type = SocketKind::STREAM});
        EXPECT_EQ(repr(found.at(0).address), "('127.0.0.1', 80)");
    });
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_create_connection_no_local_addr
TEST_F(ConnectExecutorTest, NamesThatDoNotResolveAreNamed) {
    run_net([]() -> Coro<> {
        std::string text = co_await error_of(open_connection("no-such-host.invalid", 80));
        EXPECT_NE(text.find("'no-such-host.invalid'"), std::string::npos) << text;
        HostPort nowhere("no-such-host.invalid", 0);
        text = co_await error_of(open_connection("127.0.0.1", 80, {.local_addr = nowhere}));
        EXPECT_NE(text.find("'no-such-host.invalid'"), std::string::npos) << text;
        text = co_await error_of(start_server(drop, "no-such-host.invalid", 0));
        EXPECT_NE(text.find("'no-such-host.invalid'"), std::string::npos) << text;
    });
}

TEST_F(ConnectExecutorTest, ANameIsLookedUp) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(drop, "localhost", 0, {.family = AddressFamily::INET});
        auto [reader, writer] = co_await open_connection("localhost", port_of(server), {.family = AddressFamily::INET});
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "");
        server.close();
    });
}

}  // namespace
