// Connections that meet inside each other's callbacks, and protocols that act where one would not expect it.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/net_support.h"

namespace asyncio {
namespace {

using support::outcome_of;
using support::run_net;

class ProtocolInterplayTest : public support::NetTest {};

/// Two ends that are connected: one for the library, and one by hand.
struct Pair {
    Pair() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        ours = Socket::from_fd(ends[0]);
        other = ends[1];
    }
    ~Pair() { close_other(); }
    Pair(const Pair&) = delete;
    void close_other() {
        if (other >= 0) ::close(std::exchange(other, -1));
    }
    void send(std::string_view data) const {
        EXPECT_EQ(::send(other, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL),
                  static_cast<ssize_t>(data.size()));
    }
    std::string received() const {
        char got[100];
        ssize_t size = ::recv(other, got, sizeof got, MSG_DONTWAIT);
        return {got, static_cast<std::size_t>(size < 0 ? 0 : size)};
    }
    Socket ours;
    int other = -1;
};

template <class F>
class Calls : public Protocol {
public:
    explicit Calls(F call) : call_(std::move(call)) {}
    void data_received(std::string_view data) override { call_(data); }

private:
    F call_;
};

Coro<std::string> read_some(StreamReader reader) { co_return co_await reader.read(100); }

// A peer that has sent and closed: its stream receives its rest when a write to it fails.
TEST_F(ProtocolInterplayTest, WhatOneReceivesIsNotOverwrittenByAStreamThatEndsMeanwhile) {
    run_net([]() -> Coro<> {
        Pair hostile;
        Pair good;
        Pair speaker;
        auto [reader, writer] = co_await open_unix_connection({.sock = &hostile.ours});
        auto [unread, other_writer] = co_await open_unix_connection({.sock = &good.ours});
        std::string after;
        auto say = [&, first = writer, second = other_writer](std::string_view data) {
            first.write(data);
            second.write(data);
            after = data;
        };
        auto factory = [&] { return Calls<decltype(say)>(say); };
        auto [transport, protocol] = co_await create_unix_connection(factory, {.sock = &speaker.ours});
        auto reading = create_task(read_some(reader));
        co_await asyncio::sleep(0.01);
        hostile.send("EVILEVILEVIL");
        hostile.close_other();
        speaker.send("hello, world");
        co_await asyncio::sleep(0.05);
        EXPECT_EQ(after, "hello, world");
        EXPECT_EQ(good.received(), "hello, world");
        co_await outcome_of(reading);
        transport.close();
    });
}

class PausesInGetBuffer : public BufferedProtocol {
public:
    explicit PausesInGetBuffer(bool resumes) : resumes_(resumes) {}
    void connection_made(Transport transport) override { transport_ = std::move(transport); }
    WritableBytes get_buffer(std::ptrdiff_t) override {
        transport_.pause_reading();
        if (resumes_) transport_.resume_reading();
        return {room_, sizeof room_};
    }
    void buffer_updated(std::size_t size) override { got += size; }
    void connection_lost(std::exception_ptr) override { transport_ = {}; }
    std::size_t got = 0;

private:
    bool resumes_;
    Transport transport_;
    char room_[100];
};

TEST_F(ProtocolInterplayTest, GetBufferMayPauseAndResume) {
    run_net([]() -> Coro<> {
        for (bool resumes : {true, false}) {
            Pair pair;
            auto factory = [resumes] { return make_protocol<PausesInGetBuffer>(resumes); };
            auto [transport, protocol] = co_await create_unix_connection(factory, {.sock = &pair.ours});
            pair.send(std::string(1000, 'x'));
            co_await asyncio::sleep(0.05);
            EXPECT_EQ(protocol->got, resumes ? 1000U : 0U);
            EXPECT_EQ(transport.is_reading(), resumes);
            pair.close_other();
            transport.close();
            co_await asyncio::sleep(0.01);
        }
    });
}

/// Lets go of its transport when that is over.
class WritesToTheEnd : public Protocol {
public:
    WritesToTheEnd(const Pair& pair, bool at_once) : pair_(pair), at_once_(at_once) {}
    void connection_made(Transport transport) override {
        transport_ = std::move(transport);
        if (at_once_) write_to_the_end();
    }
    void data_received(std::string_view) override { write_to_the_end(); }
    void connection_lost(std::exception_ptr) override {
        transport_ = {};
        ++times_lost;
    }
    int times_lost = 0;

private:
    void write_to_the_end() {
        transport_.write(std::string(1 << 19, 'x'));
        transport_.close();
        for (int i = 0; i < 100 && transport_; ++i) {
            while (!pair_.received().empty()) continue;
            transport_.writelines(std::vector<std::string>{"y"});
        }
    }
    const Pair& pair_;
    const bool at_once_;
    Transport transport_;
};

TEST_F(ProtocolInterplayTest, WritelinesMayBeTheEndOfAClosingTransport) {
    run_net([]() -> Coro<> {
        for (bool at_once : {false, true}) {
            Pair pair;
            auto factory = [&] { return make_protocol<WritesToTheEnd>(pair, at_once); };
            ProtocolRef<WritesToTheEnd> kept;
            {
                auto [transport, protocol] = co_await create_unix_connection(factory, {.sock = &pair.ours});
                kept = protocol;
            }
            if (!at_once) pair.send("go");
            co_await asyncio::sleep(0.05);
            EXPECT_EQ(kept->times_lost, 1) << at_once;
        }
    });
}

TEST_F(ProtocolInterplayTest, APausedTransportThatGetsAnotherProtocolStaysPaused) {
    run_net([]() -> Coro<> {
        Pair stream;
        Pair trigger;
        std::string told;
        auto [reader, writer] = co_await open_unix_connection({.sock = &stream.ours});
        Transport transport = writer.transport();
        auto note = [&](std::string_view data) { told += data; };
        auto replace = [&](std::string_view) {
            transport.pause_reading();
            transport.set_protocol(make_protocol<Calls<decltype(note)>>(note));
        };
        auto factory = [&] { return Calls<decltype(replace)>(replace); };
        auto [other, protocol] = co_await create_unix_connection(factory, {.sock = &trigger.ours});
        auto reading = create_task(read_some(reader));
        co_await asyncio::sleep(0.01);
        stream.send("bytes");
        trigger.send("go");
        co_await asyncio::sleep(0.05);
        EXPECT_EQ(told, "");
        transport.resume_reading();
        co_await asyncio::sleep(0.05);
        EXPECT_EQ(told, "bytes");
        reading.cancel();
        co_await outcome_of(reading);
        other.close();
        transport.abort();
    });
}

TEST_F(ProtocolInterplayTest, APipesFactoryThatMakesNothingIsTold) {
    run_net([]() -> Coro<> {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::pipe(ends), 0);
        auto nothing = [] { return std::unique_ptr<Protocol>(); };
        std::string read = co_await outcome_of(connect_read_pipe(nothing, ends[0]));
        std::string write = co_await outcome_of(connect_write_pipe(nothing, ends[1]));
        EXPECT_EQ(read, "TypeError(\"the protocol's factory returned no protocol\")");
        EXPECT_EQ(write, read);
    });
}

