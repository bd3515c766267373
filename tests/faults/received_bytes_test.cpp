// What the kernel has given away is given to who receives, now or the next time.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <new>
#include <string>
#include <utility>

#include "faults/faults.h"

using namespace asyncio;

namespace {

EventLoop loop_over_epoll() { return EventLoop({.io_backend = IoBackendKind::epoll}); }
EventLoop loop_over_io_uring() { return EventLoop({.io_backend = IoBackendKind::io_uring}); }

struct Case {
    long number;  // of the allocation that fails
    bool all_that_follow;
    bool waits;
    bool with_address;
};

Coro<std::string> receive_from(Socket& socket) {
    auto received = co_await sock_recvfrom(socket, 4096);
    co_return std::move(received.data);
}

Coro<bool> receive(Case which, std::string& text) {
    auto [one, other] = socketpair();
    std::string sent(1000, 'x');
    auto send = [&sender = one, &sent] { EXPECT_EQ(::send(sender.fileno(), sent.data(), sent.size(), 0), 1000); };
    if (which.waits) {
        get_running_loop().call_later(std::chrono::milliseconds(1), send);
    } else {
        send();
    }
    faults::set(faults::Kind::allocation, which.number, which.all_that_follow);
    try {
        if (which.with_address) {
            text = co_await receive_from(other);
        } else {
            text = co_await sock_recv(other, 4096);
        }
    } catch (const std::bad_alloc&) {
    } catch (const OSError&) {
    }
    bool has_struck = faults::clear();
    if (text.empty()) text = co_await wait_for(sock_recv(other, 4096), std::chrono::seconds(5));
    co_return has_struck;
}

TEST(ReceivedBytes, AreNotLostWhenMemoryLacksForThem) {
    for (auto factory : {&loop_over_epoll, &loop_over_io_uring}) {
        for (int kind = 0; kind < 8; ++kind) {
            Case which{1, (kind & 1) != 0, (kind & 2) != 0, (kind & 4) != 0};
            for (bool has_struck = true; has_struck; ++which.number) {
                std::string text;
                try {
                    has_struck = run(receive(which, text), {.loop_factory = factory});
                } catch (const std::bad_alloc&) {  // the loop itself had none
                    EXPECT_TRUE(faults::clear());
                    continue;
                }
                EXPECT_EQ(text.size(), 1000u) << which.number << which.all_that_follow << which.waits;
            }
            EXPECT_GT(which.number, 2);
        }
    }
}

}  // namespace
