#include <asyncio/asyncio.h>

#include <string>

static_assert(ASYNCIO_VERSION >= 200);

asyncio::Coro<int> answer() { co_return 42; }

int main() {
    std::string version = std::to_string(ASYNCIO_VERSION_MAJOR) + "." + std::to_string(ASYNCIO_VERSION_MINOR) + "." +
                          std::to_string(ASYNCIO_VERSION_PATCH);
    return asyncio::version() == version && asyncio::run(answer()) == 42 ? 0 : 1;
}
