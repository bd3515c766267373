// timeout_at takes a moment, not a length: several blocks can share one deadline.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<> step(int number) {
    co_await asyncio::sleep(40ms);
    std::printf("step %d\n", number);
}

asyncio::Coro<> amain() {
    auto deadline = asyncio::get_running_loop().time() + 110ms;
    for (int number = 1; number < 10; ++number) {
        try {
            co_await asyncio::with(asyncio::timeout_at(deadline), [&](asyncio::Timeout&) { return step(number); });
        } catch (const asyncio::TimeoutError&) {
            std::printf("no time for step %d\n", number);
            break;
        }
    }
}

int main() { asyncio::run(amain()); }
