// Tasks that are parked in a sleep or on an event.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<> nap(long& count) {
    ++count;
    co_await sleep(3600);
}

Coro<> wait_for(Event& event, long& count) {
    ++count;
    co_await event.wait();
}

Coro<long> park(long n, bool on_event) {
    long count = 0;
    Event event;
    for (long i = 0; i < n; ++i) create_task(on_event ? wait_for(event, count) : nap(count));
    co_await sleep(0);
    co_await sleep(0);
    bench::finish(n, count);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv,
        {{"sleep", [](long n) { return run(park(n, false)); }}, {"event", [](long n) { return run(park(n, true)); }}});
}
