// A coroutine and a buffer for each connection.
#include "asio.h"

#include <vector>

namespace {

using asio::ip::tcp;

awaitable<void> echo(tcp::socket connection) {
    std::vector<char> buffer(65536);
    for (;;) {
        auto [failed, size] = co_await connection.async_read_some(asio::buffer(buffer), asio::as_tuple(use_awaitable));
        if (failed) break;
        auto [unsent, sent] =
            co_await asio::async_write(connection, asio::buffer(buffer.data(), size), asio::as_tuple(use_awaitable));
        if (unsent) break;
    }
}

awaitable<void> serve(asio::io_context& context) {
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    bench::listens(acceptor.local_endpoint().port());
    for (;;) {
        tcp::socket connection = co_await acceptor.async_accept(use_awaitable);
        connection.set_option(tcp::no_delay(true));
        asio::co_spawn(context, echo(std::move(connection)), asio::detached);
    }
}

}  // namespace

int main() {
    bench::allow_connections();
    asio::io_context context(1);
    asio::co_spawn(context, serve(context), asio::detached);
    context.run();
}
