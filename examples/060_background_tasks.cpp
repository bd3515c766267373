// Fire and forget, done properly: a list holds the running tasks, each leaves it when it is done.
// (The loop keeps running tasks alive even without one; the list is for whoever wants to wait for them.)
#include <asyncio/asyncio.h>

#include <cstdio>
#include <vector>

using namespace std::chrono_literals;

asyncio::Coro<> send(int number) {
    co_await asyncio::sleep(20ms * number);
    std::printf("sent %d\n", number);
}

asyncio::Coro<> amain(std::vector<asyncio::Task<>>& background) {
    for (int number = 1; number < 4; ++number) {
        auto task = asyncio::create_task(send(number));
        background.push_back(task);
        task.add_done_callback([&](const auto& done) { std::erase(background, done); });
    }
    std::printf("in the background: %zu\n", background.size());
    co_await asyncio::sleep(30ms);
    std::printf("in the background: %zu\n", background.size());
    co_await asyncio::wait(background);
    std::printf("in the background: %zu\n", background.size());
}

int main() {
    std::vector<asyncio::Task<>> background;  // not in amain: if that is cancelled, the tasks end after it
    asyncio::run(amain(background));
}
