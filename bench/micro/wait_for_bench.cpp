// wait_for() of a second around one yield.
#include "workload.h"

namespace {

asyncio::Coro<> yield() { co_await asyncio::sleep(0); }

asyncio::Coro<> wait_for_call(benchmark::State& state) {
    for (auto _ : state) co_await asyncio::wait_for(yield(), 1);
    bench::per_operation(state, 1);
}

void wait_for_around_a_yield(benchmark::State& state) { bench::in_loop(state, wait_for_call); }
BENCHMARK(wait_for_around_a_yield);

}  // namespace
