// shield: cancelling who waits does not cancel what it waits for.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<int> save() {
    co_await asyncio::sleep(60ms);
    std::puts("save: on disk");
    co_return 17;
}

asyncio::Coro<> request(asyncio::Task<int> saving) {
    try {
        co_await asyncio::shield(saving);
    } catch (const asyncio::CancelledError&) {
        std::puts("request: cancelled, the save goes on");
        throw;
    }
}

asyncio::Coro<> amain() {
    auto saving = asyncio::create_task(save());
    auto visitor = asyncio::create_task(request(saving));
    co_await asyncio::sleep(20ms);
    visitor.cancel();
    co_await asyncio::wait(visitor);  // waits for its end, whatever it is
    std::printf("main: request cancelled: %s\n", visitor.cancelled() ? "yes" : "no");
    int bytes = co_await saving;
    std::printf("main: saved %d bytes\n", bytes);
}

int main() { asyncio::run(amain()); }
