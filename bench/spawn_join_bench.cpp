// W1: how long from create_task to the awaited result, a thousand tasks at a time.
#include "workload.h"

#include <vector>

namespace {

constexpr int batch = 1000;

[[gnu::noinline]] asyncio::Coro<int> child(int value) { co_return value + 1; }

asyncio::Coro<> await_each(benchmark::State& state) {
    std::vector<asyncio::Task<int>> tasks;
    for (auto _ : state) {
        long sum = 0;
        for (int i = 0; i < batch; ++i) tasks.push_back(asyncio::create_task(child(i)));
        for (auto& task : tasks) {
            int value = co_await task;
            sum += value;
        }
        tasks.clear();
        benchmark::DoNotOptimize(sum);
    }
    bench::per_operation(state, batch);
}

asyncio::Coro<> task_group(benchmark::State& state) {
    for (auto _ : state) {
        co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& group) {
            for (int i = 0; i < batch; ++i) group.create_task(child(i));
        });
    }
    bench::per_operation(state, batch);
}

asyncio::Coro<> gather(benchmark::State& state) {
    for (auto _ : state) {
        std::vector<asyncio::Coro<int>> children;
        for (int i = 0; i < batch; ++i) children.push_back(child(i));
        auto results = co_await asyncio::gather(std::move(children));
        benchmark::DoNotOptimize(results);
    }
    bench::per_operation(state, batch);
}

void spawn_and_await_each(benchmark::State& state) { bench::in_loop(state, await_each); }
void spawn_in_task_group(benchmark::State& state) { bench::in_loop(state, task_group); }
void spawn_by_gather(benchmark::State& state) { bench::in_loop(state, gather); }
BENCHMARK(spawn_and_await_each);
BENCHMARK(spawn_in_task_group);
BENCHMARK(spawn_by_gather);

}  // namespace
