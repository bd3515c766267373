#pragma once

#include "loop/choose_backend.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/loop/clock.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/socket.h>
#include <asyncio/tasks/run.h>
#include <gtest/gtest.h>

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "support/run_test.h"

namespace support {

/// How many descriptors the process has open.
inline int count_open_fds() {
    DIR* folder = ::opendir("/proc/self/fd");
    int count = 0;
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count - 3;  // . and .. and that of the folder
}

/// Until no more than `fds` are open, or a second is over: what is being closed is so some passes later.
inline asyncio::Coro<> settle(int fds) {
    for (int i = 0; i < 1000 && count_open_fds() != fds; ++i) co_await asyncio::sleep(std::chrono::milliseconds(1));
}

/// Has the running loop open what it needs to wait for descriptors, which it does when it first has to.
inline void have_loop_opened() {
    auto [one, other] = asyncio::socketpair();
    asyncio::EventLoop& loop = asyncio::get_running_loop();
    loop.add_reader(one.fileno(), [] {});
    loop.remove_reader(one.fileno());
}

/// The I/O backend that the environment asks for, if this machine has not got it.
inline const char* missing_backend() {
    static const char* missing = [] {
        const char* wanted = std::getenv("ASYNCIO_IO_BACKEND");
        auto backend = asyncio::detail::make_io_backend(asyncio::IoBackendKind::automatic);
        return wanted != nullptr && backend->name() != wanted ? wanted : nullptr;
    }();
    return missing;
}

/// Fails the test in which more descriptors are open at the end than at the beginning.
class NetTest : public testing::Test {
protected:
    void SetUp() override {
        if (const char* missing = missing_backend()) GTEST_SKIP() << "there is no " << missing << " here";
    }
    void TearDown() override {
        // On a kernel without pidfds a thread waits for each child that was killed, and has a descriptor until then.
        for (int tries = 0; tries < 400 && count_open_fds() != before_; ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        EXPECT_EQ(count_open_fds(), before_) << "descriptors were left open";
    }

private:
    int before_ = count_open_fds();
};

/// The system's time. With a clock of one's own a loop looks at its descriptors in each pass, as CPython's does.
class EachPassClock : public asyncio::Clock {
public:
    asyncio::TimePoint now() noexcept override {
        auto since = std::chrono::steady_clock::now().time_since_epoch();
        return asyncio::TimePoint::from_nanoseconds(std::chrono::nanoseconds(since).count());
    }
};

/// Runs the coroutine that `main` returns in real time, looking at descriptors in each pass.
template <class Main>
auto run_each_pass(Main&& main) {
    EachPassClock clock;
    return asyncio::run(main(), {.clock = clock});
}

/// Runs it in real time.
template <class Main>
auto run_net(Main&& main) {
    return asyncio::run(main());
}

/// A socket that listens on a free port of the loopback interface.
inline asyncio::Socket listener(const char* host = "127.0.0.1", int backlog = 100) {
    asyncio::SocketAddress address(host, 0);
    asyncio::Socket socket(address.family());
    socket.bind(address);
    socket.listen(backlog);
    return socket;
}

/// Both ends of a TCP connection.
inline asyncio::Coro<std::pair<asyncio::Socket, asyncio::Socket>> connected_pair() {
    asyncio::Socket server = listener();
    asyncio::Socket client(asyncio::AddressFamily::INET);
    co_await asyncio::sock_connect(client, server.getsockname());
    asyncio::Accepted accepted = co_await asyncio::sock_accept(server);
    co_return std::pair(std::move(client), std::move(accepted.conn));
}

/// A port of the loopback interface that nobody has, to be taken later: one below those that the system gives away.
inline int free_port() {
    std::mt19937 random(std::random_device{}());
    while (true) {
        int port = std::uniform_int_distribution<>(10'000, 32'000)(random);
        try {
            asyncio::Socket(asyncio::AddressFamily::INET).bind(asyncio::SocketAddress("127.0.0.1", port));
            return port;
        } catch (const asyncio::OSError&) {
        }
    }
}

/// What can be sent or received right now, by the system's call.
inline ssize_t send_now(const asyncio::Socket& socket, const std::string& text) {
    return ::send(socket.fileno(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}
inline std::string receive_now(const asyncio::Socket& socket, std::size_t most = 100'000) {
    std::string text(most, '\0');
    ssize_t size = ::recv(socket.fileno(), text.data(), most, MSG_DONTWAIT);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}
/// Sends spaces until there is no room for one more.
inline void fill(const asyncio::Socket& socket) {
    for (std::size_t size = 65536; size > 0; size /= 2) {
        while (send_now(socket, std::string(size, ' ')) > 0) {
        }
    }
}

}  // namespace support
