// Timeouts and cancellation nest: each block takes only the cancellation that it asked for itself.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<> make_request() { co_await asyncio::sleep(3600s); }

asyncio::Coro<> worker() {
    auto request = [](asyncio::Timeout&) { return make_request(); };
    try {
        co_await asyncio::with(asyncio::timeout(30ms), request);
    } catch (const asyncio::TimeoutError&) {
        std::puts("worker: request timed out, trying another server");
    }
    try {
        co_await asyncio::with(asyncio::timeout(3600s), request);
    } catch (const asyncio::TimeoutError&) {
        std::puts("never printed: this cancellation is not the timeout's");
    }
    std::puts("never printed: the worker was cancelled");
}

asyncio::Coro<> amain() {
    asyncio::Task<> task;
    try {
        co_await asyncio::with(asyncio::timeout(80ms), [&](asyncio::Timeout&) -> asyncio::Coro<> {
            co_await asyncio::with(asyncio::TaskGroup{},
                                   [&](asyncio::TaskGroup& tg) { task = tg.create_task(worker()); });
        });
    } catch (const asyncio::TimeoutError&) {
        std::puts("main: out of time");
    }
    std::printf("main: worker cancelled: %s\n", task.cancelled() ? "yes" : "no");
}

int main() { asyncio::run(amain()); }
