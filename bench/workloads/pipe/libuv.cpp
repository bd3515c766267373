// Copies standard input to standard output: what does not go at once is copied, and reading stops until it is written.
#include <uv.h>

#include <string>

namespace {

char buffer[262'144];
uv_pipe_t in, out;

struct Rest {
    uv_write_t request;
    std::string data;
};

void copy(uv_stream_t*, ssize_t size, const uv_buf_t* received);

void read_on() {
    auto allocate = [](uv_handle_t*, std::size_t, uv_buf_t* to) { *to = uv_buf_init(buffer, sizeof buffer); };
    uv_read_start(reinterpret_cast<uv_stream_t*>(&in), allocate, copy);
}

void copy(uv_stream_t*, ssize_t size, const uv_buf_t* received) {
    if (size < 0) {
        uv_close(reinterpret_cast<uv_handle_t*>(&in), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(&out), nullptr);
        return;
    }
    auto* to = reinterpret_cast<uv_stream_t*>(&out);
    uv_buf_t all = uv_buf_init(received->base, static_cast<unsigned>(size));
    int sent = uv_try_write(to, &all, 1);
    if (sent == size) return;
    if (sent < 0) sent = 0;
    uv_read_stop(reinterpret_cast<uv_stream_t*>(&in));
    auto* rest = new Rest{{}, std::string(received->base + sent, static_cast<std::size_t>(size - sent))};
    rest->request.data = rest;
    uv_buf_t left = uv_buf_init(rest->data.data(), static_cast<unsigned>(rest->data.size()));
    uv_write(&rest->request, to, &left, 1, [](uv_write_t* request, int) {
        delete static_cast<Rest*>(request->data);
        read_on();
    });
}

}  // namespace

int main() {
    uv_loop_t* loop = uv_default_loop();
    uv_pipe_init(loop, &in, 0);
    uv_pipe_init(loop, &out, 0);
    uv_pipe_open(&in, 0);
    uv_pipe_open(&out, 1);
    read_on();
    uv_run(loop, UV_RUN_DEFAULT);
}
