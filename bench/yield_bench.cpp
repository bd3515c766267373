// W2: one trip through the loop, alone (with a timer open) and among a thousand tasks.
#include "workload.h"

#include <vector>

namespace {

asyncio::Coro<> alone(benchmark::State& state) {
    asyncio::TimerHandle far = asyncio::get_running_loop().call_later(3600, [] {});
    for (auto _ : state) co_await asyncio::sleep(0);
    far.cancel();
    bench::per_operation(state, 1);
}

asyncio::Coro<> yield(int times) {
    for (int i = 0; i < times; ++i) co_await asyncio::sleep(0);
}

asyncio::Coro<> among_many(benchmark::State& state) {
    constexpr int tasks = 1000;
    constexpr int times = 100;
    for (auto _ : state) {
        std::vector<asyncio::Task<>> running;
        for (int i = 0; i < tasks; ++i) running.push_back(asyncio::create_task(yield(times)));
        for (auto& task : running) co_await task;
    }
    bench::per_operation(state, tasks * times);
}

void yield_of_one_task(benchmark::State& state) { bench::in_loop(state, alone); }
void yield_of_1000_tasks(benchmark::State& state) { bench::in_loop(state, among_many); }
BENCHMARK(yield_of_one_task);
BENCHMARK(yield_of_1000_tasks);

}  // namespace
