// What a program without asyncio loads: a plugin of a server, an extension of an interpreter.
#include <asyncio/asyncio.h>

#include <csignal>
#include <memory>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

ContextVar<std::string> who("who", "nobody");

Coro<int> uses_everything() {
    int right = 0;
    who.set("module");
    auto [ours, theirs] = socketpair();
    co_await sock_sendall(ours, "hello");
    std::string got = co_await sock_recv(theirs, 10);
    if (got == "hello") ++right;
    std::string seen = co_await to_thread([] { return who.get(); });
    if (seen == "module") ++right;
    try {
        co_await wait_for(sleep(1h), 1ms);
    } catch (const TimeoutError&) {
        ++right;
    }
    std::vector<Task<>> tasks;
    for (int i = 0; i < 2000; ++i) tasks.push_back(create_task(sleep(0s)));
    for (Task<>& task : tasks) co_await task;
    co_return right;
}

Coro<int> gets_a_signal() {
    Event event;
    get_running_loop().add_signal_handler(SIGUSR1, [&] { event.set(); });
    std::raise(SIGUSR1);
    co_await event.wait();
    co_return 1;
}

Coro<> fails() {
    co_await sleep(0s);
    throw ValueError("from the module");
}

}  // namespace

#define MODULE_EXPORT extern "C" [[gnu::visibility("default")]]
MODULE_EXPORT int module_run() { return run(uses_everything()); }
MODULE_EXPORT int module_signal() { return run(gets_a_signal()); }
MODULE_EXPORT void module_fail() { run(fails()); }
