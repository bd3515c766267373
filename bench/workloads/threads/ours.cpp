// From another thread: a coroutine is submitted and its result waited for; and callbacks are posted.
#include <asyncio/asyncio.h>

#include <thread>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<long> next(long value) { co_return value + 1; }

long round_trip(long n) {
    EventLoop loop;
    std::thread thread([&] { loop.run_forever(); });
    long sum = 0;
    for (long i = 0; i < n; ++i) sum += run_coroutine_threadsafe(next(0), loop).result();
    loop.call_soon_threadsafe([&] { loop.stop(); });
    thread.join();
    return sum;
}

long post(long n) {
    EventLoop loop;
    std::thread thread([&] { loop.run_forever(); });
    long count = 0;
    for (long i = 0; i < n; ++i) {
        loop.call_soon_threadsafe([&loop, &count, n] {
            if (++count == n) loop.stop();
        });
    }
    thread.join();
    return count;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"round_trip", round_trip}, {"post", post}}); }
