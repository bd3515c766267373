#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "net/faulty_backend.h"
#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::connect_ends;
using support::Ends;
using support::FaultyBackend;
using support::NetTest;
using support::port_of;
using support::Reports;
using support::run_net;
using support::run_on;

namespace {

using BadDaysTest = NetTest;

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_accept_connection_exception
TEST_F(BadDaysTest, WithoutDescriptorsAServerReportsWaitsAndGoesOn) {
    FaultyBackend backend;
    int failures = 0;
    for (int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        failures = 3;
        backend.fault = [&](const IoOperation& operation) {
            return operation.call == IoCall::accept && failures > 0 ? (--failures, error) : 0;
        };
        run_on(backend, [&]() -> Coro<> {
            Reports reports;
            reports.listen(get_running_loop());
            TimePoint start = get_running_loop().time();
            auto hello = [](StreamReader, StreamWriter writer) { writer.write("hello"); };
            Server server = co_await start_server(hello, "127.0.0.1", 0);
            auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
            std::string text = co_await reader.read();
            EXPECT_EQ(text, "hello");
            EXPECT_EQ(get_running_loop().time() - start, Seconds(3));  // a second for each
            EXPECT_EQ(reports.messages, std::vector<std::string>(3, "socket.accept() out of system resource"));
            EXPECT_TRUE(reports.exceptions.at(0).starts_with("OSError(" + std::to_string(error) + ", "));
            EXPECT_EQ(reports.contexts.at(0).socket.substr(0, 28), "<asyncio.TransportSocket fd=");
            server.close();
            get_running_loop().set_exception_handler(nullptr);
        });
    }
}

#if !defined(__SANITIZE_ADDRESS__)  // whose UndefinedBehaviorSanitizer needs descriptors itself
TEST_F(BadDaysTest, RunningOutOfDescriptorsForRealIsThatCase) {
    run_net([]() -> Coro<> {
        Reports reports;
        rlimit former = {};
        ::getrlimit(RLIMIT_NOFILE, &former);
        get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
            ::setrlimit(RLIMIT_NOFILE, &former);
            reports.messages.push_back(context.message);
        });
        Socket sock = support::listener();
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, sock.getsockname());
        support::have_loop_opened();
        auto hello = [](StreamReader, StreamWriter writer) { writer.write("hello"); };
        Server server = co_await start_server(hello, {.sock = &sock, .start_serving = false});
        int next = ::dup(0);
        ::close(next);
        rlimit none = {static_cast<rlim_t>(next), former.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
        co_await server.start_serving();
        std::string text = co_await sock_recv(client, 100);
        EXPECT_EQ(text, "hello");
        EXPECT_EQ(reports.messages, std::vector<std::string>(1, "socket.accept() out of system resource"));
        server.close();
        get_running_loop().set_exception_handler(nullptr);
    });
}
#endif

// CPython: test_base_events.py, BaseEventLoopWithSelectorTests.test_accept_connection_retry
TEST_F(BadDaysTest, AConnectionThatWasAbortedBeforeItWasAcceptedIsPassedOver) {
    FaultyBackend backend;
    int aborted = 2;
    backend.fault = [&](const IoOperation& operation) {
        return operation.call == IoCall::accept && aborted > 0 ? (--aborted, ECONNABORTED) : 0;
    };
    run_on(backend, [&]() -> Coro<> {
        Reports reports;
        reports.listen(get_running_loop());
        auto hello = [](StreamReader, StreamWriter writer) { writer.write("hello"); };
        Server server = co_await start_server(hello, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "hello");
        EXPECT_EQ(reports.str(), "");
        EXPECT_EQ(aborted, 0);
        server.close();
        get_running_loop().set_exception_handler(nullptr);
    });
}

TEST_F(BadDaysTest, AnyOtherErrorOfAcceptIsReportedAndItGoesOnToo) {
    FaultyBackend backend;
    int failures = 1;
    backend.fault = [&](const IoOperation& operation) {
        return operation.call == IoCall::accept && failures > 0 ? (--failures, EPROTO) : 0;
    };
    run_on(backend, [&]() -> Coro<> {
        Reports reports;
        reports.listen(get_running_loop());
        auto hello = [](StreamReader, StreamWriter writer) { writer.write("hello"); };
        Server server = co_await start_server(hello, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "hello");
        EXPECT_EQ(reports.str(), "socket.accept() failed: OSError(71, 'Protocol error')");
        server.close();
        get_running_loop().set_exception_handler(nullptr);
    });
}

