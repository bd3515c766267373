// Eager tasks begin inside create_task: one that finds its answer in the cache never visits the loop.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <map>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<int> look_up(std::string key) {
    static std::map<std::string, int> cache;
    if (!cache.contains(key)) {
        std::printf("measuring %s\n", key.c_str());
        co_await asyncio::sleep(20ms);
        cache[key] = static_cast<int>(key.size());
    }
    co_return cache[key];
}

asyncio::Coro<> amain() {
    asyncio::get_running_loop().set_task_factory(asyncio::eager_task_factory);
    for (int round = 0; round < 2; ++round) {
        auto task = asyncio::create_task(look_up("plum"));
        std::puts(task.done() ? "finished at once" : "has to wait");
        int found = co_await task;
        std::printf("got %d\n", found);
    }
}

int main() { asyncio::run(amain()); }
