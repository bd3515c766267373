// A TaskGroup owns its tasks: leaving the block waits for all of them, so none is forgotten.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<int> fetch(std::string name, asyncio::Seconds delay) {
    co_await asyncio::sleep(delay);
    std::printf("fetched %s\n", name.c_str());
    co_return static_cast<int>(name.size());
}

asyncio::Coro<> amain() {
    asyncio::Task<int> plum, apple;
    co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& tg) {
        plum = tg.create_task(fetch("plum", 60ms));
        apple = tg.create_task(fetch("apple", 30ms));
        std::puts("fetching");
    });
    std::printf("letters: %d\n", plum.result() + apple.result());
}

int main() { asyncio::run(amain()); }
