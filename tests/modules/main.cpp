// All that it knows of the library comes by the module.
#include <chrono>
#include <cstdio>

import asyncio;

using namespace asyncio;
using namespace std::chrono_literals;

Coro<int> answer() {
    co_await sleep(1ms);
    co_return 42;
}

Coro<> amain() {
    auto [a, b] = co_await gather(answer(), answer());
    Queue<int> queue;
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        group.create_task([&]() -> Coro<> { co_await queue.put(a + b); });
        int got = co_await queue.get();
        std::printf("%d\n", got);
    });
    auto done = co_await wait(create_task(answer()), {.timeout = 1s, .return_when = FIRST_COMPLETED});
    std::printf("%d\n", static_cast<int>(done.done.size()));
    try {
        co_await with(timeout(1ms), [](Timeout&) -> Coro<> { co_await sleep(1h); });
    } catch (const TimeoutError&) {
        std::puts("late");
    }
    auto result = co_await run_process({"echo", "child"});
    std::printf("%s", result.stdout.c_str());
    std::puts(repr(current_task()).substr(0, 12).c_str());
}

int main() { run(amain(), {.clock = VirtualClock{}}); }
