// W3: awaiting a coroutine that returns at once, and a chain of a thousand.
#include "workload.h"

namespace {

[[gnu::noinline]] asyncio::Coro<int> child(int value) { co_return value + 1; }

asyncio::Coro<int> recurse(int depth) {
    if (depth == 0) co_return 1;
    int below = co_await recurse(depth - 1);
    co_return below + 1;
}

asyncio::Coro<> flat(benchmark::State& state) {
    int sum = 0;
    for (auto _ : state) {
        int value = co_await child(sum & 7);
        sum += value;
    }
    benchmark::DoNotOptimize(sum);
    bench::per_operation(state, 1);
}

asyncio::Coro<> deep(benchmark::State& state) {
    constexpr int depth = 1000;
    for (auto _ : state) {
        int frames = co_await recurse(depth);
        benchmark::DoNotOptimize(frames);
    }
    bench::per_operation(state, depth);
}

void await_a_child(benchmark::State& state) { bench::in_loop(state, flat); }
void await_1000_deep(benchmark::State& state) { bench::in_loop(state, deep); }
BENCHMARK(await_a_child);
BENCHMARK(await_1000_deep);

}  // namespace
