// gather runs several awaitables at once and gives their results in the order of its arguments.
#include <asyncio/asyncio.h>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<int> factorial(char name, int number) {
    int product = 1;
    for (int factor = 2; factor <= number; ++factor) {
        std::printf("Task %c: factorial(%d), now times %d\n", name, number, factor);
        co_await asyncio::sleep(20ms);
        product *= factor;
    }
    std::printf("Task %c: factorial(%d) = %d\n", name, number, product);
    co_return product;
}

asyncio::Coro<> amain() {
    auto results = co_await asyncio::gather(factorial('A', 2), factorial('B', 3), factorial('C', 4));
    auto [a, b, c] = results;
    std::printf("%d %d %d\n", a, b, c);
}

int main() { asyncio::run(amain()); }
