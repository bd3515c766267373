// A task that swallows a cancellation says so with uncancel(), so that later timeouts work as usual.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<std::string> stubborn() {
    auto task = asyncio::current_task();
    try {
        co_await asyncio::sleep(3600s);
    } catch (const asyncio::CancelledError&) {
        std::printf("asked to stop, requests open: %d\n", static_cast<int>(task.cancelling()));
        std::printf("refused, requests open: %d\n", static_cast<int>(task.uncancel()));
    }
    try {
        co_await asyncio::with(asyncio::timeout(30ms),
                               [](asyncio::Timeout&) -> asyncio::Coro<> { co_await asyncio::sleep(3600s); });
    } catch (const asyncio::TimeoutError&) {
        std::printf("a timeout of my own, requests open: %d\n", static_cast<int>(task.cancelling()));
    }
    co_return "finished in my own time";
}

asyncio::Coro<> amain() {
    auto task = asyncio::create_task(stubborn());
    co_await asyncio::sleep(30ms);
    task.cancel();
    std::string answer = co_await task;
    std::puts(answer.c_str());
    std::printf("cancelled: %s\n", task.cancelled() ? "yes" : "no");
}

int main() { asyncio::run(amain()); }
