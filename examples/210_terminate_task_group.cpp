// Ending a task group early: add a task that throws an exception made for it, and ignore that one.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <exception>

using namespace std::chrono_literals;

struct TerminateTaskGroup : std::exception {};

asyncio::Coro<> force_terminate_task_group() {
    throw TerminateTaskGroup();
    co_return;
}

asyncio::Coro<> job(int number, asyncio::Seconds delay) {
    std::printf("job %d starts\n", number);
    co_await asyncio::sleep(delay);
    std::printf("job %d is done\n", number);
}

asyncio::Coro<> amain() {
    try {
        co_await asyncio::with(asyncio::TaskGroup{}, [](asyncio::TaskGroup& tg) -> asyncio::Coro<> {
            tg.create_task(job(1, 20ms));
            tg.create_task(job(2, 3600s));
            co_await asyncio::sleep(50ms);
            tg.create_task(force_terminate_task_group());
        });
    } catch (const asyncio::ExceptionGroup&) {
        asyncio::except_star<TerminateTaskGroup>([](const auto&) { std::puts("terminated"); });
    }
}

int main() { asyncio::run(amain()); }
