// A task runs beside its creator: two waits take the time of the longer one.
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
    auto long_nap = asyncio::create_task(say_after(200ms, "the long nap is over"));
    auto short_nap = asyncio::create_task(say_after(100ms, "the short nap is over"));
    std::puts("both are asleep");
    co_await long_nap;
    co_await short_nap;
    std::printf("took %ld tenths of a second\n", std::lround((loop.time() - started) / 100ms));
}

int main() { asyncio::run(amain()); }
