#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <string>
#include <vector>

#include "net/stream_support.h"
#include "net/write_buffer.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::connect_ends;
using support::Ends;
using support::fill;
using support::NetTest;
using support::outcome;
using support::run_net;

namespace {

using StreamWriterTest = NetTest;

TEST_F(StreamWriterTest, TakesBytesOfAnyKind) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        writer.write("literal ");
        writer.write(std::string("string "));
        writer.write(std::string_view("view "));
        writer.write(std::vector<unsigned char>{'v', 'e', 'c', ' '});
        writer.write(std::array<std::byte, 2>{std::byte{'a'}, std::byte{' '}});
        writer.write("");
        writer.writelines(std::vector<std::string>{"one ", "", "two "});
        writer.writelines(std::array<const char*, 2>{"three ", "four"});
        writer.writelines(std::vector<std::string>{});
        writer.close();
        std::string text = co_await ends.server.reader.read();
        EXPECT_EQ(text, "literal string view vec a one two three four");
    });
}

// CPython: test_transports.py, TransportTests.test_writelines
TEST_F(StreamWriterTest, ManyPiecesGoInOrder) {
    for (int pieces : {3, 64, 65, 1000}) {
        for (bool is_full : {false, true}) {
            run_net([&]() -> Coro<> {
                Ends ends = co_await connect_ends();
                std::string before(is_full ? fill(ends.client.writer) : 0, 'x');
                std::vector<std::string> lines;
                std::string all;
                for (int i = 0; i < pieces; ++i) {
                    lines.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 50), '.'));
                    all += lines.back();
                }
                ends.client.writer.writelines(lines);
                ends.client.writer.write("end");
                ends.client.writer.close();
                std::string text = co_await ends.server.reader.read();
                EXPECT_TRUE(text == before + all + "end") << pieces << " " << is_full;
            });
        }
    }
}

TEST_F(StreamWriterTest, CloseSendsWhatIsKeptAndAbortDropsIt) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::size_t written = fill(ends.client.writer);
        ends.client.writer.write("last");
        ends.client.writer.close();
        ends.client.writer.close();
        ends.client.writer.write("after that");  // as in Python, as long as something is kept
        EXPECT_TRUE(ends.client.writer.is_closing());
        auto closing = create_task(ends.client.writer.wait_closed());
        co_await sleep(0s);
        EXPECT_FALSE(closing.done());
        std::string text = co_await ends.server.reader.read();
        EXPECT_EQ(text.size(), written + 4 + 10);
        EXPECT_TRUE(text.ends_with("lastafter that"));
        co_await closing;

        Ends others = co_await connect_ends();
        written = fill(others.client.writer);
        others.client.writer.abort();
        co_await others.client.writer.wait_closed();
        text = co_await others.server.reader.read();
        EXPECT_LT(text.size(), written);
    });
}

TEST_F(StreamWriterTest, TheLastHandleClosesTheStream) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        StreamWriter copy = ends.client.writer;
        ends.client.writer = StreamWriter();
        co_await sleep(0s);
        EXPECT_FALSE(copy.is_closing());
        std::size_t written = fill(copy);
        copy = StreamWriter();
        std::string text = co_await ends.server.reader.read();
        EXPECT_EQ(text.size(), written);  // and sends what is kept
        text = co_await ends.client.reader.read();
        EXPECT_EQ(text, "");
    });
}

std::string logged;

TEST_F(StreamWriterTest, InDebugModeAStreamThatWasNotClosedIsWarnedOf) {
    logged.clear();
    LogHandler former = set_log_handler([](LogLevel, std::string_view text) { logged += std::string(text) + "\n"; });
    run_net([]() -> Coro<> {
        get_running_loop().set_debug(true);
        Ends ends = co_await connect_ends();
        ends.client.writer = StreamWriter();
        ends.server.writer.close();
        co_await sleep(0s);
    });
    set_log_handler(former);
    EXPECT_EQ(logged.substr(0, 62), "unclosed <StreamWriter transport=<_SelectorSocketTransport fd=") << logged;
}

TEST_F(StreamWriterTest, VainWritesAreWarnedOfAfterAWhile) {
    logged.clear();
    LogHandler former = set_log_handler([](LogLevel, std::string_view text) { logged += std::string(text) + "\n"; });
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.writer.abort();
        for (int i = 0; i < 4; ++i) ends.client.writer.write("x");
        EXPECT_EQ(logged, "");
        ends.client.writer.write("x");
        EXPECT_EQ(logged, "socket.send() raised exception.\n");
        co_return;
    });
    set_log_handler(former);
}

// CPython: test_transports.py, TransportTests.test_get_extra_info
TEST_F(StreamWriterTest, ExtraInfoIsThereAlsoWhenItIsClosed) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        SocketAddress own = writer.get_extra_info("sockname").address();
        SocketAddress peer = writer.get_extra_info("peername");
        TransportSocket socket = writer.get_extra_info("socket");
        EXPECT_EQ(ends.server.writer.get_extra_info("peername").address(), own);
        EXPECT_EQ(ends.server.writer.get_extra_info("sockname").address(), peer);
        EXPECT_EQ(socket.getsockname(), own);
        EXPECT_EQ(socket.getpeername(), peer);
        EXPECT_EQ(socket.family(), AddressFamily::INET);
        EXPECT_FALSE(writer.get_extra_info("cipher"));
        EXPECT_EQ(repr(writer.get_extra_info("cipher")), "None");
        EXPECT_EQ(repr(writer.get_extra_info("sockname")), repr(own));
        EXPECT_EQ(repr(writer.get_extra_info("socket")), repr(socket));
        EXPECT_EQ(repr(socket), "<asyncio.TransportSocket fd=" + std::to_string(socket.fileno()) +
                                    ", family=2, type=1, proto=6, laddr=" + repr(own) + ", raddr=" + repr(peer) + ">");
        ends.client.writer.close();
        co_await ends.client.writer.wait_closed();
        EXPECT_EQ(socket.fileno(), -1);
        EXPECT_EQ(repr(socket), "<asyncio.TransportSocket fd=-1, family=2, type=1, proto=6>");
        EXPECT_EQ(writer.get_extra_info("peername").address(), peer);
        EXPECT_EQ(outcome([&] { return socket.getsockname(); }), "OSError(9, 'Bad file descriptor')");
    });
}

