// StreamReaderProtocol: a stream on any transport.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "net/protocol_support.h"
#include "net/stream_support.h"

namespace asyncio {
namespace {

using support::run_net;

class StreamReaderProtocolTest : public support::NetTest {};

// CPython: test_streams.py, StreamTests.test_streamreaderprotocol_constructor_without_loop
TEST_F(StreamReaderProtocolTest, NeedsARunningLoop) {
    EXPECT_THROW(make_protocol<StreamReaderProtocol>(StreamReader()), RuntimeError);
}

// CPython: test_streams.py, StreamTests.test_streamreaderprotocol_constructor_use_running_loop
TEST_F(StreamReaderProtocolTest, IsOfTheRunningLoop) {
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        StreamReader reader(StreamReaderOptions{});
        auto factory = [&] { return StreamReaderProtocol(reader); };
        auto [transport, protocol] = co_await create_connection(factory, {.sock = &one});
        EXPECT_EQ(transport.get_protocol(), protocol.get());
        transport.close();
        co_await sleep(0);
    });
}

TEST_F(StreamReaderProtocolTest, PutsAStreamOnATransport) {
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        StreamReader reader(StreamReaderOptions{});
        auto factory = [&] { return StreamReaderProtocol(reader); };
        auto [transport, protocol] = co_await create_connection(factory, {.sock = &one});
        StreamWriter writer(transport, protocol, reader);
        EXPECT_EQ(writer.transport(), transport);
        writer.write("question\n");
        co_await writer.drain();
        std::string question = co_await sock_recv(other, 100);
        EXPECT_EQ(question, "question\n");
        co_await sock_sendall(other, "answer\nrest");
        std::string answer = co_await reader.readline();
        EXPECT_EQ(answer, "answer\n");
        other.close();
        std::string rest = co_await reader.read();
        EXPECT_EQ(rest, "rest");
        writer.close();
        co_await writer.wait_closed();
    });
}

TEST_F(StreamReaderProtocolTest, CallsBackAsAServerDoes) {
    run_net([]() -> Coro<> {
        auto answer = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            std::string line = co_await reader.readline();
            writer.write("you said " + line);
            writer.close();
            co_await writer.wait_closed();
        };
        auto factory = [&] { return StreamReaderProtocol(StreamReader(StreamReaderOptions{}), answer); };
        Server server = co_await create_server(factory, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", support::port_of(server));
        writer.write("hello\n");
        std::string said = co_await reader.read();
        EXPECT_EQ(said, "you said hello\n");
        writer.close();
        co_await writer.wait_closed();
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(StreamReaderProtocolTest, TakesTheTransportOverFromAnotherProtocol) {
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        std::string told;
        auto made = co_await create_connection([&] { return support::Recorder(&told); }, {.sock = &one});
        co_await sock_sendall(other, "first");
        co_await sleep(0.01);
        StreamReader reader(StreamReaderOptions{});
        auto protocol = make_protocol<StreamReaderProtocol>(reader);
        made.transport.set_protocol(protocol);
        StreamWriter writer(made.transport, protocol, reader);
        made = {};  // the recorder keeps a handle of the transport, and nobody the recorder
        EXPECT_EQ(told, "made;data first;destroyed;");
        co_await sock_sendall(other, "second\n");
        std::string line = co_await reader.readline();
        EXPECT_EQ(line, "second\n");
        writer.close();
        co_await writer.wait_closed();
    });
}

TEST_F(StreamReaderProtocolTest, CanDoWithoutAReader) {
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        auto factory = [] { return StreamReaderProtocol(StreamReader()); };
        auto [transport, protocol] = co_await create_connection(factory, {.sock = &one});
        StreamWriter writer(transport, protocol, StreamReader());
        co_await sock_sendall(other, "nobody reads this");
        co_await sleep(0.01);
        writer.write("x");
        co_await writer.drain();
        EXPECT_EQ(support::receive_now(other), "x");
        other.close();
        co_await sleep(0.01);
        EXPECT_FALSE(writer.is_closing());
        writer.close();
        co_await writer.wait_closed();
    });
}

TEST_F(StreamReaderProtocolTest, MayBeDerivedFrom) {
    class Counting : public StreamReaderProtocol {
    public:
        using StreamReaderProtocol::StreamReaderProtocol;
        void data_received(std::string_view data) override {
            count += data.size();
            StreamReaderProtocol::data_received(data);
        }
        std::size_t count = 0;
    };
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        StreamReader reader(StreamReaderOptions{});
        auto [transport, protocol] = co_await create_connection([&] { return Counting(reader); }, {.sock = &one});
        StreamWriter writer(transport, protocol, reader);
        co_await sock_sendall(other, "12345");
        std::string data = co_await reader.readexactly(5);
        EXPECT_EQ(data, "12345");
        EXPECT_EQ(protocol->count, 5u);
        writer.close();
        co_await writer.wait_closed();
    });
}

}  // namespace
}  // namespace asyncio
