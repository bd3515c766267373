// Cancelling throws CancelledError where the task waits: it can clean up, and lets the error pass.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

struct Cleanup {  // C++'s `finally`: runs however the coroutine ends
    ~Cleanup() { std::puts("cancel_me: cleaned up"); }
};

asyncio::Coro<> cancel_me() {
    Cleanup cleanup;
    std::puts("cancel_me: going to sleep");
    try {
        co_await asyncio::sleep(3600s);
    } catch (const asyncio::CancelledError&) {
        std::puts("cancel_me: woken to die");
        throw;
    }
}

asyncio::Coro<> amain() {
    auto task = asyncio::create_task(cancel_me());
    co_await asyncio::sleep(50ms);
    task.cancel();
    try {
        co_await task;
    } catch (const asyncio::CancelledError&) {
        std::puts("main: cancel_me is cancelled now");
    }
}

int main() { asyncio::run(amain()); }
