// A barrier: cooks who start each course together. One who leaves breaks it for the others.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> cook(std::string name, asyncio::Barrier& barrier, asyncio::Seconds seconds) {
    for (const char* course : {"soup", "fish"}) {
        co_await asyncio::sleep(seconds);
        std::printf("%s: %s is ready\n", name.c_str(), course);
        co_await asyncio::with(barrier, [&](int position) {
            if (position == barrier.parties() - 1) std::printf("%s was the last, %s is served\n", name.c_str(), course);
        });
    }
}

asyncio::Coro<> wait_in_vain(std::string name, asyncio::Barrier& barrier) {
    try {
        co_await barrier.wait();
    } catch (const asyncio::BrokenBarrierError& error) {
        std::printf("%s: %s\n", name.c_str(), error.what());
    }
}

const char* text(bool value) { return value ? "True" : "False"; }

asyncio::Coro<> amain() {
    asyncio::Barrier barrier(3);
    co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& group) {
        group.create_task(cook("Ada", barrier, 10ms));
        group.create_task(cook("Ben", barrier, 30ms));
        group.create_task(cook("Cleo", barrier, 50ms));
    });

    co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& group) -> asyncio::Coro<> {
        group.create_task(wait_in_vain("Ada", barrier));
        group.create_task(wait_in_vain("Ben", barrier));
        co_await asyncio::sleep(10ms);
        std::printf("waiting: %d\n", barrier.n_waiting());
        co_await barrier.abort();
    });
    std::printf("broken: %s\n", text(barrier.broken()));
    co_await barrier.reset();
    std::printf("broken: %s\n", text(barrier.broken()));
}

int main() { asyncio::run(amain()); }
