// Copies standard input to standard output.
#include <asyncio/asyncio.h>

#include <string>
#include <utility>

using namespace asyncio;

namespace {

Coro<> copy() {
    StreamReader in = co_await stdin_stream();
    StreamWriter out = co_await stdout_stream();
    for (;;) {
        std::string data = co_await in.read(262'144);
        if (data.empty()) break;
        out.write(std::move(data));
        co_await out.drain();
    }
    out.close();
    co_await out.wait_closed();
}

}  // namespace

int main() { run(copy()); }
