// run_coroutine_threadsafe: another thread hands a coroutine to the loop and blocks for its result.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<int> add(int a, int b, asyncio::Seconds delay) {
    co_await asyncio::sleep(delay);
    co_return a + b;
}

void calculate(asyncio::EventLoop* loop) {  // runs on a thread of its own, where nothing can be awaited
    auto quick = asyncio::run_coroutine_threadsafe(add(40, 2, 20ms), *loop);
    std::printf("quick: %d\n", quick.result(5s));

    auto slow = asyncio::run_coroutine_threadsafe(add(1, 1, 3600s), *loop);
    try {
        slow.result(50ms);
    } catch (const asyncio::TimeoutError&) {
        std::puts("slow: took too long, cancelling it");
        slow.cancel();
    }
}

asyncio::Coro<> amain() {
    co_await asyncio::to_thread(calculate, &asyncio::get_running_loop());
    std::puts("the thread is done");
}

int main() { asyncio::run(amain()); }
