// Loops over io_uring that follow each other on several threads: the memory that they share with the kernel is mapped
// again and again, at the same places.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <string>
#include <thread>
#include <vector>

namespace asyncio {
namespace {

EventLoop loop_over_io_uring() { return EventLoop({.io_backend = IoBackendKind::io_uring}); }

Coro<> talk() {
    auto [one, other] = socketpair();
    auto [reader, writer] = co_await open_unix_connection({.sock = &other});
    auto reading = create_task(reader.readexactly(5));
    co_await sleep(0);
    EXPECT_EQ(::send(one.fileno(), "12345", 5, 0), 5);
    std::string got = co_await reading;
    EXPECT_EQ(got, "12345");
}

TEST(UringThread, ShortLoopsOnManyThreadsDoNotMeet) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([] {
            for (int k = 0; k < 50; ++k) run(talk(), {.loop_factory = &loop_over_io_uring});
        });
    }
}

}  // namespace
}  // namespace asyncio
