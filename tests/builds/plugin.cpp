#include "plugin.h"

using namespace asyncio;
using namespace std::chrono_literals;

ContextVar<std::string> variable("variable");

Coro<std::string> plugin_value(Future<std::string> future) {
    std::string value = co_await future;
    co_return value + " and back";
}

Coro<> plugin_failure(int which) {
    co_await sleep(0s);
    switch (which) {
        case 0:
            throw TimeoutError("late");
        case 1:
            throw PluginError("mine");
        case 2:
            throw ExceptionGroup("many", {std::make_exception_ptr(ValueError("one"))});
        case 3:
            co_await with(timeout(1s), [](Timeout&) -> Coro<> { co_await sleep(1h); });
    }
    current_task().cancel("enough");
    co_await sleep(1h);
}

Coro<std::string> plugin_catches(Coro<> coro) {
    try {
        co_await std::move(coro);
    } catch (const ValueError&) {
        co_return "ValueError";
    } catch (const CancelledError&) {
        co_return "CancelledError";
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "nothing";
}

std::string plugin_variable() { return variable.get("unset"); }
