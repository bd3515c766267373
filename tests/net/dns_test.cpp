#include <asyncio/net/dns.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/net/sock.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <netdb.h>
#include <netinet/in.h>

#include <string>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::NetTest;
using support::run_net;
using support::Trace;

namespace {

using DnsTest = NetTest;
using DnsExecutorTest = NetTest;

/// Runs nothing, and counts what it was given.
class NoExecutor final : public Executor {
public:
    void submit(ExecutorJob&) override {
        ++submitted;
        throw RuntimeError("no thread here");
    }
    bool try_cancel(ExecutorJob&) noexcept override { return false; }
    void shutdown(bool) override {}
    int submitted = 0;
};

TEST_F(DnsTest, NumbersNeedNoThreadAndDoNotSuspend) {
    NoExecutor executor;
    EventLoop loop({.executor = &executor});
    auto main = []() -> Coro<> {
        Trace trace;
        auto found = co_await getaddrinfo("127.0.0.1", 80, {.type = SocketKind::STREAM});
        EXPECT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].family, AddressFamily::INET);
        EXPECT_EQ(found[0].type, SocketKind::STREAM);
        EXPECT_EQ(found[0].proto, IPPROTO_TCP);
        EXPECT_EQ(repr(found[0].address), "('127.0.0.1', 80)");
        found = co_await getaddrinfo("::1", "443", {.type = SocketKind::DGRAM});
        EXPECT_EQ(repr(found.at(0).address), "('::1', 443, 0, 0)");
        EXPECT_EQ(found[0].proto, IPPROTO_UDP);
        found = co_await getaddrinfo("127.0.0.1", nullptr);
        EXPECT_EQ(found.size(), 3u);  // stream, datagram, raw, as in Python
        found = co_await getaddrinfo(nullptr, 80, {.family = AddressFamily::INET, .type = SocketKind::STREAM});
        EXPECT_EQ(repr(found.at(0).address), "('127.0.0.1', 80)");
        found = co_await getaddrinfo(nullptr, 80,
                                     {.family = AddressFamily::INET, .type = SocketKind::STREAM, .flags = AI_PASSIVE});
        EXPECT_EQ(repr(found.at(0).address), "('0.0.0.0', 80)");
        NameInfo name = co_await getnameinfo(SocketAddress("127.0.0.1", 80), NI_NUMERICHOST | NI_NUMERICSERV);
        EXPECT_EQ(name.host + " " + name.service, "127.0.0.1 80");
        trace("end");
        EXPECT_EQ(trace.str(), "0:end");
    };
    loop.run_until_complete(main());
    EXPECT_EQ(executor.submitted, 0);
    auto named = []() -> Coro<> {
        try {
            co_await getaddrinfo("localhost", 80);
            ADD_FAILURE();
        } catch (const RuntimeError&) {
        }
    };
    loop.run_until_complete(named());
    EXPECT_EQ(executor.submitted, 1);
}

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_getnameinfo
TEST_F(DnsExecutorTest, NamesAreLookedUpOnAThreadWhileTheLoopGoesOn) {
    run_net([]() -> Coro<> {
        Trace trace;
        auto found = co_await getaddrinfo("localhost", 80, {.family = AddressFamily::INET, .type = SocketKind::STREAM});
        EXPECT_EQ(repr(found.at(0).address), "('127.0.0.1', 80)");
        NameInfo name = co_await getnameinfo(SocketAddress("127.0.0.1", 80), NI_NUMERICHOST);
        EXPECT_EQ(name.host, "127.0.0.1");
        EXPECT_FALSE(name.service.empty());
        trace("found");
        EXPECT_NE(trace.str(), "0:found");
    });
}

TEST_F(DnsExecutorTest, AHostThatDoesNotResolveIsNamed) {
    run_net([]() -> Coro<> {
        try {
            co_await getaddrinfo("no-such-host.invalid", 80);
            ADD_FAILURE();
        } catch (const gaierror& error) {
            EXPECT_LT(error.errno_value(), 0);
            EXPECT_NE(std::string(error.what()).find("'no-such-host.invalid'"), std::string::npos) << error.what();
            EXPECT_EQ(caught().substr(0, 9), "gaierror(");
        }
        Socket socket(AddressFamily::INET);
        try {
            co_await sock_connect(socket, "no-such-host.invalid", 80);
            ADD_FAILURE();
        } catch (const OSError& error) {
            EXPECT_NE(std::string(error.what()).find("'no-such-host.invalid'"), std::string::npos) << error.what();
        }
    });
}

TEST_F(DnsExecutorTest, ACancelledLookUpEndsAtOnceAndItsThreadIsJoined) {
    run_net([]() -> Coro<> {
        auto looking = create_task(getaddrinfo("localhost", 80));
        co_await sleep(0s);
        looking.cancel();
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_TRUE(looking.cancelled());
    });
}

TEST_F(DnsExecutorTest, ConnectTakesNamesAndStringsForPorts) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        int port = server.getsockname().port();
        for (int i = 0; i < 3; ++i) {
            Socket client(AddressFamily::INET);
            if (i == 0) {
                co_await sock_connect(client, "127.0.0.1", port);
            } else if (i == 1) {
                co_await sock_connect(client, std::string("localhost"), port);
            } else {
                co_await sock_connect(client, "127.0.0.1", std::to_string(port));
            }
            EXPECT_EQ(client.getpeername(), server.getsockname());
        }
    });
}

TEST_F(DnsTest, AddressesOfTheWrongFamilyAreRefused) {
    run_net([]() -> Coro<> {
        Socket client(AddressFamily::INET);
        try {
            co_await sock_connect(client, SocketAddress("::1", 80));
            ADD_FAILURE();
        } catch (const OSError& error) {
            EXPECT_EQ(error.errno_value(), 97);
            EXPECT_NE(std::string(error.what()).find("('::1', 80, 0, 0)"), std::string::npos) << error.what();
        }
    });
}

}  // namespace
