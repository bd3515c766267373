// A kitchen and two waiters share a counter with room for two dishes. put() waits while it is full, get() while it is
// empty; shutdown() says that no more will come.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using Counter = asyncio::Queue<std::string>;

asyncio::Coro<> cook(Counter& counter) {
    for (const char* dish : {"soup", "pasta", "salad", "cake", "tea"}) {
        co_await counter.put(dish);
        std::printf("  %s is ready, %zu on the counter\n", dish, counter.qsize());
    }
    counter.shutdown();
}

asyncio::Coro<> wait_at_tables(const char* name, Counter& counter) {
    try {
        while (true) {
            std::string dish = co_await counter.get();
            std::printf("%s serves the %s\n", name, dish.c_str());
            co_await asyncio::sleep(0s);
        }
    } catch (const asyncio::QueueShutDown&) {
        std::printf("%s goes home\n", name);
    }
}

asyncio::Coro<> amain() {
    Counter counter(2);
    co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& group) {
        group.create_task(cook(counter));
        for (const char* name : {"Ann", "Bob"}) group.create_task(wait_at_tables(name, counter));
    });
    std::printf("closed: %s\n", str(counter).c_str());
}

int main() { asyncio::run(amain()); }
