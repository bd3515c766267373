// Keeps a service running: starts it again when it crashes, each time a little later, and gives up when that does not
// help.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>
#include <asyncio/subprocess.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

struct Policy {
    int most_restarts = 5;  // without a run that lasted
    asyncio::Seconds first_delay = 10ms;
    asyncio::Seconds longest_delay = 80ms;
    asyncio::Seconds lasting = 1s;  // a run as long as that is a success
};

/// Crashes twice, then does its work.
asyncio::Coro<asyncio::subprocess::Process> start_service(int attempt) {
    std::string script = attempt < 2 ? "kill -SEGV $$" : "exit 0";
    co_return co_await asyncio::create_subprocess_exec("sh", {"-c", script});
}

/// The end of the service is ours, whatever ends us.
asyncio::Coro<int> end_of_service(asyncio::subprocess::Process service) {
    auto end_it = [&](const std::exception_ptr& cancelled) -> asyncio::Coro<int> {
        service.terminate();
        try {
            co_await asyncio::wait_for(service.wait(), 2s);
        } catch (const asyncio::TimeoutError&) {
            service.kill();
        }
        std::rethrow_exception(cancelled);
    };
    co_return co_await asyncio::try_except<asyncio::CancelledError>(service.wait(), end_it);
}

asyncio::Coro<> supervise(Policy policy) {
    asyncio::EventLoop& loop = asyncio::get_running_loop();
    asyncio::Seconds delay = policy.first_delay;
    int restarts = 0;
    for (int attempt = 0;; ++attempt) {
        auto begin = loop.time();
        asyncio::subprocess::Process service = co_await start_service(attempt);
        int code = co_await end_of_service(service);
        if (code == 0) {
            std::printf("run %d: the service has ended well\n", attempt + 1);
            co_return;
        }
        if (loop.time() - begin > policy.lasting) {
            restarts = 0;
            delay = policy.first_delay;
        }
        std::printf("run %d: the service has ended with %d\n", attempt + 1, code);
        if (++restarts > policy.most_restarts) throw asyncio::RuntimeError("the service cannot be kept running");
        co_await asyncio::sleep(delay);
        delay = std::min<asyncio::Seconds>(delay * 2, policy.longest_delay);
    }
}

int main() { asyncio::run(supervise(Policy{})); }
