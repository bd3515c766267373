#include <asyncio/net/datagrams.h>

#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <vector>

#include "net/datagram_support.h"
#include "net/faulty_backend.h"
#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::joined;
using support::NetTest;
using support::NotingProtocol;
using support::run_net;
using support::until;

namespace {

using DatagramBatchTest = NetTest;

class Batches : public DatagramBatchProtocol {
public:
    void datagrams_received(std::span<const ReceivedDatagram> datagrams) override {
        ++calls;
        for (const ReceivedDatagram& datagram : datagrams) {
            received.emplace_back(datagram.data);
            address = datagram.address;
            truncated += datagram.truncated;
        }
        if (on_batch) on_batch();
    }
    void error_received(std::exception_ptr error) override { errors.push_back(repr(error)); }

    int calls = 0;
    int truncated = 0;
    std::vector<std::string> received;
    std::vector<std::string> errors;
    SocketAddress address;
    std::function<void()> on_batch;
};

constexpr DatagramEndpointOptions loopback{.local_addr = HostPort("127.0.0.1", 0)};

/// What is sent comes, whole and in order, in few calls.
Coro<> all_come(std::vector<std::string> sent, std::string host, bool connected) {
    auto receiver = co_await create_datagram_endpoint([] { return Batches(); }, HostPort(host, 0));
    SocketAddress address = receiver.transport.get_extra_info("sockname");
    TransportSocket socket = receiver.transport.get_extra_info("socket");
    socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 4'000'000);
    DatagramEndpointOptions options{.local_addr = HostPort(host, 0)};
    if (connected) options = {.remote_addr = HostPort(host, address.port())};
    auto sender = co_await create_datagram_endpoint([] { return Batches(); }, options);
    std::vector<Datagram> datagrams;
    for (const std::string& data : sent) {
        datagrams.push_back({data, connected ? SocketAddress() : address});
    }
    sender.transport.send_batch(datagrams);
    bool come = co_await until([&] { return receiver.protocol->received.size() >= sent.size(); });
    EXPECT_TRUE(come) << receiver.protocol->received.size() << " of " << sent.size();
    EXPECT_EQ(receiver.protocol->received, sent);
    EXPECT_EQ(receiver.protocol->address, sender.transport.get_extra_info("sockname").address());
    EXPECT_LT(receiver.protocol->calls, static_cast<int>(sent.size()));
    EXPECT_EQ(joined(sender.protocol->errors), "");
    receiver.transport.close();
    sender.transport.close();
    co_await sleep(0s);
}

std::vector<std::string> texts(std::vector<std::size_t> sizes) {
    std::vector<std::string> all;
    for (std::size_t size : sizes) {
        std::string text = std::to_string(all.size()) + ":";
        text.resize(size, 'x');
        all.push_back(text);
    }
    return all;
}

