// Many timers, on virtual time. A heap of n costs log n for each.
#include <asyncio/asyncio.h>

#include <vector>

#include "bench.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

constexpr unsigned hour = 3'600'000;  // ms

Coro<> nap(Seconds delay, long& count) {
    co_await sleep(delay);
    ++count;
}

Coro<long> sleepers(long n) {
    long count = 0;
    bench::Random random;
    co_await with(TaskGroup(), [&](TaskGroup& group) {
        for (long i = 0; i < n; ++i) group.create_task(nap(random.below(hour) * 1ms, count));
    });
    co_return count;
}

Coro<long> callbacks(long n) {
    long count = 0;
    bench::Random random;
    for (long i = 0; i < n; ++i) get_running_loop().call_later(random.below(hour) * 1ms, [&count] { ++count; });
    co_await sleep(3601);
    co_return count;
}

Coro<long> cancelled(long n) {
    std::vector<TimerHandle> timers;
    bench::Random random;
    for (long i = 0; i < n; ++i) timers.push_back(get_running_loop().call_later(random.below(hour) * 1ms, [] {}));
    long count = 0;
    for (auto& timer : timers) {
        timer.cancel();
        count += timer.cancelled();
    }
    co_await sleep(3601);
    co_return count;
}

template <Coro<long> body(long)>
long on_virtual_time(long n) {
    return run(body(n), {.clock = VirtualClock{}});
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"sleep", on_virtual_time<sleepers>},
                        {"call_later", on_virtual_time<callbacks>},
                        {"call_later_cancelled", on_virtual_time<cancelled>}});
}
