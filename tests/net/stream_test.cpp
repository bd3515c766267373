#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::connect_ends;
using support::Ends;
using support::Folder;
using support::NetTest;
using support::port_of;
using support::Reports;
using support::run_net;

namespace {

using StreamTest = NetTest;

/// Answers one request as the HTTP server of CPython's tests does.
Coro<> answer_http(StreamReader reader, StreamWriter writer) {
    co_await reader.readuntil("\r\n\r\n");
    writer.write("HTTP/1.0 200 OK\r\nContent-type: text/plain\r\nContent-Length: 12\r\n\r\nTest message");
    co_await writer.drain();
    writer.close();
}

Coro<> fetch_http(Streams streams) {
    auto& [reader, writer] = streams;
    writer.write("GET / HTTP/1.0\r\n\r\n");
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "HTTP/1.0 200 OK\r\n");
    std::string rest = co_await reader.read();
    EXPECT_TRUE(rest.ends_with("\r\n\r\nTest message"));
    EXPECT_FALSE(writer.is_closing());
    writer.close();
    EXPECT_TRUE(writer.is_closing());
    co_await writer.wait_closed();
}

// CPython: test_streams.py, StreamTests.test_open_connection
// CPython: test_streams.py, StreamTests.test_wait_closed_on_close
// CPython: test_streams.py, StreamTests.test_async_writer_api
// CPython: test_events.py, EventLoopTestsMixin.test_create_connection
TEST_F(StreamTest, AConnectionTalksToAServer) {
    run_net([]() -> Coro<> {
        Reports reports;
        reports.listen(get_running_loop());
        Server server = co_await start_server(answer_http, "127.0.0.1", 0);
        Streams streams = co_await open_connection("127.0.0.1", port_of(server));
        EXPECT_EQ(streams.writer.get_extra_info("sockname").address().host(), "127.0.0.1");
        co_await fetch_http(std::move(streams));
        server.close();
        co_await server.wait_closed();
        EXPECT_EQ(reports.str(), "");
    });
}

// CPython: test_streams.py, StreamTests.test_open_unix_connection
// CPython: test_events.py, EventLoopTestsMixin.test_create_unix_connection
TEST_F(StreamTest, SoDoesOneOverAUnixSocketOrAnAbstractOne) {
    Folder folder;
    std::string abstract = std::string(1, '\0') + "asyncio-stream-test-" + std::to_string(::getpid());
    for (const std::string& path : {folder.path("sock"), abstract}) {
        run_net([&]() -> Coro<> {
            Server server = co_await start_unix_server(answer_http, path);
            Streams streams = co_await open_unix_connection(path);
            EXPECT_EQ(streams.writer.get_extra_info("peername").address().path(), path);
            co_await fetch_http(std::move(streams));
            server.close();
            co_await server.wait_closed();
        });
    }
}

// CPython: test_streams.py, StreamTests.test_wait_closed_on_close_with_unread_data
TEST_F(StreamTest, ClosingWithUnreadDataIsAClosing) {
    run_net([]() -> Coro<> {
        Server server = co_await start_server(answer_http, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        writer.write("GET / HTTP/1.0\r\n\r\n");
        std::string line = co_await reader.readline();
        EXPECT_EQ(line, "HTTP/1.0 200 OK\r\n");
        writer.close();
        co_await writer.wait_closed();
        server.close();
    });
}

// CPython: test_streams.py, StreamTests.test_open_connection_error
// CPython: test_streams.py, StreamTests.test_open_unix_connection_error
TEST_F(StreamTest, AnExceptionOfTheConnectionComesOutOfTheReader) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.reader.set_exception(ValueError("the line is bad"));
        try {
            co_await ends.client.reader.read();
            ADD_FAILURE();
        } catch (const ValueError&) {
        }
        try {
            co_await ends.client.writer.drain();
            ADD_FAILURE();
        } catch (const ValueError&) {
        }
        ends.client.writer.close();
    });
}

// CPython: test_streams.py, StreamTests.test_start_server
// CPython: test_streams.py, StreamTests.test_start_unix_server
TEST_F(StreamTest, AServerCallsACoroutineFunctionOrAPlainOne) {
    Folder folder;
    auto handle = [](StreamReader reader, StreamWriter writer) -> Coro<> {
        std::string line = co_await reader.readline();
        writer.write(line);
        co_await writer.drain();
        writer.close();
        co_await writer.wait_closed();
    };
    auto callback = [&](const StreamReader& reader, const StreamWriter& writer) {
        create_task(handle, reader, writer);
    };
    auto client = [](Streams streams) -> Coro<std::string> {
        streams.writer.write("hello world!\n");
        std::string back = co_await streams.reader.readline();
        streams.writer.close();
        co_await streams.writer.wait_closed();
        co_return back;
    };
    for (bool plain : {false, true}) {
        run_net([&]() -> Coro<> {
            Reports reports;
            reports.listen(get_running_loop());
            Server server;
            if (plain) {
                server = co_await start_server(callback, "127.0.0.1", 0);
            } else {
                Socket sock = support::listener();
                server = co_await start_server(handle, {.sock = &sock});
                EXPECT_FALSE(sock);  // it was taken over
            }
            Streams streams = co_await open_connection("127.0.0.1", port_of(server));
            std::string back = co_await client(std::move(streams));
            EXPECT_EQ(back, "hello world!\n");
            server.close();
            co_await server.wait_closed();

            if (plain) {
                server = co_await start_unix_server(callback, folder.path("sock"));
            } else {
                server = co_await start_unix_server(handle, folder.path("sock"));
            }
            streams = co_await open_unix_connection(folder.path("sock"));
            back = co_await client(std::move(streams));
            EXPECT_EQ(back, "hello world!\n");
            server.close();
            co_await server.wait_closed();
            EXPECT_EQ(reports.str(), "");
        });
    }
}

