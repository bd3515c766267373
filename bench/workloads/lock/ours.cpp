// A hundred tasks that wait for one lock: each release hands it to the next in line.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;

namespace {

constexpr int tasks = 100;

Coro<> take_turns(Lock& lock, long times, long& count) {
    for (long i = 0; i < times; ++i) {
        co_await lock.acquire();
        ++count;
        lock.release();
    }
}

Coro<long> hand_over(long n) {
    long count = 0;
    Lock lock;
    co_await lock.acquire();
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < tasks; ++i) group.create_task(take_turns(lock, n / tasks, count));
        co_await sleep(0);
        lock.release();
    });
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv, {{"hand_over", [](long n) { return run(hand_over(n)); }}});
}
