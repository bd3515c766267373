// A coroutine. echo: every datagram goes back. sink: every 64th is answered.
#include "asio.h"

#include <string_view>
#include <vector>

namespace {

using asio::ip::udp;

awaitable<void> serve(udp::socket endpoint, bool is_echo) {
    std::vector<char> buffer(65536);
    udp::endpoint sender;
    for (long received = 1;; ++received) {
        std::size_t size = co_await endpoint.async_receive_from(asio::buffer(buffer), sender, use_awaitable);
        if (!is_echo && received % 64 != 0) continue;
        co_await endpoint.async_send_to(asio::buffer(buffer.data(), is_echo ? size : 1), sender, use_awaitable);
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view way = argc == 2 ? argv[1] : "";
    if (way != "echo" && way != "sink") {
        std::fprintf(stderr, "usage: %s echo|sink\n", argv[0]);
        return 2;
    }
    asio::io_context context(1);
    udp::socket endpoint(context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
    bench::listens(endpoint.local_endpoint().port());
    asio::co_spawn(context, serve(std::move(endpoint), way == "echo"), asio::detached);
    context.run();
}
