// One producer and one consumer, through a queue for one item and through one for 1024.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<> produce(Queue<long>& queue, long n) {
    for (long i = 0; i < n; ++i) co_await queue.put(i);
}

Coro<long> consume(Queue<long>& queue, long n) {
    long sum = 0;
    for (long i = 0; i < n; ++i) {
        long item = co_await queue.get();
        sum += item;
    }
    co_return sum;
}

Coro<long> hand_over(long n, int size) {
    Queue<long> queue(size);
    auto producer = create_task(produce(queue, n));
    auto consumer = create_task(consume(queue, n));
    co_await producer;
    long sum = co_await consumer;
    co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"size_1", [](long n) { return run(hand_over(n, 1)); }},
                        {"size_1024", [](long n) { return run(hand_over(n, 1024)); }}});
}
