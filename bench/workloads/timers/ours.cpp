// Tasks that sleep for up to a second, all at the same time.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<> nap(Seconds delay, long& count) {
    co_await sleep(delay);
    ++count;
}

Coro<long> sleepers(long n) {
    long count = 0;
    bench::Random random;
    co_await with(TaskGroup(), [&](TaskGroup& group) {
        for (long i = 0; i < n; ++i) group.create_task(nap(random.below(1000) * 1ms, count));
    });
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv, {{"sleepers", [](long n) { return run(sleepers(n)); }}});
}
