// wait_for bounds a single await: the result if it comes in time, else TimeoutError.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <optional>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> eternity() {
    co_await asyncio::sleep(3600s);
    std::puts("never printed");
}

asyncio::Coro<std::string> soon() {
    co_await asyncio::sleep(10ms);
    co_return "on time";
}

asyncio::Coro<> amain() {
    std::string word = co_await asyncio::wait_for(soon(), 1s);
    std::puts(word.c_str());
    word = co_await asyncio::wait_for(soon(), std::nullopt);
    std::puts(word.c_str());
    try {
        co_await asyncio::wait_for(eternity(), 50ms);
    } catch (const asyncio::TimeoutError&) {
        std::puts("timeout!");
    }
}

int main() { asyncio::run(amain()); }
