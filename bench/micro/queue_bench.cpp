// A queue that nobody has to wait for.
#include "workload.h"

namespace {

asyncio::Coro<> put_and_get(benchmark::State& state) {
    asyncio::Queue<int> queue;
    long sum = 0;
    for (auto _ : state) {
        co_await queue.put(1);
        int item = co_await queue.get();
        sum += item;
    }
    benchmark::DoNotOptimize(sum);
    bench::per_operation(state, 1);
}

void queue_without_waiting(benchmark::State& state) { bench::in_loop(state, put_and_get); }
BENCHMARK(queue_without_waiting);

}  // namespace
