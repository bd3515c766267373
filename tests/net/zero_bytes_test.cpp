#include <asyncio/errors/os_errors.h>
#include <asyncio/net/dns.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/run.h>
#include <gtest/gtest.h>

#include <string>

#include "net/net_support.h"

using namespace asyncio;
using support::caught;
using support::NetTest;
using support::run_net;

namespace {

using ZeroBytesExecutorTest = NetTest;  // names are looked up on a thread

const char* const refused = "ValueError('embedded null character')";  // CPython: the same

/// What is thrown where one of these awaits.
template <class Make>
Coro<std::string> failure_of(Make make) {
    try {
        co_await make();
    } catch (...) {
        co_return caught();
    }
    co_return "nothing";
}

void serve(StreamReader, StreamWriter) {}

TEST_F(ZeroBytesExecutorTest, AHostIsNotCutOffAtAZeroByteAfterItWasChecked) {
    run_net([]() -> Coro<> {
        Socket server = support::listener();
        int port = server.getsockname().port();
        for (std::string name : {"127.0.0.1", "localhost", "::1"}) {
            std::string host = name + std::string(1, '\0') + ".example.org";
            auto connect = [&] { return open_connection(host, port); };
            std::string failure = co_await failure_of(connect);
            EXPECT_EQ(failure, refused);
            auto connect_from = [&] { return open_connection("127.0.0.1", port, {.local_addr = {host, 0}}); };
            failure = co_await failure_of(connect_from);
            EXPECT_EQ(failure, refused);
            auto listen = [&] { return start_server(serve, host, 0); };
            failure = co_await failure_of(listen);
            EXPECT_EQ(failure, refused);
            Socket client(AddressFamily::INET);
            auto sock_connects = [&] { return sock_connect(client, host, port); };
            failure = co_await failure_of(sock_connects);
            EXPECT_EQ(failure, refused);
            auto look_up = [&] { return getaddrinfo(host, port); };  // CPython's own cuts it off
            failure = co_await failure_of(look_up);
            EXPECT_EQ(failure, refused);
            std::string service("80\0x", 4);
            auto look_up_service = [&] { return getaddrinfo(name, service); };
            failure = co_await failure_of(look_up_service);
            EXPECT_EQ(failure, refused);
        }
        int nobody = ::accept4(server.fileno(), nullptr, nullptr, SOCK_NONBLOCK);
        EXPECT_EQ(nobody, -1);
    });
}

TEST_F(ZeroBytesExecutorTest, AUnixPathIsNotCutOffAtAZeroByteAndATooLongOneIsAnOSError) {
    run_net([]() -> Coro<> {
        std::string cut("./zero_bytes\0.sock", 18);
        std::string too_long(200, 'x');
        auto listen = [&] { return start_unix_server(serve, cut); };
        std::string failure = co_await failure_of(listen);
        EXPECT_EQ(failure, "ValueError('stat: embedded null character in path')");  // CPython: the same
        EXPECT_NE(::access("./zero_bytes", F_OK), 0);
        auto connect = [&] { return open_unix_connection(cut); };  // CPython cuts it off
        failure = co_await failure_of(connect);
        EXPECT_EQ(failure, "ValueError('embedded null character in path')");
        auto listen_long = [&] { return start_unix_server(serve, too_long); };
        failure = co_await failure_of(listen_long);
        EXPECT_EQ(failure, "OSError('AF_UNIX path too long')");  // CPython: the same
        auto connect_long = [&] { return open_unix_connection(too_long); };
        failure = co_await failure_of(connect_long);
        EXPECT_EQ(failure, "OSError('AF_UNIX path too long')");
    });
}

}  // namespace