/// A conversation of both ends with everything that streams do. Whatever is thrown must be a connection's error.
Coro<> converse() {
    auto serve = [](StreamReader reader, StreamWriter writer) -> Coro<> {
        try {
            while (auto line = co_await reader.next()) {
                writer.write(*line);
                co_await writer.drain();
            }
            writer.write(std::string(300'000, 'x'));
            co_await writer.drain();
            writer.close();
            co_await writer.wait_closed();
        } catch (const OSError&) {
        }
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    try {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        for (int i = 0; i < 3; ++i) {
            std::vector<std::string> line = {"line ", std::to_string(i), "\n"};
            writer.writelines(line);
            co_await writer.drain();
            std::string back = co_await reader.readline();
            EXPECT_TRUE(back.empty() || back == line[0] + line[1] + line[2]) << back;
        }
        writer.write_eof();
        std::string rest = co_await reader.read();
        EXPECT_LE(rest.size(), 300'000u);
        writer.close();
        co_await writer.wait_closed();
    } catch (const OSError&) {
    }
    server.close();
    co_await server.wait_closed();
}

TEST_F(BadDaysTest, AnErrorAtAnyCallEndsInOrder) {
    FaultyBackend backend;
    run_on(backend, converse);
    int calls = backend.calls;
    EXPECT_GT(calls, 15);
    for (int error : {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH}) {
        for (int failing = 1; failing <= calls + 1; ++failing) {
            SCOPED_TRACE(testing::Message() << "errno " << error << " at call " << failing);
            backend.calls = 0;
            backend.fault = [&](const IoOperation&) { return backend.calls == failing ? error : 0; };
            run_on(backend, [&]() -> Coro<> {
                get_running_loop().set_exception_handler([](EventLoop&, const ExceptionContext&) {});
                co_await with(timeout(60s), [](Timeout&) -> Coro<> { co_await converse(); });
            });
        }
    }
}

volatile std::sig_atomic_t sigpipes = 0;

TEST_F(BadDaysTest, NoSignalComesOfWritingToWhoIsGone) {
    struct sigaction action = {};
    struct sigaction former = {};
    action.sa_handler = [](int) { sigpipes = sigpipes + 1; };
    ::sigaction(SIGPIPE, &action, &former);
    run_net([]() -> Coro<> {
        for (bool abort : {false, true}) {
            Ends ends = co_await connect_ends();
            if (abort) {
                support::reset(ends.server.writer);
            } else {
                ends.server.writer.close();
            }
            co_await ends.server.writer.wait_closed();
            for (int i = 0; i < 5; ++i) {
                ends.client.writer.write("x");
                ends.client.writer.writelines(std::vector<std::string>(3, "y"));
                co_await sleep(0s);
            }
            try {
                co_await ends.client.writer.drain();
            } catch (const ConnectionError&) {
            }
        }
    });
    ::sigaction(SIGPIPE, &former, nullptr);
    EXPECT_EQ(sigpipes, 0);
}

TEST_F(BadDaysTest, AResetIsAConnectionResetErrorForReaderAndWriter) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        auto reading = create_task(ends.client.reader.read());
        co_await sleep(0s);
        support::reset(ends.server.writer);
        try {
            co_await reading;
            ADD_FAILURE();
        } catch (const ConnectionResetError&) {
            EXPECT_EQ(caught(), "ConnectionResetError(104, 'Connection reset by peer')");
        }
        EXPECT_TRUE(ends.client.writer.is_closing());
        for (int i = 0; i < 2; ++i) {
            try {
                if (i == 0) {
                    co_await ends.client.writer.drain();
                } else {
                    co_await ends.client.writer.wait_closed();
                }
                ADD_FAILURE();
            } catch (const ConnectionResetError&) {
                EXPECT_EQ(caught(), "ConnectionResetError(104, 'Connection reset by peer')");
            }
        }
    });
}

TEST_F(BadDaysTest, StreamsThatOutliveTheirLoopAreClosedAndHarmless) {
    Streams kept;
    Server server;
    StreamReader reader;
    {
        EventLoop loop;
        auto open = [&]() -> Coro<> {
            Ends ends = co_await connect_ends();
            kept = ends.client;
            reader = ends.server.reader;
            server = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
            while (kept.writer.get_write_buffer_size() == 0) kept.writer.write(std::string(100'000, 'x'));
        };
        loop.run_until_complete(open());
    }
    EXPECT_TRUE(kept.writer.is_closing());
    EXPECT_FALSE(server.is_serving());
    EXPECT_EQ(kept.writer.get_extra_info("socket").socket().fileno(), -1);
    kept.writer.write("x");
    kept.writer.close();
    kept.writer.abort();
    kept.writer.write_eof();
    server.close();
    server.close_clients();
    EXPECT_EQ(repr(server), "<Server sockets=()>");
    EXPECT_FALSE(reader.exception());
    EXPECT_NE(repr(kept.writer).find("closed fd="), std::string::npos);
    EXPECT_EQ(kept.reader.state()->limit(), 65536u);
}

TEST_F(BadDaysTest, EverythingLeftOpenIsClosedByRun) {
    run_net([]() -> Coro<> {
        auto serve = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            writer.write("x");
            co_await reader.read();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        static std::vector<Task<>> tasks;  // nobody awaits them, and they live longer than the loop
        for (int i = 0; i < 5; ++i) {
            auto client = [](int port) -> Coro<> {
                auto [reader, writer] = co_await open_connection("127.0.0.1", port);
                co_await reader.readexactly(2);
            };
            tasks.push_back(create_task(client, port_of(server)));
        }
        auto [a, b] = socketpair();
        tasks.push_back(create_task(sock_sendall(a, std::string(10'000'000, 'x'))));
        co_await sleep(5ms);
    });
    SUCCEED();  // NetTest counts
}

}  // namespace