TEST_F(DatagramBatchTest, AllComeWholeAndInOrder) {
    std::vector<std::size_t> sizes(100, 1000);                    // the kernel can cut these
    for (std::size_t i = 0; i < 50; ++i) sizes.push_back(i % 7);  // empty ones, too
    sizes.insert(sizes.end(), 10, 500);
    sizes.push_back(100);  // a last one that is shorter
    sizes.insert(sizes.end(), 10, 30'000);
    for (const char* host : {"127.0.0.1", "::1"}) {
        for (bool connected : {false, true}) run_net([&] { return all_come(texts(sizes), host, connected); });
    }
}

TEST_F(DatagramBatchTest, SegmentsAreDatagrams) {
    run_net([]() -> Coro<> {
        auto receiver = co_await create_datagram_endpoint([] { return Batches(); }, loopback);
        SocketAddress address = receiver.transport.get_extra_info("sockname");
        auto sender = co_await create_datagram_endpoint([] { return Batches(); }, loopback);
        std::string data;
        while (data.size() < 99'999) data += std::to_string(data.size()) + ",";
        sender.transport.send_segments(data, 1200, address);
        std::string received;
        co_await until([&] { return receiver.protocol->received.size() >= 84; });
        for (const std::string& part : receiver.protocol->received) {
            EXPECT_TRUE(part.size() == 1200 || &part == &receiver.protocol->received.back());
            received += part;
        }
        EXPECT_EQ(received, data);
        std::string how = support::outcome([&] {
            sender.transport.send_segments(data, 0, address);
            return 0;
        });
        EXPECT_EQ(how, "ValueError('segment_size must be positive')");
        receiver.transport.close();
        sender.transport.close();
        co_await sleep(0s);
    });
}

TEST_F(DatagramBatchTest, WhereTheKernelDoesNotCutTheyGoOneByOne) {
    for (int error : {EINVAL, EIO, EMSGSIZE}) {
        support::FaultyBackend backend;
        EventLoop loop({.io_backend = backend});
        int failures = 1;
        backend.fault = [&](const IoOperation& operation) {
            return operation.call == IoCall::send_many && failures > 0 ? (--failures, error) : 0;
        };
        loop.run_until_complete(all_come(texts(std::vector<std::size_t>(100, 1000)), "127.0.0.1", false));
        EXPECT_EQ(failures, 0);
    }
}

TEST_F(DatagramBatchTest, AnErrorOfOneIsToldAndTheOthersCome) {
    run_net([]() -> Coro<> {
        auto receiver = co_await create_datagram_endpoint([] { return Batches(); }, loopback);
        SocketAddress address = receiver.transport.get_extra_info("sockname");
        std::string too_large(70'000, 'x');
        std::vector<Datagram> datagrams = {{"a", address}, {too_large, address}, {"b", address}, {too_large, address}};
        receiver.transport.send_batch(datagrams);
        bool come = co_await until([&] { return receiver.protocol->received.size() == 2; });
        EXPECT_TRUE(come);
        EXPECT_EQ(joined(receiver.protocol->received), "a, b");
        EXPECT_EQ(joined(receiver.protocol->errors),
                  "OSError(90, 'Message too long'), OSError(90, 'Message too long')");
        receiver.transport.close();
        co_await sleep(0s);
    });
}

TEST_F(DatagramBatchTest, WhatHasNoRoomWaits) {
    run_net([]() -> Coro<> {
        auto [mine, peer] = socketpair(AddressFamily::UNIX, SocketKind::DGRAM);
        std::vector<std::string> notes;
        auto sender = co_await create_datagram_endpoint([&] { return NotingProtocol(notes); }, {.sock = &mine});
        sender.transport.set_write_buffer_limits({.high = 1000});
        auto receiver = co_await create_datagram_endpoint([] { return Batches(); }, {.sock = &peer});
        std::vector<std::string> sent = texts(std::vector<std::size_t>(2000, 10));
        std::vector<Datagram> datagrams(sent.begin(), sent.end());
        sender.transport.send_batch(datagrams);
        EXPECT_EQ(joined(notes), "made, pause");
        EXPECT_EQ(receiver.protocol->received.size(), 0u);
        sender.transport.close();
        bool come = co_await until([&] { return notes.back() == "lost None"; });
        EXPECT_TRUE(come);
        co_await until([&] { return receiver.protocol->received.size() >= sent.size(); });
        EXPECT_EQ(receiver.protocol->received, sent);
        EXPECT_EQ(joined(notes), "made, pause, resume, lost None");
        receiver.transport.close();
        co_await sleep(0s);
    });
}

TEST_F(DatagramBatchTest, OneThatIsCutSaysSo) {
    run_net([]() -> Coro<> {
        auto [mine, peer] = socketpair(AddressFamily::UNIX, SocketKind::DGRAM);
        auto receiver = co_await create_datagram_endpoint([] { return Batches(); }, {.sock = &mine});
        support::send_now(peer, std::string(65536, 'x'));
        support::send_now(peer, std::string(65537, 'y'));
        co_await until([&] { return receiver.protocol->received.size() == 2; });
        EXPECT_EQ(receiver.protocol->truncated, 1);
        EXPECT_EQ(receiver.protocol->received.at(1), std::string(65536, 'y'));
        receiver.transport.close();
        co_await sleep(0s);
    });
}

TEST_F(DatagramBatchTest, CloseInABatchIsTheLast) {
    run_net([]() -> Coro<> {
        auto receiver = co_await create_datagram_endpoint([] { return Batches(); }, loopback);
        SocketAddress address = receiver.transport.get_extra_info("sockname");
        auto sender = co_await create_datagram_endpoint([] { return NotingProtocol(); }, loopback);
        std::vector<std::string> sent = texts(std::vector<std::size_t>(300, 100));
        std::vector<Datagram> datagrams;
        for (const std::string& data : sent) datagrams.push_back({data, address});
        receiver.protocol->on_batch = [&] { receiver.transport.close(); };
        sender.transport.send_batch(datagrams);
        co_await until([&] { return receiver.protocol->calls > 0; });
        co_await support::passes(5);
        EXPECT_EQ(receiver.protocol->calls, 1);
        sender.transport.close();
        co_await sleep(0s);
    });
}

TEST_F(DatagramBatchTest, APlainProtocolAfterItIsToldOfEachDatagram) {
    run_net([]() -> Coro<> {
        auto receiver = co_await create_datagram_endpoint([] { return Batches(); }, loopback);
        SocketAddress address = receiver.transport.get_extra_info("sockname");
        auto sender = co_await create_datagram_endpoint([] { return NotingProtocol(); }, loopback);
        std::vector<std::string> notes;
        sender.transport.send_segments("aaabbbcccdddeee", 3, address);
        receiver.transport.set_protocol(make_protocol<NotingProtocol>(notes));
        co_await until([&] { return notes.size() >= 5; });
        EXPECT_EQ(joined(notes), "data 'aaa', data 'bbb', data 'ccc', data 'ddd', data 'eee'");
        receiver.transport.set_protocol(make_protocol<Batches>());
        sender.transport.sendto("more", address);
        auto batches = receiver.transport.get_protocol<Batches>();
        co_await until([&] { return batches->received.size() == 1; });
        EXPECT_EQ(joined(batches->received), "more");
        receiver.transport.close();
        sender.transport.close();
        co_await sleep(0s);
    });
}

}  // namespace
