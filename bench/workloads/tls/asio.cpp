// A coroutine and a buffer for each connection.
#include "asio.h"

#include <boost/asio/ssl.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using asio::ip::tcp;
using Stream = asio::ssl::stream<tcp::socket>;
constexpr auto quiet = asio::as_tuple(use_awaitable);

awaitable<void> serve_one(std::string_view way, Stream connection) {
    auto [refused] = co_await connection.async_handshake(asio::ssl::stream_base::server, quiet);
    if (refused) co_return;
    std::vector<char> buffer(65536, 'x');
    for (;;) {
        std::size_t size = buffer.size();
        if (way != "download") {
            auto [failed, got] = co_await connection.async_read_some(asio::buffer(buffer), quiet);
            if (failed) break;
            size = got;
        }
        if (way == "upload") continue;
        auto [unsent, sent] = co_await asio::async_write(connection, asio::buffer(buffer.data(), size), quiet);
        if (unsent) co_return;
    }
    co_await connection.async_shutdown(quiet);
}

awaitable<void> serve(asio::io_context& context, asio::ssl::context& tls, std::string_view way) {
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    bench::listens(acceptor.local_endpoint().port());
    for (;;) {
        tcp::socket connection = co_await acceptor.async_accept(use_awaitable);
        connection.set_option(tcp::no_delay(true));
        asio::co_spawn(context, serve_one(way, Stream(std::move(connection), tls)), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    bench::allow_connections();
    std::string folder = std::getenv("BENCH_TLS");
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file(folder + "/cert.pem");
    tls.use_private_key_file(folder + "/key.pem", asio::ssl::context::pem);
    asio::io_context context(1);
    asio::co_spawn(context, serve(context, tls, argv[1]), asio::detached);
    context.run();
}
