// One buffer for all: a callback writes what it was given before it returns, and what is left over is copied.
#include <netinet/in.h>
#include <uv.h>

#include <string>

#include "bench.h"

namespace {

char shared_buffer[65536];

struct Rest {
    uv_write_t request;
    std::string data;
};

void destroy(uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); }

void echo(uv_stream_t* connection, ssize_t size, const uv_buf_t* received) {
    if (size < 0) {
        uv_close(reinterpret_cast<uv_handle_t*>(connection), destroy);
        return;
    }
    uv_buf_t all = uv_buf_init(received->base, static_cast<unsigned>(size));
    int sent = uv_try_write(connection, &all, 1);
    if (sent == size) return;
    if (sent < 0) sent = 0;
    auto* rest = new Rest{{}, std::string(received->base + sent, static_cast<std::size_t>(size - sent))};
    rest->request.data = rest;
    uv_buf_t left = uv_buf_init(rest->data.data(), static_cast<unsigned>(rest->data.size()));
    uv_write(&rest->request, connection, &left, 1,
             [](uv_write_t* request, int) { delete static_cast<Rest*>(request->data); });
}

void accept(uv_stream_t* server, int) {
    auto* connection = new uv_tcp_t;
    uv_tcp_init(server->loop, connection);
    auto* stream = reinterpret_cast<uv_stream_t*>(connection);
    if (uv_accept(server, stream) != 0) return;
    uv_tcp_nodelay(connection, 1);
    auto allocate = [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
        *buffer = uv_buf_init(shared_buffer, sizeof shared_buffer);
    };
    uv_read_start(stream, allocate, echo);
}

}  // namespace

int main() {
    bench::allow_connections();
    uv_loop_t* loop = uv_default_loop();
    uv_tcp_t server;
    uv_tcp_init(loop, &server);
    sockaddr_in address{};
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&server, reinterpret_cast<sockaddr*>(&address), 0);
    uv_listen(reinterpret_cast<uv_stream_t*>(&server), 1024, accept);
    int length = sizeof address;
    uv_tcp_getsockname(&server, reinterpret_cast<sockaddr*>(&address), &length);
    bench::listens(ntohs(address.sin_port));
    uv_run(loop, UV_RUN_DEFAULT);
}
