// A child of fork() that goes on with a loop of its parent's.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "os/fork_support.h"
#include "support/run_test.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::outcome;

class ForkLoop : public ForkTest {};
INSTANTIATE_TEST_SUITE_P(All, ForkLoop, testing::Values("epoll", "io_uring"));

TEST_P(ForkLoop, TheChildMayGoOnWithALoopThatSleptBefore) {
    EventLoop loop = factory()();
    int calls = 0;
    loop.add_signal_handler(SIGUSR1, [&] { ++calls; });
    auto [a, b] = socketpair();
    auto talk = [&](const char* word) -> Coro<bool> {
        auto reading = create_task(sock_recv(b, 10));
        co_await sleep(1ms);
        co_await sock_sendall(a, word);
        std::string got = co_await wait_for(reading, 10s);
        int before = calls;
        ::raise(SIGUSR1);
        co_await sleep(1ms);
        int number = co_await to_thread([] { return 1; });
        co_return got == word&& calls == before + number;
    };
    EXPECT_TRUE(loop.run_until_complete(talk("one")));
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(in_child([&] { return loop.run_until_complete(talk("child")) ? 0 : 1; }), 0);
        EXPECT_TRUE(loop.run_until_complete(talk("two")));
    }
    // And a child's child.
    EXPECT_EQ(in_child([&] { return in_child([&] { return loop.run_until_complete(talk("deep")) ? 5 : 1; }); }), 5);
    EXPECT_EQ(calls, 3);
}

TEST_P(ForkLoop, DebugModeTakesTheChildForNoOtherThread) {
    EventLoop loop = factory()();
    loop.set_debug(true);
    auto main = []() -> Coro<int> {
        Task<> other = create_task([]() -> Coro<> { co_await sleep(1h); });
        co_await sleep(1ms);
        int end = in_child([&] {
            Task<> handle = other;
            return handle.get_name().empty() ? 1 : 7;
        });
        other.cancel();
        co_await wait(other);
        co_return end;
    };
    EXPECT_EQ(loop.run_until_complete(main()), 7);
}

// CPython: closing a loop does not touch its servers; closing a server removes its path, in a child as well.
TEST_P(ForkLoop, TheChildsEndLeavesTheParentsUnixPath) {
    std::string path = "/tmp/asyncio_fork_" + std::to_string(::getpid()) + ".sock";
    auto ignore = [](StreamReader, StreamWriter) {};
    auto is_there = [&] { return ::access(path.c_str(), F_OK) == 0; };
    {
        EventLoop loop = factory()();
        Server server = loop.run_until_complete(start_unix_server(ignore, path));
        EXPECT_EQ(in_child([&] {
                      loop.close();
                      return is_there() ? 7 : 1;
                  }),
                  7);
        EXPECT_TRUE(is_there());
        EXPECT_EQ(in_child([&] {
                      server.close();
                      return is_there() ? 1 : 7;
                  }),
                  7);
    }
    EventLoop loop = factory()();
    loop.run_until_complete(start_unix_server(ignore, path));
    EXPECT_TRUE(is_there());
    loop.close();
    EXPECT_FALSE(is_there());
}

TEST_P(ForkLoop, TheChildMayGoOnWithTheRunningLoopFromItsNextCallbackOn) {
    run([]() -> Coro<> {
        auto [a, b] = socketpair();
        int readable = 0;
        get_running_loop().add_reader(b.fileno(), [&, fd = b.fileno()] {
            char byte = 0;
            readable += static_cast<int>(::recv(fd, &byte, 1, 0));
        });
        co_await sleep(1ms);
        pid_t child = fork_with_alarm();
        if (child == 0) {
            bool had_none = outcome(get_running_loop) == "RuntimeError('no running event loop')";
            co_await sleep(0);
            int all = co_await use_everything();
            co_await sock_sendall(a, "x");
            for (int i = 0; i < 1000 && readable == 0; ++i) co_await sleep(1ms);
            ::_exit(had_none && all == 42 && readable == 1 && current_task() ? 4 : 1);
        }
        EXPECT_EQ(end_of(child), 4);
        EXPECT_EQ(readable, 0);
        get_running_loop().remove_reader(b.fileno());
    }());
}

