// create_connection(), create_server() and their like: factories, options and errors.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "net/protocol_support.h"
#include "net/stream_support.h"

namespace asyncio {
namespace {

using support::BufferedRecorder;
using support::Folder;
using support::port_of;
using support::Recorder;
using support::run_net;

class CreateConnectionTest : public support::NetTest {};

/// Sends back what comes.
class Echo : public Protocol {
public:
    void connection_made(Transport transport) override { transport_ = std::move(transport); }
    void data_received(std::string_view data) override { transport_.write(data); }

private:
    Transport transport_;
};

/// Collects what comes until the end.
class Collector : public Protocol {
public:
    Collector() : end(get_running_loop().create_future<std::string>()) {}
    void data_received(std::string_view data) override { received += data; }
    void connection_lost(std::exception_ptr) override { end.set_result(received); }
    std::string received;
    Future<std::string> end;
};

TEST_F(CreateConnectionTest, ConnectsAProtocolToAServersProtocol) {
    run_net([]() -> Coro<> {
        Server server = co_await create_server([] { return Echo(); }, "127.0.0.1", 0);
        auto [transport, protocol] =
            co_await create_connection([] { return Collector(); }, "127.0.0.1", port_of(server));
        static_assert(std::is_same_v<decltype(protocol), ProtocolRef<Collector>>);
        EXPECT_EQ(transport.get_protocol(), protocol.get());
        EXPECT_EQ(transport.get_extra_info("peername").address().port(), port_of(server));
        transport.write("hello");
        transport.writelines(std::vector<std::string>{", ", "world"});
        transport.write_eof();
        std::string received = co_await protocol->end;
        EXPECT_EQ(received, "hello, world");
        EXPECT_FALSE(transport.get_protocol());
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(CreateConnectionTest, TakesFactoriesOfEachKind) {
    run_net([]() -> Coro<> {
        std::string told;
        auto [a, other_a] = socketpair();
        auto [b, other_b] = socketpair();
        auto [c, other_c] = socketpair();
        auto unique = [&]() -> std::unique_ptr<Protocol> { return std::make_unique<Recorder>(&told); };
        ProtocolRef<Recorder> kept = make_protocol<Recorder>(&told);
        auto shared = [&] { return kept; };
        auto first = co_await create_connection(unique, {.sock = &a});
        static_assert(std::is_same_v<decltype(first), Connection<Protocol>>);
        auto second = co_await create_connection(shared, {.sock = &b});
        EXPECT_EQ(second.protocol, kept);
        auto third = co_await connect_accepted_socket(shared, std::move(c));  // one protocol on two transports
        EXPECT_EQ(third.protocol, kept);
        EXPECT_EQ(told, "made;made;made;");
        first = {};
        second.transport.close();
        third.transport.close();
        other_a.close();
        co_await sleep(0.02);
        EXPECT_EQ(told, "made;made;made;lost;lost;eof;lost;destroyed;");
    });
}

TEST_F(CreateConnectionTest, ConnectsByUnixSockets) {
    run_net([]() -> Coro<> {
        Folder folder;
        std::string told;
        Server server = co_await create_unix_server([] { return Echo(); }, folder.path("sock"));
        auto [transport, protocol] =
            co_await create_unix_connection([&] { return BufferedRecorder(&told); }, folder.path("sock"));
        transport.write("abcd");
        co_await sleep(0.02);
        EXPECT_EQ(told, "made;buffer abcd;");
        transport.abort();
        server.close();
        co_await server.wait_closed();
        EXPECT_EQ(told, "made;buffer abcd;lost;");
    });
}

TEST_F(CreateConnectionTest, ThrowsWhatTheFactoryThrows) {
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        auto fails = []() -> std::unique_ptr<Protocol> { throw ValueError("no"); };
        bool failed = false;
        try {
            co_await create_connection(fails, {.sock = &one});
        } catch (const ValueError&) {
            failed = true;
        }
        EXPECT_TRUE(failed);
        std::string end = co_await sock_recv(other, 1);
        EXPECT_EQ(end, "");
    });
}

TEST_F(CreateConnectionTest, RefusesAFactoryThatMakesNothing) {
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        bool failed = false;
        try {
            co_await create_connection([] { return std::unique_ptr<Protocol>(); }, {.sock = &one});
        } catch (const TypeError&) {
            failed = true;
        }
        EXPECT_TRUE(failed);
    });
}

TEST_F(CreateConnectionTest, TellsTheHandlerOfAServersFailedFactory) {
    run_net([]() -> Coro<> {
        std::string told;
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
            told += context.message + ": " + repr(context.exception);
        });
        auto fails = []() -> Recorder { throw ValueError("no"); };
        Server server = co_await create_server(fails, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        std::string end = co_await reader.read();
        EXPECT_EQ(end, "");
        EXPECT_EQ(told, "Error on transport creation for incoming connection: ValueError('no')");
        server.close();
        co_await server.wait_closed();
    });
}

// CPython: test_buffered_proto.py, BaseTestBufferedProtocol.test_buffered_proto_create_connection
TEST_F(CreateConnectionTest, ABufferedProtocolReceivesAWholeStream) {
    class Large : public BufferedProtocol {
    public:
        explicit Large(Future<std::string> its_done) : done(std::move(its_done)) {}
        WritableBytes get_buffer(std::ptrdiff_t) override { return buffer; }
        void buffer_updated(std::size_t size) override {
            EXPECT_LE(size, buffer.size());
            received.append(buffer.data(), size);
        }
        void connection_lost(std::exception_ptr error) override {
            EXPECT_FALSE(error);
            done.set_result(received);
        }
        Future<std::string> done;
        std::string received;
        std::array<char, 1000> buffer = {};
    };
    run_net([]() -> Coro<> {
        std::string noise;
        for (int i = 0; i < 10'000'000; ++i) noise += static_cast<char>('a' + i % 23);
        auto serve = [&](StreamReader, StreamWriter writer) -> Coro<> {
            writer.write(noise);
            co_await writer.drain();
            writer.close();
            co_await writer.wait_closed();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        auto done = get_running_loop().create_future<std::string>();
        auto [transport, protocol] =
            co_await create_connection([&] { return Large(done); }, "127.0.0.1", port_of(server));
        std::string received = co_await done;
        EXPECT_EQ(received == noise, true);
        server.close();
        co_await server.wait_closed();
    });
}

}  // namespace
std::string logged_in_debug_mode;

TEST_F(CreateConnectionTest, WrongOptionsAreNoCoroutineThatWasNeverAwaited) {
    logged_in_debug_mode.clear();
    LogHandler former =
        set_log_handler([](LogLevel, std::string_view text) { logged_in_debug_mode += std::string(text) + "\n"; });
    run_net([]() -> Coro<> {
        get_running_loop().set_debug(true);
        bool thrown = false;
        try {
            co_await open_connection("127.0.0.1", 1, {.server_hostname = "name"});
        } catch (const ValueError&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
    });
    set_log_handler(former);
    EXPECT_EQ(logged_in_debug_mode.find("never awaited"), std::string::npos) << logged_in_debug_mode;
}

}  // namespace asyncio