TEST_F(StreamTest, OneEndMayEndAndGoOnReading) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.writer.write("a question");
        EXPECT_TRUE(ends.client.writer.can_write_eof());
        ends.client.writer.write_eof();
        ends.client.writer.write_eof();
        std::string text = co_await ends.server.reader.read();
        EXPECT_EQ(text, "a question");
        EXPECT_TRUE(ends.server.reader.at_eof());
        ends.server.writer.write("an answer");
        ends.server.writer.close();
        text = co_await ends.client.reader.read();
        EXPECT_EQ(text, "an answer");
        try {
            ends.client.writer.write("more");
            ADD_FAILURE();
        } catch (const RuntimeError& error) {
            EXPECT_STREQ(error.what(), "Cannot call write() after write_eof()");
        }
        try {
            ends.client.writer.writelines(std::vector<std::string>{"more"});
            ADD_FAILURE();
        } catch (const RuntimeError& error) {
            EXPECT_STREQ(error.what(), "Cannot call writelines() after write_eof()");
        }
    });
}

TEST_F(StreamTest, TheEndOfABufferedStreamWaitsForTheBuffer) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::string block(10'000'000, 'x');
        ends.client.writer.write(block);
        EXPECT_GT(ends.client.writer.get_write_buffer_size(), 0u);
        ends.client.writer.write_eof();
        std::string text = co_await ends.server.reader.read();
        EXPECT_TRUE(text == block);
    });
}

// CPython: test_streams.py, StreamTests.test_eof_feed_when_closing_writer
TEST_F(StreamTest, ClosingTheWriterEndsTheReader) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        ends.client.writer.close();
        co_await ends.client.writer.wait_closed();
        EXPECT_TRUE(ends.client.reader.at_eof());
        std::string text = co_await ends.client.reader.read();
        EXPECT_EQ(text, "");
    });
}

TEST_F(StreamTest, ReadIntoReceivesWhereItShallGo) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::vector<char> buffer(100'000);
        std::string received;
        std::string sent;
        for (int i = 0; i < 300'000; ++i) sent += static_cast<char>('a' + i % 23);
        auto send = [&]() -> Coro<> {
            co_await sleep(0s);
            ends.client.writer.write(sent);
            co_await ends.client.writer.drain();
            ends.client.writer.write_eof();
        };
        auto sending = create_task(send());
        for (;;) {
            std::size_t size = co_await ends.server.reader.read_into(buffer);
            if (size == 0) break;
            received.append(buffer.data(), size);
            if (received.size() < 50'000) continue;
            std::string part = co_await ends.server.reader.read(1000);
            received += part;
        }
        EXPECT_TRUE(received == sent);
        co_await sending;
    });
}

TEST_F(StreamTest, LinesOfAllLengthsComeThroughASlowSender) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        auto send = [&]() -> Coro<> {
            std::string all;
            for (int i = 0; i < 50; ++i) all += std::string(static_cast<std::size_t>(i * 7), 'x') + "\n";
            for (std::size_t at = 0; at < all.size(); at += 11) {
                ends.client.writer.write(all.substr(at, 11));
                co_await sleep(0s);
            }
            ends.client.writer.close();
        };
        auto sending = create_task(send());
        int count = 0;
        while (auto line = co_await ends.server.reader.next()) {
            EXPECT_EQ(line->size(), static_cast<std::size_t>(count * 7 + 1));
            ++count;
        }
        EXPECT_EQ(count, 50);
        co_await sending;
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_create_connection_sock
TEST_F(StreamTest, AnExistingSocketBecomesAStream) {
    run_net([]() -> Coro<> {
        Socket connected(AddressFamily::INET);
        Socket listening = support::listener();
        co_await sock_connect(connected, listening.getsockname());
        auto [conn, address] = co_await sock_accept(listening);
        Streams tcp = co_await open_connection({.sock = &connected});
        EXPECT_EQ(tcp.writer.get_extra_info("sockname").address(), address);
        tcp.writer.write("over TCP");
        EXPECT_EQ(support::receive_now(conn), "over TCP");
        tcp.writer.close();

        auto [a, b] = socketpair();
        Socket stays(AddressFamily::INET, SocketKind::DGRAM);
        auto [reader, writer] = co_await open_unix_connection({.sock = &a});
        EXPECT_FALSE(a);
        Streams other = co_await open_connection({.sock = &b});
        writer.write("x\n");
        std::string line = co_await other.reader.readline();
        EXPECT_EQ(line, "x\n");
        other.writer.close();
        line = co_await reader.read();
        EXPECT_EQ(line, "");
        try {
            co_await open_connection({.sock = &stays});
            ADD_FAILURE();
        } catch (const ValueError& error) {
            EXPECT_EQ(std::string(error.what()).substr(0, 46), "A Stream Socket was expected, got <socket.sock");
        }
    });
}

TEST_F(StreamTest, ThousandsOfRoundTripsGoOverOneConnection) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        auto echo = [](Streams streams) -> Coro<> {
            for (;;) {
                std::string data = co_await streams.reader.read(65536);
                if (data.empty()) break;
                streams.writer.write(data);
                co_await streams.writer.drain();
            }
            streams.writer.close();
        };
        auto echoing = create_task(echo, std::move(ends.server));
        for (int i = 0; i < 2000; ++i) {
            std::string message = "message " + std::to_string(i) + "\n";
            ends.client.writer.write(message);
            std::string back = co_await ends.client.reader.readline();
            EXPECT_EQ(back, message);
        }
        ends.client.writer.close();
        co_await echoing;
    });
}

}  // namespace