TEST_P(ForkLoop, AHandleMayBeCancelledInsideTheCallThatForked) {
    EventLoop loop = factory()();
    int code = 99;
    Handle handle;
    handle = loop.call_soon_threadsafe([&] {
        code = in_child([&] {
            handle.cancel();
            return 0;
        });
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(code, 0);
}

TEST_P(ForkLoop, AStreamThatIsReadAtThatMomentIsTheParents) {
    EventLoop loop = factory()();
    bool is_child = false;
    auto [a, b] = socketpair();
    auto read_line = [&]() -> Coro<std::string> {
        Streams streams = co_await open_unix_connection({.sock = &a});
        auto reading = create_task([](StreamReader reader) -> Coro<std::string> {
            std::string line = co_await reader.readline();
            co_return line;
        }(streams.reader));
        co_await sleep(1ms);
        pid_t child = fork_with_alarm();
        if (child == 0) {
            is_child = true;
            co_await sleep(0);
            if (get_running_loop().io_backend().name() == "io_uring") {
                // What came meanwhile might have gone to the parent: no line with a hole.
                std::string error = co_await support::outcome_of(std::move(reading));
                ::_exit(error.find("ConnectionAbortedError") != std::string::npos ? 0 : 1);
            }
            ::_exit(0);
        }
        EXPECT_EQ(end_of(child), 0);
        ::send(b.fileno(), "line\n", 5, 0);
        co_return co_await wait_for(reading, 10s);
    };
    EXPECT_EQ(loop.run_until_complete(read_line()), "line\n");
}

TEST_P(ForkLoop, AConnectionThatIsAcceptedAtThatMomentIsServedByOneOfBoth) {
    run([]() -> Coro<> {
        auto greet = [](StreamReader, StreamWriter writer) { writer.write("hello"); };
        Server server = co_await start_server(greet, "127.0.0.1", 0);
        SocketAddress address = server.sockets()[0].getsockname();
        Socket clients[3];
        pid_t child = -1;
        auto fork_now = [&] { child = fork_with_alarm(); };
        auto connect_all = [&] {
            for (Socket& client : clients) {
                client = Socket(AddressFamily::INET);
                ::connect(client.fileno(), static_cast<const sockaddr*>(address.native()), address.native_size());
            }
            // The loop looks outside before it runs this, and tells the server after it.
            get_running_loop().call_soon(fork_now);
            ::usleep(2000);
        };
        get_running_loop().call_soon(connect_all);
        while (child < 0) {
            co_await sleep(0);
        }
        co_await sleep(50ms);
        if (child == 0) ::_exit(0);
        EXPECT_EQ(end_of(child), 0);
        for (Socket& client : clients) {
            char text[100];
            EXPECT_EQ(::recv(client.fileno(), text, sizeof text, MSG_DONTWAIT), 5);
        }
    }());
}

/// Always the last.
struct LastFirst : ReadyOrder {
    std::size_t choose(std::size_t count) override { return count - 1; }
};

TEST(ForkLoopOrderThread, ALoopWithAnOrderOfItsOwnRunsInTheChildBeforeItsCallbacksDo) {
#ifdef ASYNCIO_THREAD_SANITIZER
    GTEST_SKIP() << "ThreadSanitizer does not support threads in a child";
#endif
    LastFirst order;
    EventLoop loop({.ready_order = &order});
    std::string seen;
    pid_t child = -1;
    loop.call_soon([&] { seen += outcome(get_running_loop) == "nothing" ? "b" : "-"; });
    loop.call_soon([&] { child = fork_with_alarm(); });
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    if (child == 0) ::_exit(seen == "b" ? 7 : 1);
    EXPECT_EQ(end_of(child), 7);
    EXPECT_EQ(seen, "b");
}

}  // namespace
}  // namespace asyncio
