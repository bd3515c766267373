// Every task knows its name, and the loop knows all tasks that have not finished.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <set>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> nap(asyncio::Seconds delay) {
    std::printf("hello from %s\n", asyncio::current_task().get_name().c_str());
    co_await asyncio::sleep(delay);
}

void print_alive() {
    std::set<std::string> names;
    for (const auto& task : asyncio::all_tasks()) names.insert(std::string(task.get_name()));
    std::printf("alive:");
    for (const auto& name : names) std::printf(" %s", name.c_str());
    std::puts("");
}

asyncio::Coro<> amain() {
    asyncio::current_task().set_name("main");
    auto blue = asyncio::create_task(nap(20ms), {.name = "blue"});
    auto red = asyncio::create_task(nap(40ms), {.name = "red"});
    print_alive();
    co_await blue;
    print_alive();
    co_await red;
    print_alive();
}

int main() { asyncio::run(amain()); }
