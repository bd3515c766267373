// A timeout of a second around one yield.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<long> block(long n) {
    long count = 0;
    for (long i = 0; i < n; ++i) {
        co_await with(timeout(1s), [&]() -> Coro<> {
            co_await sleep(0);
            ++count;
        });
    }
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv, {{"block", [](long n) { return run(block(n)); }}});
}
