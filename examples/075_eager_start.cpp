// eager_start makes a single task begin at once; its neighbours begin in the loop's next turn.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> visit(std::string name) {
    std::printf("%s arrives\n", name.c_str());
    co_await asyncio::sleep(0s);
    std::printf("%s leaves\n", name.c_str());
}

asyncio::Coro<> amain() {
    auto usual = asyncio::create_task(visit("usual"));
    auto eager = asyncio::create_task(visit("eager"), {.eager_start = true});
    std::puts("both are created");
    co_await asyncio::gather(usual, eager);
}

int main() { asyncio::run(amain()); }
