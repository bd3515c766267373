// When children of a task group fail, the rest are cancelled and all errors come out as one group.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

struct BadInput : std::runtime_error {
    using runtime_error::runtime_error;
};
struct Offline : std::runtime_error {
    using runtime_error::runtime_error;
};

template <class Error>
asyncio::Coro<> fail(std::string reason) {
    throw Error(reason);
    co_return;
}

asyncio::Coro<> healthy() {
    try {
        co_await asyncio::sleep(3600s);
    } catch (const asyncio::CancelledError&) {
        std::puts("healthy: cancelled because others failed");
        throw;
    }
}

asyncio::Coro<> amain() {
    try {
        co_await asyncio::with(asyncio::TaskGroup{}, [](asyncio::TaskGroup& tg) {
            tg.create_task(healthy());
            tg.create_task(fail<BadInput>("no such city"));
            tg.create_task(fail<Offline>("no route"));
            tg.create_task(fail<BadInput>("no such street"));
        });
    } catch (const asyncio::ExceptionGroup&) {
        auto report_bad = [](const asyncio::BaseExceptionGroup& group) {
            for (const auto& error : group.exceptions()) std::printf("bad input: %s\n", asyncio::str(error).c_str());
        };
        auto report_offline = [](const asyncio::BaseExceptionGroup& group) {
            std::printf("offline: %s\n", asyncio::str(group.exceptions()[0]).c_str());
        };
        asyncio::except_star(asyncio::on_error<BadInput>(report_bad), asyncio::on_error<Offline>(report_offline));
    }
}

int main() { asyncio::run(amain()); }
