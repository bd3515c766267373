// What can be awaited: a coroutine (runs now), a task (runs already), a future (somebody will fill it).
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<int> nested() { co_return 42; }

asyncio::Coro<> amain() {
    auto coro = nested();                   // nothing has run yet
    int answer = co_await std::move(coro);  // a coroutine runs once, so it is given away
    std::printf("coroutine: %d\n", answer);

    auto task = asyncio::create_task(nested());
    std::printf("task done before the await: %s\n", task.done() ? "yes" : "no");
    answer = co_await task;
    std::printf("task: %d\n", answer);
    answer = co_await task;
    std::printf("task again: %d\n", answer);

    auto& loop = asyncio::get_running_loop();
    auto future = loop.create_future<std::string>();
    loop.call_later(20ms, [future]() mutable {
        if (!future.done()) future.set_result("the answer");  // it is if who waits was cancelled
    });
    std::string text = co_await future;
    std::printf("future: %s\n", text.c_str());
}

int main() { asyncio::run(amain()); }
