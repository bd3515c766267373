// In which pass of the loop what happens, as CPython 3.14 was seen to do it.
#include <asyncio/net/create_datagram_endpoint.h>

#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <string>
#include <utility>

#include "net/datagram_support.h"
#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::NetTest;
using support::NotingProtocol;
using support::passes;
using support::run_each_pass;
using support::Trace;

namespace {

using DatagramTurnsTest = NetTest;

/// Puts what it is told into the trace; of errors and data the class and the text.
class Traced : public DatagramProtocol {
public:
    explicit Traced(Trace& trace) : trace_(trace) {}
    void connection_made(DatagramTransport) override { trace_("made"); }
    void datagram_received(std::string_view data, const SocketAddress&) override {
        trace_("data", std::string(data));
        if (on_data) on_data();
    }
    void error_received(std::exception_ptr error) override {
        std::string text = repr(error);
        trace_("error", text.substr(0, text.find('(')));
        if (on_error) on_error();
    }
    void pause_writing() override { trace_("pause"); }
    void resume_writing() override { trace_("resume"); }
    void connection_lost(std::exception_ptr error) override { trace_("lost", error ? repr(error) : "None"); }
    std::function<void()> on_data;
    std::function<void()> on_error;

private:
    Trace& trace_;
};

/// Two unix sockets for datagrams, the first connected to the second.
struct UnixPair {
    UnixPair() : one(AddressFamily::UNIX, SocketKind::DGRAM), other(AddressFamily::UNIX, SocketKind::DGRAM) {
        sa_family_t any = AF_UNIX;  // the kernel finds a name
        other.bind(SocketAddress::from_native(&any, sizeof any));
        SocketAddress address = other.getsockname();
        EXPECT_EQ(::connect(one.fileno(), static_cast<const sockaddr*>(address.native()), address.native_size()), 0);
    }
    /// Receives all that is there: how many, and the last.
    std::pair<std::size_t, std::string> drain() {
        std::pair<std::size_t, std::string> seen;
        char data[200];
        for (ssize_t size = 0; (size = ::recv(other.fileno(), data, sizeof data, MSG_DONTWAIT)) >= 0; ++seen.first) {
            seen.second.assign(data, static_cast<std::size_t>(size));
        }
        return seen;
    }
    Socket one;
    Socket other;
};

std::size_t fill(const DatagramTransport& transport) {
    std::size_t count = 0;
    for (; transport.get_write_buffer_size() == 0; ++count) transport.sendto("xxxxxxxxxx");
    return count;
}

TEST_F(DatagramTurnsTest, AnEndpointIsMadeAndCloses) {
    std::string seen = run_each_pass([]() -> Coro<std::string> {
        Trace trace;
        get_running_loop().call_soon([&] { trace("before"); });
        auto endpoint = co_await create_datagram_endpoint([&] { return Traced(trace); }, HostPort("127.0.0.1", 0));
        trace("created");
        endpoint.transport.close();
        trace("closed");
        co_await sleep(0s);
        trace("next");
        co_await sleep(0s);
        co_return trace.str();
    });
    EXPECT_EQ(seen, "1:before, 1:made, 2:created, 2:closed, 3:lost None, 3:next");
}

TEST_F(DatagramTurnsTest, EachDatagramHasAPassOfItsOwn) {
    std::string seen = run_each_pass([]() -> Coro<std::string> {
        Trace trace;
        auto [transport, protocol] =
            co_await create_datagram_endpoint([&] { return Traced(trace); }, HostPort("127.0.0.1", 0));
        Socket socket = support::datagram_socket();
        SocketAddress address = transport.get_extra_info("sockname");
        EXPECT_EQ(::connect(socket.fileno(), static_cast<const sockaddr*>(address.native()), address.native_size()), 0);
        trace("send");
        for (const char* data : {"a", "b", "c", ""}) support::send_now(socket, data);
        protocol->on_data = [&] { get_running_loop().call_soon([&] { trace("after"); }); };
        co_await passes(7);
        ReadTransport reading(transport.handle().get());
        reading.pause_reading();
        support::send_now(socket, "late");
        trace("paused");
        co_await passes(3);
        reading.resume_reading();
        trace("resumed");
        co_await passes(3);
        support::send_now(socket, "in vain");
        transport.close();
        trace("closed");
        co_await passes(3);
        co_return trace.str();
    });
    EXPECT_EQ(seen,
              "1:made, 2:send, 3:data a, 4:after, 4:data b, 5:after, 5:data c, 6:after, 6:data , 7:after, 9:paused, "
              "12:resumed, 13:data late, 14:after, 15:closed, 16:lost None");
}

TEST_F(DatagramTurnsTest, WhatHasToWaitGoesAllAtOnce) {
    UnixPair pair;
    std::string seen = run_each_pass([&]() -> Coro<std::string> {
        Trace trace;
        auto [transport, protocol] =
            co_await create_datagram_endpoint([&] { return Traced(trace); }, {.sock = &pair.one});
        transport.set_write_buffer_limits({.high = 100, .low = 50});
        std::size_t count = fill(transport);
        trace("full", transport.get_write_buffer_size());
        while (transport.get_write_buffer_size() < 126) transport.sendto("yyyyyyyyyy");
        trace("size", transport.get_write_buffer_size());
        co_await passes(3);
        trace("drained", pair.drain().first == count - 1);
        co_await passes(3);
        trace("size", transport.get_write_buffer_size(), pair.drain().first);
        fill(transport);
        transport.sendto("last");
        transport.close();
        trace("closed", transport.get_write_buffer_size());
        co_await passes(3);
        pair.drain();
        trace("drained");
        co_await passes(4);
        trace(pair.drain().second);
        co_return trace.str();
    });
    EXPECT_EQ(seen,
              "1:made, 2:full 18, 2:pause, 2:size 126, 5:drained True, 6:resume, 8:size 0 7, 8:closed 30, 11:drained, "
              "12:lost None, 15:last");
}

TEST_F(DatagramTurnsTest, AfterAnErrorTheOthersWaitForAPass) {
    UnixPair pair;
    pair.one.setsockopt(SOL_SOCKET, SO_SNDBUF, 20'000);
    std::string seen = run_each_pass([&]() -> Coro<std::string> {
        Trace trace;
        auto [transport, protocol] =
            co_await create_datagram_endpoint([&] { return Traced(trace); }, {.sock = &pair.one});
        transport.set_write_buffer_limits({.high = 0});
        std::string large(100'000, 'z');
        transport.sendto(large);
        trace("too large at once");
        fill(transport);
        transport.sendto(large);
        transport.sendto("ok");
        transport.sendto(large);
        trace("size", transport.get_write_buffer_size());
        pair.drain();
        trace("drained");
        co_await passes(6);
        trace("last", pair.drain().second, transport.get_write_buffer_size());
        fill(transport);
        transport.sendto(large);
        protocol->on_error = [&] { transport.close(); };
        pair.drain();
        trace("drained again");
        co_await passes(6);
        co_return trace.str();
    });
    EXPECT_EQ(seen,
              "1:made, 2:error OSError, 2:too large at once, 2:pause, 2:size 200044, 2:drained, 3:error OSError, "
              "4:error OSError, 5:resume, 8:last ok 0, 8:pause, 8:drained again, 9:error OSError, 10:lost None");
}

TEST_F(DatagramTurnsTest, ARefusedPortIsTold) {
    SocketAddress nobody = support::nobodys_address();
    std::string seen = run_each_pass([&]() -> Coro<std::string> {
        Trace trace;
        DatagramEndpointOptions options{.remote_addr = HostPort("127.0.0.1", nobody.port())};
        auto [transport, protocol] = co_await create_datagram_endpoint([&] { return Traced(trace); }, options);
        transport.sendto("one");
        trace("sent");
        co_await passes(3);
        transport.sendto("two");
        transport.sendto("three");
        trace("sent two");
        co_await passes(3);
        transport.sendto(std::string(70'000, 'z'));
        trace("sent too large");
        transport.abort();
        trace("aborted");
        transport.sendto("in vain");
        co_await passes(2);
        co_return trace.str();
    });
    EXPECT_EQ(seen,
              "1:made, 2:sent, 3:error ConnectionRefusedError, 5:error ConnectionRefusedError, 5:sent two, "
              "8:error OSError, 8:sent too large, 8:aborted, 9:lost None");
}

}  // namespace
