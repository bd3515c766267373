#pragma once

#include <asyncio/asyncio.h>
#include <benchmark/benchmark.h>

#include <utility>

namespace bench {

/// Runs the coroutine `measure(state)`, which loops over `state` itself, in an event loop of its own.
template <class Measure>
void in_loop(benchmark::State& state, Measure measure) {
    asyncio::run(measure(state));
}

/// One operation of a batch is what a row of the table shows.
inline void per_operation(benchmark::State& state, std::int64_t operations_in_batch) {
    state.SetItemsProcessed(state.iterations() * operations_in_batch);
    state.counters["each"] =
        benchmark::Counter(static_cast<double>(operations_in_batch),
                           benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace bench
