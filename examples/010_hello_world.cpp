// The smallest program: say something, wait without blocking, say something more.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<> amain() {
    std::puts("hello ...");
    co_await asyncio::sleep(50ms);
    std::puts("... world");
}

int main() { return asyncio::run_main(amain()); }
