// A semaphore bounds how many requests run at the same time.
#include <asyncio/asyncio.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

struct Server {
    int running = 0;
    int peak = 0;

    asyncio::Coro<int> request(int number) {
        peak = std::max(peak, ++running);
        std::printf("request %d starts, %d running\n", number, running);
        co_await asyncio::sleep(20ms * number);
        --running;
        co_return number* number;
    }
};

asyncio::Coro<int> limited(asyncio::Semaphore& semaphore, Server& server, int number) {
    auto slot = co_await semaphore.guard();
    co_return co_await server.request(number);
}

asyncio::Coro<> amain() {
    asyncio::Semaphore semaphore(2);
    Server server;
    std::vector<asyncio::Coro<int>> requests;
    for (int n = 1; n < 6; ++n) requests.push_back(limited(semaphore, server, n));
    auto results = co_await asyncio::gather(std::move(requests));
    std::printf("results:");
    for (int result : results) std::printf(" %d", result);
    std::printf("\nnever more than %d\n", server.peak);
}

int main() { asyncio::run(amain()); }
