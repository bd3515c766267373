// Tasks that give way to each other: one alone, while a timer is open, and a thousand.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;

namespace {

constexpr int tasks = 1000;

Coro<> yield(long times, long& count) {
    for (long i = 0; i < times; ++i) {
        co_await sleep(0);
        ++count;
    }
}

Coro<long> one(long n) {
    long count = 0;
    TimerHandle timer = get_running_loop().call_later(3600, [] {});
    co_await create_task(yield(n, count));
    timer.cancel();
    co_return count;
}

Coro<long> many(long n) {
    long count = 0;
    co_await with(TaskGroup(), [&](TaskGroup& group) {
        for (int i = 0; i < tasks; ++i) group.create_task(yield(n / tasks, count));
    });
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"one", [](long n) { return run(one(n)); }}, {"many", [](long n) { return run(many(n)); }}});
}