/// Takes one datagram and puts another in its place.
class PassesOn : public DatagramProtocol {
public:
    PassesOn(DatagramTransport transport, std::string* told) : transport_(std::move(transport)), told_(told) {}
    void datagram_received(std::string_view data, const SocketAddress&) override {
        transport_.set_protocol(make_protocol<PassesOn>(transport_, told_));
        *told_ += name_;
        *told_ += data;
        if (data == "1") throw ValueError("one is too few");
    }

private:
    DatagramTransport transport_;
    std::string* told_;
    std::string name_ = " ";
};

class TakesTheFirst : public DatagramBatchProtocol {
public:
    explicit TakesTheFirst(std::string* told) : told_(told) {}
    void connection_made(DatagramTransport transport) override { transport_ = std::move(transport); }
    void datagrams_received(std::span<const ReceivedDatagram>) override {
        transport_.set_protocol(make_protocol<PassesOn>(transport_, told_));
    }

private:
    DatagramTransport transport_;
    std::string* told_;
};

TEST_F(ProtocolInterplayTest, OfDatagramsThatCameTogetherNoneIsLostToAnothersError) {
    run_net([]() -> Coro<> {
        std::string told;
        std::string reports;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& context) { reports += context.message + "; "; });
        auto factory = [&] { return make_protocol<TakesTheFirst>(&told); };
        auto [transport, protocol] = co_await create_datagram_endpoint(factory, HostPort("127.0.0.1", 0));
        protocol = {};
        SocketAddress to = transport.get_extra_info("sockname");
        transport.sendto("first", to);
        co_await asyncio::sleep(0.02);
        for (int i = 0; i < 5; ++i) transport.sendto(std::to_string(i), to);
        co_await asyncio::sleep(0.05);
        EXPECT_EQ(told, " 0 1 2 3 4");
        EXPECT_EQ(reports, "Exception in callback _SelectorDatagramTransport._read_ready(); ");
        transport.close();
    });
}

