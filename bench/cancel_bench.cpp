// W7: cancelling a thousand parked tasks and waiting for their end; and tasks that have not begun.
#include "workload.h"

#include <vector>

namespace {

constexpr int batch = 1000;

asyncio::Coro<> nap() { co_await asyncio::sleep(3600); }

asyncio::Coro<> cancel_all(benchmark::State& state, bool begun) {
    for (auto _ : state) {
        state.PauseTiming();
        std::vector<asyncio::Task<>> tasks;
        for (int i = 0; i < batch; ++i) tasks.push_back(asyncio::create_task(nap()));
        if (begun) co_await asyncio::sleep(0);
        state.ResumeTiming();
        for (auto& task : tasks) task.cancel();
        co_await asyncio::wait(tasks);
    }
    bench::per_operation(state, batch);
}

void cancel_sleeping_tasks(benchmark::State& state) {
    bench::in_loop(state, [](benchmark::State& s) { return cancel_all(s, true); });
}
void cancel_tasks_not_begun(benchmark::State& state) {
    bench::in_loop(state, [](benchmark::State& s) { return cancel_all(s, false); });
}
BENCHMARK(cancel_sleeping_tasks);
BENCHMARK(cancel_tasks_not_begun);

}  // namespace
