// W6: one item from a producer to a consumer, through a queue for one item and through one for 1024.
#include "workload.h"

namespace {

constexpr int items = 10000;

asyncio::Coro<> produce(asyncio::Queue<int>& queue) {
    for (int i = 0; i < items; ++i) co_await queue.put(i);
}

asyncio::Coro<> consume(asyncio::Queue<int>& queue, long& sum) {
    for (int i = 0; i < items; ++i) {
        int item = co_await queue.get();
        sum += item;
    }
}

asyncio::Coro<> hand_over(benchmark::State& state) {
    asyncio::Queue<int> queue(state.range(0));
    long sum = 0;
    for (auto _ : state) {
        auto producer = asyncio::create_task(produce(queue));
        auto consumer = asyncio::create_task(consume(queue, sum));
        co_await producer;
        co_await consumer;
    }
    benchmark::DoNotOptimize(sum);
    bench::per_operation(state, items);
}

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

void queue_of_size(benchmark::State& state) { bench::in_loop(state, hand_over); }
void queue_without_waiting(benchmark::State& state) { bench::in_loop(state, put_and_get); }
BENCHMARK(queue_of_size)->Arg(1)->Arg(1024);
BENCHMARK(queue_without_waiting);

}  // namespace
