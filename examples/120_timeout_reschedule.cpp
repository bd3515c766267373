// A deadline may be set, moved or taken away after the block has begun; expired() tells the end.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <optional>

using namespace std::chrono_literals;

asyncio::Coro<> amain() {
    auto& loop = asyncio::get_running_loop();
    auto limit = asyncio::timeout(std::nullopt);  // the right time is not known yet
    try {
        co_await asyncio::with(limit, [&](asyncio::Timeout&) -> asyncio::Coro<> {
            std::printf("no deadline: %s\n", limit.when() ? "no" : "yes");
            co_await asyncio::sleep(20ms);
            limit.reschedule(loop.time() + 30ms);
            std::puts("a deadline is set");
            limit.reschedule(*limit.when() + 30ms);
            std::puts("and moved");
            co_await asyncio::sleep(40ms);
            std::puts("the old deadline has passed");
            co_await asyncio::sleep(3600s);
        });
    } catch (const asyncio::TimeoutError&) {
    }
    std::printf("expired: %s\n", limit.expired() ? "yes" : "no");
}

int main() { asyncio::run(amain()); }
