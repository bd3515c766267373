// uv_spawn() and its callbacks.
#include <uv.h>

#include <cstdint>
#include <vector>

#include "bench.h"

namespace {

struct Count {
    long left, good;
};

void spawn(Count* count);

void exited(uv_process_t* child, std::int64_t status, int) {
    auto* count = static_cast<Count*>(child->data);
    count->good += status == 0;
    uv_close(reinterpret_cast<uv_handle_t*>(child),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_process_t*>(handle); });
    if (count->left > 0) spawn(count);
}

void spawn(Count* count) {
    --count->left;
    auto* child = new uv_process_t{};
    child->data = count;
    char* arguments[] = {const_cast<char*>("/bin/true"), nullptr};
    uv_stdio_container_t inherited[3];
    for (int fd = 0; fd < 3; ++fd) {
        inherited[fd].flags = UV_INHERIT_FD;
        inherited[fd].data.fd = fd;
    }
    uv_process_options_t options{};
    options.exit_cb = exited;
    options.file = "/bin/true";
    options.args = arguments;
    options.stdio = inherited;
    options.stdio_count = 3;
    if (uv_spawn(uv_default_loop(), child, &options) != 0) std::exit(1);
}

long run(long n, int at_once) {
    Count count{n, 0};
    for (int i = 0; i < at_once && count.left > 0; ++i) spawn(&count);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return count.good;
}
long one(long n) { return run(n, 1); }
long many(long n) { return run(n, 64); }
long large(long n) {
    bench::become_large();
    return one(n);
}

// One piece is under way at a time, as with a stream that is drained.
uv_pipe_t in, out;
uv_write_t request;
std::vector<char> piece(65536, 'x'), buffer(65536);
long pieces, received;

void write_piece(uv_write_t*, int) {
    if (pieces-- == 0) return uv_close(reinterpret_cast<uv_handle_t*>(&in), nullptr);
    uv_buf_t part = uv_buf_init(piece.data(), static_cast<unsigned>(piece.size()));
    uv_write(&request, reinterpret_cast<uv_stream_t*>(&in), &part, 1, write_piece);
}

long bytes(long mebibytes) {
    uv_loop_t* loop = uv_default_loop();
    uv_pipe_init(loop, &in, 0);
    uv_pipe_init(loop, &out, 0);
    char* arguments[] = {const_cast<char*>("/bin/cat"), nullptr};
    uv_stdio_container_t streams[2];
    streams[0].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_READABLE_PIPE);
    streams[0].data.stream = reinterpret_cast<uv_stream_t*>(&in);
    streams[1].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    streams[1].data.stream = reinterpret_cast<uv_stream_t*>(&out);
    uv_process_options_t options{};
    options.exit_cb = [](uv_process_t*, std::int64_t, int) {};
    options.file = "/bin/cat";
    options.args = arguments;
    options.stdio = streams;
    options.stdio_count = 2;
    uv_process_t child;
    if (uv_spawn(loop, &child, &options) != 0) std::exit(1);
    pieces = mebibytes * 16;
    write_piece(nullptr, 0);
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&out),
        [](uv_handle_t*, std::size_t, uv_buf_t* room) {
        *room = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
        },
        [](uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
        if (size < 0) return uv_close(reinterpret_cast<uv_handle_t*>(stream), nullptr);
        received += size;
    });
    uv_run(loop, UV_RUN_DEFAULT);
    return received;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv, {{"one", one}, {"large", large}, {"many", many}, {"bytes", bytes}});
}
