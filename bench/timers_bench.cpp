// W4: a hundred thousand tasks asleep for up to a second, on a clock that jumps: only our own work is counted.
#include "workload.h"

#include <cstdint>
#include <vector>

namespace {

constexpr int sleepers = 100'000;

asyncio::Coro<> nap(asyncio::Seconds delay) { co_await asyncio::sleep(delay); }

asyncio::Coro<> sleep_all() {
    std::uint32_t random = 12345;
    std::vector<asyncio::Task<>> tasks;
    for (int i = 0; i < sleepers; ++i) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        tasks.push_back(asyncio::create_task(nap(random % 1000 * 1e-3)));
    }
    for (auto& task : tasks) co_await task;
}

void sleep_of_100000_tasks(benchmark::State& state) {
    for (auto _ : state) asyncio::run(sleep_all(), {.clock = asyncio::VirtualClock{}});
    bench::per_operation(state, sleepers);
}
BENCHMARK(sleep_of_100000_tasks)->Unit(benchmark::kMillisecond);

}  // namespace
