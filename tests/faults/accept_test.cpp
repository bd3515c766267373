// A server that lacks memory for a connection, and whose end that is.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <new>

#include "faults/faults.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<> accept_without_memory(long number) {
    int failed = 0;
    int later = 0;
    Server server = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
    SocketAddress address = server.sockets()[0].getsockname();
    co_await asyncio::sleep(0);
    auto close_it = [&](EventLoop&, const ExceptionContext& context) {
        bool is_it = context.message == "Error on transport creation for incoming connection";
        if (failed > 0) ++later;
        if (!is_it) return;
        ++failed;
        server.close();
        server = Server();
    };
    get_running_loop().set_exception_handler(close_it);
    Socket clients[3];
    for (Socket& client : clients) {
        client = Socket(AddressFamily::INET);
        ::connect(client.fileno(), static_cast<const sockaddr*>(address.native()), address.native_size());
    }
    faults::set(faults::Kind::allocation, number, false);
    co_await asyncio::sleep(2ms);  // not 0: the loop does not look outside in each pass
    faults::clear();
    co_await asyncio::sleep(2ms);
    EXPECT_EQ(later, 0) << number;
    if (server) server.close();
    get_running_loop().set_exception_handler(nullptr);
}

EventLoop loop_over_epoll() { return EventLoop({.io_backend = IoBackendKind::epoll}); }
EventLoop loop_over_io_uring() { return EventLoop({.io_backend = IoBackendKind::io_uring}); }

TEST(AcceptFaults, AServerMayBeClosedWhenItIsToldThatMemoryLacked) {
    for (auto factory : {&loop_over_epoll, &loop_over_io_uring}) {
        for (long number = 1; number < 40; ++number) {
            try {
                run(accept_without_memory(number), {.loop_factory = factory});
            } catch (const std::bad_alloc&) {  // it was the loop's own
                faults::clear();
            }
        }
    }
}

}  // namespace
