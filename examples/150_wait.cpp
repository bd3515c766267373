// wait looks at many tasks and tells the done from the pending; it cancels nothing itself.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

asyncio::Coro<std::string> race(asyncio::Seconds delay) {
    co_await asyncio::sleep(delay);
    co_return "across the line";
}

asyncio::Coro<> amain() {
    std::vector<asyncio::Task<std::string>> runners;
    runners.push_back(asyncio::create_task(race(3600s), {.name = "tortoise"}));
    runners.push_back(asyncio::create_task(race(30ms), {.name = "hare"}));
    runners.push_back(asyncio::create_task(race(7200s), {.name = "snail"}));
    auto first = co_await asyncio::wait(runners, {.return_when = asyncio::FIRST_COMPLETED});
    for (const auto& runner : first.done) std::printf("%s is %s\n", runner.get_name().c_str(), runner.result().c_str());
    std::printf("%zu are still running\n", first.pending.size());

    auto later = co_await asyncio::wait(first.pending, {.timeout = 30ms});
    std::printf("a moment later: %zu done and %zu pending\n", later.done.size(), later.pending.size());
    for (auto& runner : later.pending) runner.cancel();
    co_await asyncio::wait(runners);
    std::string cancelled;
    for (const auto& runner : runners)
        if (runner.cancelled()) cancelled += (cancelled.empty() ? "" : ", ") + runner.get_name();
    std::printf("cancelled: %s\n", cancelled.c_str());
}

int main() { asyncio::run(amain()); }
