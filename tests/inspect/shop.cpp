// The program at which docs/inspect.md and docs/debugging.md look. pages_test.py compares what they show of it.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <csignal>
#include <cstdio>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<> take(Lock& stock, std::string what) {
    auto guard = co_await stock.guard();
    std::printf("took %s\n", what.c_str());
}

Coro<> work(Queue<std::string>& orders, Lock& stock) {
    for (;;) {
        std::string order = co_await orders.get();
        co_await take(stock, order);
        orders.task_done();
    }
}

Coro<> clean(Lock& stock) {
    auto guard = co_await stock.guard();
    co_await asyncio::sleep(1h);
}

Coro<int> ask_price(std::string what) {
    co_await asyncio::sleep(30min);
    co_return static_cast<int>(what.size());
}

Coro<> gather_prices() { co_await gather(ask_price("bread"), ask_price("cake")); }

Coro<> serve(StreamReader reader, StreamWriter writer) {
    std::string order = co_await reader.readline();
    writer.write(order);
}

Coro<> open_shop() {
    Named<Lock> stock("stock");
    Named<Queue<std::string>> orders("orders", 8);
    Server counter = co_await start_server(serve, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", counter.sockets().at(0).getsockname().port());
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        group.create_task(clean(stock), {.name = "cleaner"});
        group.create_task(work(orders, stock), {.name = "worker"});
        group.create_task(gather_prices(), {.name = "prices"});
        co_await orders.put("bread");
        co_await orders.put("cake");
        co_await asyncio::sleep(10ms);
        std::puts("ready");
        std::fflush(stdout);
    });
}

}  // namespace

int main() {
    dump_tasks_on(SIGQUIT);
    return run_main(open_shop());
}
