// Many items in a queue, many that wait for one, and many callbacks in the loop's own queue.
#include <asyncio/asyncio.h>

#include <vector>

#include "bench.h"

using namespace asyncio;

namespace {

template <class AnyQueue>
Coro<long> through(long n) {
    AnyQueue queue;
    bench::Random random;
    for (long i = 0; i < n; ++i) queue.put_nowait(static_cast<long>(random.below(1'000'000)));
    long count = 0;
    for (; !queue.empty(); ++count) co_await queue.get();
    co_return count;
}

Coro<> get_one(Queue<long>& queue, long& sum) {
    long item = co_await queue.get();
    sum += item;
}

Coro<long> waiting_getters(long n) {
    long sum = 0;
    Queue<long> queue;
    std::vector<Task<>> tasks;
    for (long i = 0; i < n; ++i) tasks.push_back(create_task(get_one(queue, sum)));
    co_await sleep(0);
    for (long i = 0; i < n; ++i) queue.put_nowait(1);
    co_await wait(tasks);
    co_return sum;
}

Coro<long> soon(long n) {
    long count = 0;
    for (long i = 0; i < n; ++i) get_running_loop().call_soon([&count] { ++count; });
    co_await sleep(0);
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"Queue", [](long n) { return run(through<Queue<long>>(n)); }},
                        {"LifoQueue", [](long n) { return run(through<LifoQueue<long>>(n)); }},
                        {"PriorityQueue", [](long n) { return run(through<PriorityQueue<long>>(n)); }},
                        {"waiting_getters", [](long n) { return run(waiting_getters(n)); }},
                        {"call_soon", [](long n) { return run(soon(n)); }}});
}
