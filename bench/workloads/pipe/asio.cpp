// Copies standard input to standard output.
#include "asio.h"

#include <unistd.h>

#include <vector>

namespace {

awaitable<void> copy(asio::io_context& context) {
    asio::posix::stream_descriptor in(context, ::dup(STDIN_FILENO));
    asio::posix::stream_descriptor out(context, ::dup(STDOUT_FILENO));
    std::vector<char> buffer(262'144);
    for (;;) {
        auto [failed, size] = co_await in.async_read_some(asio::buffer(buffer), asio::as_tuple(use_awaitable));
        if (failed) break;
        auto [unsent, sent] =
            co_await asio::async_write(out, asio::buffer(buffer.data(), size), asio::as_tuple(use_awaitable));
        if (unsent) break;
    }
}

}  // namespace

int main() {
    asio::io_context context(1);
    asio::co_spawn(context, copy(context), asio::detached);
    context.run();
}
