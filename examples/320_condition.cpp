// A condition: readers wait for a table to be filled; a lock and an event beside it.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <deque>
#include <string>

using namespace std::chrono_literals;
using Table = std::deque<std::string>;

asyncio::Coro<> reader(std::string name, asyncio::Condition& condition, Table& table, asyncio::Event& closing) {
    auto guard = co_await condition.guard();
    while (true) {
        co_await condition.wait_for([&] { return !table.empty() || closing.is_set(); });
        if (table.empty()) {
            std::printf("%s goes home\n", name.c_str());
            co_return;
        }
        std::printf("%s takes %s\n", name.c_str(), table.front().c_str());
        table.pop_front();
    }
}

asyncio::Coro<> amain() {
    asyncio::Lock lock;
    asyncio::Condition condition(lock);
    asyncio::Event closing;
    Table table;
    co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& readers) -> asyncio::Coro<> {
        for (const char* name : {"Ada", "Ben"}) readers.create_task(reader(name, condition, table, closing));
        for (const char* book : {"Emma", "Ulysses", "Faust"}) {
            co_await asyncio::sleep(10ms);
            co_await asyncio::with(lock, [&] {
                table.push_back(book);
                condition.notify();
            });
        }
        co_await asyncio::sleep(10ms);
        closing.set();
        co_await asyncio::with(condition, [&] { condition.notify_all(); });
    });
    std::printf("locked: %s\n", lock.locked() ? "True" : "False");
}

int main() { asyncio::run(amain()); }
