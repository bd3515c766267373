// Cancels tasks one by one and waits for their end: tasks in a sleep, with and without a handler, and not begun ones.
#include <asyncio/asyncio.h>

#include <vector>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<> nap() { co_await sleep(3600); }

Coro<> nap_and_clean_up(long& cleaned_up) {
    try {
        co_await sleep(3600);
    } catch (const CancelledError&) {
        ++cleaned_up;
        throw;
    }
}

Coro<long> cancel_all(long n, bool begun, bool cleans_up) {
    long cleaned_up = 0;
    std::vector<Task<>> tasks;
    for (long i = 0; i < n; ++i) tasks.push_back(create_task(cleans_up ? nap_and_clean_up(cleaned_up) : nap()));
    if (begun) co_await sleep(0);
    bench::start_clock();
    for (auto& task : tasks) task.cancel();
    co_await wait(tasks);
    bench::stop_clock();
    long cancelled = 0;
    for (const auto& task : tasks) cancelled += task.cancelled();
    co_return cleans_up ? cleaned_up : cancelled;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"begun", [](long n) { return run(cancel_all(n, true, false)); }},
                        {"handled", [](long n) { return run(cancel_all(n, true, true)); }},
                        {"not_begun", [](long n) { return run(cancel_all(n, false, false)); }}});
}
