#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Folder;
using support::NetTest;
using support::run_net;

namespace {

using ServerTest = NetTest;

void drop(StreamReader, StreamWriter) {}

bool exists(const std::string& path) {
    struct stat file = {};
    return ::lstat(path.c_str(), &file) == 0;
}

// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_addr_cleanup
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_sock_cleanup
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_cleanup_gone
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_cleanup_replaced
// CPython: test_server.py, UnixServerCleanupTests.test_unix_server_cleanup_prevented
TEST_F(ServerTest, AUnixServersPathGoesWithItIfItIsStillItsOwn) {
    Folder folder;
    std::string path = folder.path("sock");
    run_net([&]() -> Coro<> {
        Server server = co_await start_unix_server(drop, path);
        EXPECT_TRUE(exists(path));
        server.close();
        EXPECT_FALSE(exists(path));

        Socket bound(AddressFamily::UNIX);
        bound.bind(SocketAddress::unix_path(path));
        server = co_await start_unix_server(drop, {.sock = &bound});
        server.close();
        EXPECT_FALSE(exists(path));

        server = co_await start_unix_server(drop, path);
        ::unlink(path.c_str());
        server.close();

        server = co_await start_unix_server(drop, path);
        ::unlink(path.c_str());
        Socket other(AddressFamily::UNIX);
        other.bind(SocketAddress::unix_path(path));
        server.close();
        EXPECT_TRUE(exists(path));

        server = co_await start_unix_server(drop, path, {.cleanup_socket = false});
        server.close();
        EXPECT_TRUE(exists(path));
    });
}

// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_existing_path_sock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_existing_path_nonsock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_bind_error
TEST_F(ServerTest, AStaleSocketIsReplacedAndAnotherFileIsNot) {
    Folder folder;
    std::string path = folder.path("sock");
    run_net([&]() -> Coro<> {
        {
            Socket stale(AddressFamily::UNIX);
            stale.bind(SocketAddress::unix_path(path));
        }
        Server server = co_await start_unix_server(drop, path);
        server.close();
        ::close(::creat(path.c_str(), 0600));
        try {
            co_await start_unix_server(drop, path);
            ADD_FAILURE();
        } catch (const OSError& error) {
            EXPECT_EQ(std::string(error.what()), "[Errno 98] Address '" + path + "' is already in use");
        }
        try {
            co_await start_unix_server(drop, folder.path("no/such/folder"));
            ADD_FAILURE();
        } catch (const FileNotFoundError& error) {
            EXPECT_EQ(std::string(error.what()),
                      "[Errno 2] No such file or directory: '" + folder.path("no/such/folder") + "'");
        }
    });
}

// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_nopath_nosock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_path_inetsock
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_path_dgram
// CPython: test_unix_events.py, SelectorEventLoopUnixSocketTests.test_create_unix_server_path_stream_bittype
// CPython: test_events.py, EventLoopTestsMixin.test_create_unix_server_path_socket_error
TEST_F(ServerTest, AUnixServerTakesAPathOrAUnixStreamSocket) {
    run_net([]() -> Coro<> {
        Socket internet(AddressFamily::INET);
        Socket datagrams(AddressFamily::UNIX, SocketKind::DGRAM);
        Socket good(AddressFamily::UNIX);
        std::string said;
        for (int i = 0; i < 4; ++i) {
            try {
                if (i == 0) {
                    co_await start_unix_server(drop, StartUnixServerOptions());
                } else if (i == 1) {
                    co_await start_unix_server(drop, {.sock = &internet});
                } else if (i == 2) {
                    co_await start_unix_server(drop, {.sock = &datagrams});
                } else {
                    co_await start_unix_server(drop, "/path", {.sock = &good});
                }
            } catch (const ValueError& error) {
                said += std::string(error.what()).substr(0, 60) + "\n";
            }
        }
        EXPECT_EQ(said,
                  "path was not specified, and no sock specified\n"
                  "A UNIX Domain Stream Socket was expected, got <socket.socket\n"
                  "A UNIX Domain Stream Socket was expected, got <socket.socket\n"
                  "path and sock can not be specified at the same time\n");
        EXPECT_TRUE(good);  // it was not taken
        good.bind(SocketAddress::unix_path(std::string(1, '\0') + "asyncio-server-test"));
        Server server = co_await start_unix_server(drop, {.sock = &good});
        server.close();
    });
}

}  // namespace
