// Starts a thousand tasks, waits for all, and does it again.
#include <asyncio/asyncio.h>

#include <vector>

#include "bench.h"

using namespace asyncio;

namespace {

constexpr int batch = 1000;

[[gnu::noinline]] Coro<int> child(int value) { co_return value + 1; }

Coro<long> group(long n) {
    long sum = 0;
    std::vector<Task<int>> tasks;
    for (long done = 0; done < n; done += batch) {
        co_await with(TaskGroup(), [&](TaskGroup& group) {
            for (int i = 0; i < batch; ++i) tasks.push_back(group.create_task(child(i)));
        });
        for (const auto& task : tasks) sum += task.result();
        tasks.clear();
    }
    co_return sum;
}

Coro<long> gather(long n) {
    long sum = 0;
    for (long done = 0; done < n; done += batch) {
        std::vector<Coro<int>> children;
        for (int i = 0; i < batch; ++i) children.push_back(child(i));
        std::vector<int> values = co_await gather(std::move(children));
        for (int value : values) sum += value;
    }
    co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv,
        {{"group", [](long n) { return run(group(n)); }}, {"gather", [](long n) { return run(gather(n)); }}});
}
