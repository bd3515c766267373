// Many tasks at the same time, and what waits for all of them.
#include <asyncio/asyncio.h>

#include <vector>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<long> one() { co_return 1; }
Coro<> nap() { co_await sleep(3600); }

std::vector<Task<long>> ones(long n) {
    std::vector<Task<long>> tasks;
    for (long i = 0; i < n; ++i) tasks.push_back(create_task(one()));
    return tasks;
}

Coro<long> in_group(long n) {
    std::vector<Task<long>> tasks;
    co_await with(TaskGroup(), [&](TaskGroup& group) {
        for (long i = 0; i < n; ++i) tasks.push_back(group.create_task(one()));
    });
    long sum = 0;
    for (const auto& task : tasks) sum += task.result();
    co_return sum;
}

Coro<long> gathered(long n) {
    std::vector<Coro<long>> children;
    for (long i = 0; i < n; ++i) children.push_back(one());
    std::vector<long> values = co_await gather(std::move(children));
    long sum = 0;
    for (long value : values) sum += value;
    co_return sum;
}

Coro<long> waited_for(long n) {
    auto tasks = ones(n);
    auto result = co_await wait(tasks);
    co_return static_cast<long>(result.done.size());
}

Coro<long> as_they_complete(long n) {
    auto tasks = ones(n);
    long sum = 0;
    for (auto next : as_completed(tasks)) {
        long value = co_await next;
        sum += value;
    }
    co_return sum;
}

Coro<long> cancelled(long n) {
    std::vector<Task<>> tasks;
    for (long i = 0; i < n; ++i) tasks.push_back(create_task(nap()));
    co_await sleep(0);
    for (auto& task : tasks) task.cancel();
    co_await wait(tasks);
    long count = 0;
    for (const auto& task : tasks) count += task.cancelled();
    co_return count;
}

/// The last awaits the one before, and so on: the first to end wakes them in a row.
Coro<long> after(Task<long> previous) {
    long value = co_await previous;
    co_return value + 1;
}
Coro<long> in_a_row(long n) {
    Task<long> last = create_task(one());
    for (long i = 1; i < n; ++i) last = create_task(after(last));
    co_return co_await last;
}

Coro<long> listed(long n) {
    auto tasks = ones(n);
    auto count = static_cast<long>(all_tasks().size()) - 1;
    co_await wait(tasks);
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"TaskGroup", [](long n) { return run(in_group(n)); }},
                        {"gather", [](long n) { return run(gathered(n)); }},
                        {"wait", [](long n) { return run(waited_for(n)); }},
                        {"as_completed", [](long n) { return run(as_they_complete(n)); }},
                        {"cancel", [](long n) { return run(cancelled(n)); }},
                        {"await_in_a_row", [](long n) { return run(in_a_row(n)); }},
                        {"all_tasks", [](long n) { return run(listed(n)); }}});
}
