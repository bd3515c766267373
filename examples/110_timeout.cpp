// timeout bounds a whole block: what runs too long is cancelled inside it, TimeoutError comes out.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

struct SayStopped {
    ~SayStopped() { std::puts("long_running_task: stopped"); }
};

asyncio::Coro<> long_running_task() {
    SayStopped at_the_end;
    co_await asyncio::sleep(3600s);
}

asyncio::Coro<> amain() {
    try {
        co_await asyncio::with(asyncio::timeout(50ms), [](asyncio::Timeout&) -> asyncio::Coro<> {
            co_await asyncio::sleep(10ms);
            std::puts("quick enough");
            co_await long_running_task();
            std::puts("never printed");
        });
    } catch (const asyncio::TimeoutError&) {
        std::puts("The long operation timed out, but we've handled it.");
    }
    std::puts("life goes on");
}

int main() { asyncio::run(amain()); }
