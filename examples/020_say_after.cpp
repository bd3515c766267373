// Awaiting a coroutine runs it to its end before going on: two waits take the sum of their times.
#include <asyncio/asyncio.h>

#include <cmath>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> say_after(asyncio::Seconds delay, std::string words) {
    co_await asyncio::sleep(delay);
    std::puts(words.c_str());
}

asyncio::Coro<> amain() {
    auto& loop = asyncio::get_running_loop();
    auto started = loop.time();
    co_await say_after(100ms, "first I sleep");
    co_await say_after(200ms, "then I sleep again");
    std::printf("took %ld tenths of a second\n", std::lround((loop.time() - started) / 100ms));
}

int main() { asyncio::run(amain()); }
