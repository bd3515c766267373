// What an item of an asynchronous generator costs: from one, and through a pipeline of three.
#include "workload.h"

namespace {

constexpr int items = 1000;

asyncio::AsyncGenerator<int> count_to(int end) {
    for (int i = 0; i < end; ++i) co_yield i;
}

asyncio::AsyncGenerator<int> pass_on(asyncio::AsyncGenerator<int> numbers) {
    while (auto number = co_await numbers.next()) co_yield *number;
}

asyncio::Coro<long> sum_of(asyncio::AsyncGenerator<int> numbers) {
    long sum = 0;
    while (auto number = co_await numbers.next()) sum += *number;
    co_return sum;
}

asyncio::Coro<> from_one(benchmark::State& state) {
    for (auto _ : state) {
        long sum = co_await sum_of(count_to(items));
        benchmark::DoNotOptimize(sum);
    }
    bench::per_operation(state, items);
}

asyncio::Coro<> through_three(benchmark::State& state) {
    for (auto _ : state) {
        long sum = co_await sum_of(pass_on(pass_on(count_to(items))));
        benchmark::DoNotOptimize(sum);
    }
    bench::per_operation(state, items);
}

asyncio::Coro<> begin_and_end(benchmark::State& state) {
    for (auto _ : state) {
        long sum = co_await sum_of(count_to(1));
        benchmark::DoNotOptimize(sum);
    }
    bench::per_operation(state, 1);
}

void item_of_a_generator(benchmark::State& state) { bench::in_loop(state, from_one); }
void item_of_a_pipeline(benchmark::State& state) { bench::in_loop(state, through_three); }
void whole_generator(benchmark::State& state) { bench::in_loop(state, begin_and_end); }
BENCHMARK(item_of_a_generator);
BENCHMARK(item_of_a_pipeline);
BENCHMARK(whole_generator);

}  // namespace
