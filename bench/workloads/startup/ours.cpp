// Makes a loop, runs a coroutine that returns at once, and closes the loop.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<long> one() { co_return 1; }

long run_and_close(long n) {
    long sum = 0;
    for (long i = 0; i < n; ++i) sum += run(one());
    return sum;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"run", run_and_close}}); }
