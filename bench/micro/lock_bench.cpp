// A lock that nobody contends for, one whose holders yield, and a semaphore's slot that is handed over.
#include "workload.h"

#include <vector>

namespace {

constexpr int tasks = 100;
constexpr int times = 100;

asyncio::Coro<> hold(asyncio::Lock& lock) {
    for (int i = 0; i < times; ++i) {
        co_await lock.acquire();
        co_await asyncio::sleep(0);  // so that the others come to wait
        lock.release();
    }
}
asyncio::Coro<> hand_over(asyncio::Semaphore& semaphore) {
    for (int i = 0; i < times; ++i) {
        co_await semaphore.acquire();
        semaphore.release();
    }
}

/// The first release finds all tasks in line; each that gets its turn queues again behind the others.
asyncio::Coro<> among_many(benchmark::State& state) {
    for (auto _ : state) {
        asyncio::Semaphore semaphore;
        std::vector<asyncio::Task<>> running;
        co_await semaphore.acquire();
        for (int i = 0; i < tasks; ++i) running.push_back(asyncio::create_task(hand_over(semaphore)));
        co_await asyncio::sleep(0);
        semaphore.release();
        for (auto& task : running) co_await task;
    }
    bench::per_operation(state, tasks * times);
}

asyncio::Coro<> among_many_holders(benchmark::State& state) {
    for (auto _ : state) {
        asyncio::Lock lock;
        std::vector<asyncio::Task<>> running;
        for (int i = 0; i < tasks; ++i) running.push_back(asyncio::create_task(hold(lock)));
        for (auto& task : running) co_await task;
    }
    bench::per_operation(state, tasks * times);
}

asyncio::Coro<> alone(benchmark::State& state) {
    asyncio::Lock lock;
    for (auto _ : state) {
        co_await lock.acquire();
        lock.release();
    }
    bench::per_operation(state, 1);
}
asyncio::Coro<> guarded(benchmark::State& state) {
    asyncio::Lock lock;
    for (auto _ : state) auto guard = co_await lock.guard();
    bench::per_operation(state, 1);
}

void lock_handover_and_yield(benchmark::State& state) { bench::in_loop(state, among_many_holders); }
void semaphore_handover(benchmark::State& state) { bench::in_loop(state, among_many); }
void lock_uncontended(benchmark::State& state) { bench::in_loop(state, alone); }
void guard_uncontended(benchmark::State& state) { bench::in_loop(state, guarded); }
BENCHMARK(lock_handover_and_yield);
BENCHMARK(semaphore_handover);
BENCHMARK(lock_uncontended);
BENCHMARK(guard_uncontended);

}  // namespace