// CPython: test_base_events.py, TestSelectorUtils.test_set_nodelay
TEST_F(StreamWriterTest, SmallWritesDoNotWaitForAnAcknowledgement) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        for (const StreamWriter& writer : {ends.client.writer, ends.server.writer}) {
            EXPECT_NE(writer.get_extra_info("socket").socket().getsockopt(IPPROTO_TCP, TCP_NODELAY), 0);
        }
    });
}

TEST_F(StreamWriterTest, IsPrintedAsPythonPrintsIt) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        const StreamWriter& writer = ends.client.writer;
        std::string fd = std::to_string(writer.get_extra_info("socket").socket().fileno());
        std::string transport = "<_SelectorSocketTransport fd=" + fd + " read=polling write=<idle, bufsize=0>>";
        EXPECT_EQ(repr(writer),
                  "<StreamWriter transport=" + transport + " reader=<StreamReader transport=" + transport + ">>");
        ends.client.writer.close();
        transport = "<_SelectorSocketTransport closing fd=" + fd + " read=idle write=<idle, bufsize=0>>";
        EXPECT_EQ(repr(writer),
                  "<StreamWriter transport=" + transport + " reader=<StreamReader transport=" + transport + ">>");
        co_await ends.client.writer.wait_closed();
        EXPECT_EQ(repr(writer),
                  "<StreamWriter transport=<_SelectorSocketTransport closed fd=" + fd + "> reader=<StreamReader eof>>");
        EXPECT_EQ(repr(StreamWriter()), "None");
        EXPECT_EQ(outcome([] {
                      StreamWriter().close();
                      return 0;
                  }),
                  "RuntimeError('this handle is empty: it was default-constructed or moved from, and names no writer; "
                  "or it is "
                  "the stdin of a child that was not started with {.stdin = asyncio::subprocess::PIPE}')");
    });
}

// CPython: selector_events.py, _process_events, which asks no transport
TEST_F(StreamWriterTest, TakesADescriptorThatACancelledHandleStillWatches) {
    run_net([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto [ours, theirs] = socketpair();
        Handle handle;
        loop.set_exception_handler([&](EventLoop&, const ExceptionContext& context) { handle = context.handle; });
        loop.add_reader(ours.fileno(), [] { throw ValueError("the handler is told of the handle"); });
        co_await sock_sendall(theirs, "x");
        while (!handle) co_await asyncio::sleep(0);
        handle.cancel();
        Streams streams = co_await open_connection({.sock = &ours});
        std::string received = co_await streams.reader.readexactly(1);
        EXPECT_EQ(received, "x");
        co_await sock_sendall(theirs, "y");
        received = co_await streams.reader.readexactly(1);
        EXPECT_EQ(received, "y");
    });
}

// CPython: test_unix_events.py, TestFunctional.test_add_reader_or_writer_transport_fd
TEST_F(StreamWriterTest, ADescriptorOfAStreamIsNobodyElses) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        int fd = ends.client.writer.get_extra_info("socket").socket().fileno();
        EventLoop& loop = get_running_loop();
        std::string said = "RuntimeError('File descriptor " + std::to_string(fd) +
                           " is used by transport <_SelectorSocketTransport fd=";
        EXPECT_EQ(outcome([&] {
                      loop.add_reader(fd, [] {});
                      return 0;
                  }).substr(0, said.size()),
                  said);
        EXPECT_EQ(outcome([&] {
                      loop.add_writer(fd, [] {});
                      return 0;
                  }).substr(0, said.size()),
                  said);
        EXPECT_EQ(outcome([&] { return loop.remove_reader(fd); }).substr(0, said.size()), said);
        EXPECT_EQ(outcome([&] { return loop.remove_writer(fd); }).substr(0, said.size()), said);
        ends.client.writer.close();
        EXPECT_FALSE(loop.remove_reader(fd));
        co_await ends.client.writer.wait_closed();
    });
}

TEST(WriteBuffer, KeepsBytesInOrderInFewPieces) {
    detail::WriteBuffer buffer;
    std::string expected;
    auto content = [&] {
        IoBuffer parts[100];
        std::size_t count = buffer.front(parts);
        std::string all;
        for (std::size_t i = 0; i < count; ++i) all.append(static_cast<const char*>(parts[i].data), parts[i].size);
        return all;
    };
    IoBuffer parts[100];
    for (int i = 0; i < 1000; ++i) buffer.append("0123456789");
    EXPECT_EQ(buffer.front(parts), 1u);
    EXPECT_EQ(buffer.size(), 10'000u);
    buffer.drop(9'995);
    EXPECT_EQ(content(), "56789");
    buffer.append(std::string(20'000, 'x'));
    EXPECT_EQ(buffer.front(parts), 2u);
    buffer.drop(5);
    EXPECT_EQ(content(), std::string(20'000, 'x'));
    EXPECT_EQ(buffer.front(std::span(parts, 1)), 1u);
    buffer.drop(20'000);
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(buffer.front(parts), 0u);
    buffer.append("y");
    buffer.clear();
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(content(), "");
}

}  // namespace
