// One buffer for all. echo: every datagram goes back, or is lost if there is no room. sink: every 64th is answered.
#include <netinet/in.h>
#include <uv.h>

#include <string_view>

#include "bench.h"

namespace {

char shared_buffer[65536];
bool is_echo = false;
long received = 0;

void receive(uv_udp_t* endpoint, ssize_t size, const uv_buf_t* data, const sockaddr* sender, unsigned) {
    if (size < 0 || sender == nullptr) return;
    if (!is_echo && ++received % 64 != 0) return;
    uv_buf_t all = uv_buf_init(data->base, is_echo ? static_cast<unsigned>(size) : 1);
    uv_udp_try_send(endpoint, &all, 1, sender);
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view way = argc == 2 ? argv[1] : "";
    if (way != "echo" && way != "sink") {
        std::fprintf(stderr, "usage: %s echo|sink\n", argv[0]);
        return 2;
    }
    is_echo = way == "echo";
    uv_loop_t* loop = uv_default_loop();
    uv_udp_t endpoint;
    uv_udp_init(loop, &endpoint);
    sockaddr_in address{};
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_udp_bind(&endpoint, reinterpret_cast<sockaddr*>(&address), 0);
    auto allocate = [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
        *buffer = uv_buf_init(shared_buffer, sizeof shared_buffer);
    };
    uv_udp_recv_start(&endpoint, allocate, receive);
    int length = sizeof address;
    uv_udp_getsockname(&endpoint, reinterpret_cast<sockaddr*>(&address), &length);
    bench::listens(ntohs(address.sin_port));
    uv_run(loop, UV_RUN_DEFAULT);
}
