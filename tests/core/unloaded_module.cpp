#include "core/unloaded_module.h"

#include <stdexcept>

namespace plugin {

asyncio::Coro<> work() { co_return; }
asyncio::Coro<> fail() {
    throw std::runtime_error("from the module");
    co_return;
}
asyncio::Coro<> take(asyncio::Lock* lock) { co_await lock->acquire(); }

}  // namespace plugin

extern "C" {
[[gnu::visibility("default")]] void module_work(asyncio::Coro<>* to) { *to = plugin::work(); }
[[gnu::visibility("default")]] void module_fail(asyncio::Coro<>* to) { *to = plugin::fail(); }
[[gnu::visibility("default")]] void module_take(asyncio::Coro<>* to, asyncio::Lock* lock) { *to = plugin::take(lock); }
}
