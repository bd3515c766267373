// Iterated asynchronously, as_completed gives the tasks themselves, so one knows whose result it is.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;

asyncio::Coro<int> connect(int port, asyncio::Seconds delay) {
    co_await asyncio::sleep(delay);
    if (port == 23) throw std::runtime_error("refused");
    co_return port;
}

asyncio::Coro<> amain() {
    std::vector<asyncio::Task<int>> tasks;
    tasks.push_back(asyncio::create_task(connect(22, 60ms), {.name = "ssh"}));
    tasks.push_back(asyncio::create_task(connect(23, 20ms), {.name = "telnet"}));
    tasks.push_back(asyncio::create_task(connect(25, 40ms), {.name = "smtp"}));
    auto completed = asyncio::as_completed(tasks);
    while (auto task = co_await completed.next()) {
        if (task->exception())
            std::printf("%s failed\n", task->get_name().c_str());
        else
            std::printf("%s answers on port %d\n", task->get_name().c_str(), task->result());
    }
}

int main() { asyncio::run(amain()); }
