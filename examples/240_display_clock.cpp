// Doing something at intervals until a deadline on the loop's own clock.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <ctime>

using namespace std::chrono_literals;

asyncio::Coro<> display_clock() {
    auto& loop = asyncio::get_running_loop();
    auto end = loop.time() + 100ms;
    while (loop.time() < end) {
        std::time_t now = std::time(nullptr);
        char text[16];
        std::strftime(text, sizeof text, "%H:%M:%S", std::localtime(&now));
        std::printf("it is %s\n", text);
        co_await asyncio::sleep(40ms);
    }
    std::puts("enough");
}

int main() { asyncio::run(display_clock()); }