/// Puts another in its place, and then still uses itself.
class GivesWay : public DatagramProtocol {
public:
    explicit GivesWay(std::string* told) : told_(told) {}
    void connection_made(DatagramTransport transport) override { transport_ = std::move(transport); }
    void error_received(std::exception_ptr) override { give_way(); }
    void pause_writing() override { give_way(); }

private:
    void give_way() {
        transport_.set_protocol(make_protocol<DatagramProtocol>());
        *told_ += name_;
    }
    DatagramTransport transport_;
    std::string* told_;
    std::string name_ = "the former";
};

TEST_F(ProtocolInterplayTest, ADatagramProtocolMayGiveWayWhereverItIsCalled) {
    run_net([]() -> Coro<> {
        std::string told;
        auto factory = [&] { return make_protocol<GivesWay>(&told); };
        auto [transport, protocol] = co_await create_datagram_endpoint(factory, HostPort("127.0.0.1", 0));
        protocol = {};
        SocketAddress to = transport.get_extra_info("sockname");
        transport.sendto(std::string(70'000, 'x'), to);  // too large
        EXPECT_EQ(told, "the former");
        transport.close();

        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
        Socket full = Socket::from_fd(ends[0]);
        Socket other = Socket::from_fd(ends[1]);
        told.clear();
        auto [sender, pausing] = co_await create_datagram_endpoint(factory, {.sock = &full});
        pausing = {};
        sender.set_write_buffer_limits({.high = 10});
        for (int i = 0; i < 10'000 && told.empty(); ++i) sender.sendto(std::string(100, 'x'));
        EXPECT_EQ(told, "the former");
        sender.abort();
    });
}

ContextVar<int> depth{"depth", 0};

class ClosesInAContext : public DatagramProtocol {
public:
    void connection_made(DatagramTransport transport) override { transport_ = std::move(transport); }
    void datagram_received(std::string_view, const SocketAddress&) override {
        Token token = depth.set(1);
        transport_.close();
        depth.reset(token);  // it is still the same context
        was_reset = true;
    }
    void connection_lost(std::exception_ptr) override { at_the_end = depth.get(); }
    bool was_reset = false;
    int at_the_end = -1;

private:
    DatagramTransport transport_;
};

// CPython: close() calls call_soon(), which copies the context.
TEST_F(ProtocolInterplayTest, TheEndOfAnEndpointHasTheContextInWhichItWasClosed) {
    run_net([]() -> Coro<> {
        auto factory = [] { return make_protocol<ClosesInAContext>(); };
        auto [transport, protocol] = co_await create_datagram_endpoint(factory, HostPort("127.0.0.1", 0));
        SocketAddress to = transport.get_extra_info("sockname");
        transport.sendto("x", to);
        co_await asyncio::sleep(0.02);
        EXPECT_TRUE(protocol->was_reset);
        EXPECT_EQ(protocol->at_the_end, 1);
    });
}

class HoldsAReader : public Protocol {
public:
    StreamReader reader;
};

// The reader, which is full, would have its pipe go on when the last handle is gone.
TEST_F(ProtocolInterplayTest, AProtocolMayHoldAFullReaderWhenTheLoopEnds) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    Pair pair;  // outlives the loop: it is that which ends the connection
    run_net([&]() -> Coro<> {
        auto factory = [] { return make_protocol<HoldsAReader>(); };
        auto [transport, protocol] = co_await create_unix_connection(factory, {.sock = &pair.ours});
        StreamReader reader({.limit = 4});
        auto stream_factory = [&] { return StreamReaderProtocol(reader); };
        auto pipe = co_await connect_read_pipe(stream_factory, ends[0]);
        protocol->reader = reader;
        EXPECT_EQ(::write(ends[1], "much more than fits", 19), 19);
        co_await asyncio::sleep(0.02);
        EXPECT_FALSE(pipe.transport.is_reading());
    });
    ::close(ends[1]);
}

}  // namespace
}  // namespace asyncio
