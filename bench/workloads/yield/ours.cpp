// Tasks that give way to each other: one alone, while a timer is open, and a thousand. The guard also counts what it
// costs when somebody looks on.
#include <asyncio/asyncio.h>
#include <asyncio/loop/instrument.h>

#include "bench.h"

using namespace asyncio;

namespace {

constexpr int tasks = 1000;

Coro<> yield(long times, long& count) {
    for (long i = 0; i < times; ++i) {
        co_await sleep(0);
        ++count;
    }
}

Coro<long> one(long n) {
    long count = 0;
    TimerHandle timer = get_running_loop().call_later(3600, [] {});
    co_await create_task(yield(n, count));
    timer.cancel();
    co_return count;
}

/// Looks on, and counts what it is told.
class Count final : public detail::Instrument {
public:
    void made_ready(detail::ReadyNode&) noexcept override { ++told_; }
    void before_step(detail::ReadyNode&) noexcept override { ++told_; }
    void after_step() noexcept override { ++told_; }

private:
    long told_ = 0;
};

Coro<long> watched(long n) {
    Count instrument;
    detail::LoopCore& loop = get_running_loop().core();
    detail::set_instrument(loop, &instrument);
    long count = co_await one(n);
    detail::set_instrument(loop, nullptr);
    co_return count;
}

Coro<long> many(long n) {
    long count = 0;
    co_await with(TaskGroup(), [&](TaskGroup& group) {
        for (int i = 0; i < tasks; ++i) group.create_task(yield(n / tasks, count));
    });
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"one", [](long n) { return run(one(n)); }},
                        {"many", [](long n) { return run(many(n)); }},
                        {"watched", [](long n) { return run(watched(n)); }}});
}
