// to_thread runs what blocks on a worker thread; the loop, and every other task, goes on meanwhile.
#include <asyncio/asyncio.h>

#include <cmath>
#include <cstdio>
#include <thread>
#include <tuple>

using namespace std::chrono_literals;

int blocking_io() {
    std::puts("blocking_io begins");
    std::this_thread::sleep_for(50ms);  // blocks its own thread only
    std::puts("blocking_io ends");
    return 512;
}

asyncio::Coro<> amain() {
    auto& loop = asyncio::get_running_loop();
    auto started = loop.time();
    auto both = co_await asyncio::gather(asyncio::to_thread(blocking_io), asyncio::sleep(100ms));
    std::printf("read %d bytes\n", std::get<0>(both));
    std::printf("took %ld tenth of a second\n", std::lround((loop.time() - started) / 100ms));
}

int main() { asyncio::run(amain()); }
